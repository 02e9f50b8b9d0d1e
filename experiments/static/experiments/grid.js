// Grid entry. A cell holds what is recorded, or what a person has typed and not yet saved; unsaved cells are kept on the
// device until the server has them. Each unsaved text carries the key of the observation that it will become, so that what
// is sent again after a lost answer is recorded once.

const root = document.getElementById("grid");
const by = (id) => document.getElementById(id);
const NUMBER = { ".": /^(-?\d+)(?:\.(\d+))?$/, ",": /^(-?\d+)(?:,(\d+))?$/ };
const SIGNS = { ".": "point", ",": "comma" }, ANSWER_MS = 30_000;
const settings = root ? JSON.parse(root.dataset.settings) : {};
const isByKey = Object.keys(settings.keys ?? {}).length > 0;
const letters = Object.fromEntries(Object.entries(settings.keys ?? {}).map(([key, category]) => [category, key.toUpperCase()]));
const rows = []; // arrays of cells; null where the animal cannot be observed
let active = null, anchor = null, isEditing = false, isSending = false, waiting = null, said = "";

class Cell {
  constructor(td, row, column) {
    const line = td.closest("tr");
    Object.assign(this, { td, row, column, line, input: td.querySelector("input") });
    this.place = [line.dataset.animal, td.dataset.day, td.dataset.side].join("|");
    this.recorded = td.dataset.recorded ?? null; // the recorded text
    this.observation = td.dataset.observation ?? null;
    Object.assign(this, { by: td.dataset.by, at: td.dataset.at, note: td.dataset.note ?? "" });
    this.refused = ""; // what the server said of it
    this.id = uuid();
    this.take(this.recorded ?? "");
  }

  get isChanged() { return this.text !== (this.recorded ?? "") && !(this.parsed && isSame(this.text, this.recorded)); }
  get isFresh() { return this.isChanged && this.recorded === null; }
  get isCorrection() { return this.isChanged && this.recorded !== null; }
  get isBad() { return this.isChanged && (!this.parsed || this.refused !== ""); }

  /** Take `typed` as the cell's text; what can be read stands with a decimal point from then on. */
  take(typed, sign = ".") {
    const trimmed = typed.trim();
    const parsed = trimmed === "" ? null : parse(trimmed, sign);
    const text = parsed?.text ?? trimmed;
    if (text !== this.text) Object.assign(this, { id: uuid(), refused: "" });
    Object.assign(this, { text, parsed: parsed?.error ? null : parsed, error: parsed?.error ?? "" });
    this.show();
  }

  hold({ id, text, by: person, at }) { // what is recorded by now
    Object.assign(this, { recorded: text, observation: id, by: person, at });
  }

  show() {
    if (!(isEditing && this === active)) this.input.value = letters[this.text] ?? this.text;
    const states = {
      "is-recorded": this.recorded !== null && !this.isChanged, "is-unsaved": this.isFresh, "is-correction": this.isCorrection,
      "is-bad": this.isBad, "is-warned": this.isChanged && this.warning !== "",
    };
    for (const [name, isOn] of Object.entries(states)) this.td.classList.toggle(name, isOn);
    this.td.dataset.value = this.text;
    this.input.setAttribute("aria-invalid", String(this.isBad));
    const told = this.messages().map(([, text]) => text);
    if (!told.length && this.recorded !== null) told.push(`Recorded by ${this.by}, ${this.at}`);
    this.input.title = told.join(" ");
    showLine(this.line);
  }

  get number() { return this.parsed && this.parsed.number !== undefined && !this.parsed.limit ? Number(this.parsed.number) : null; }

  get warning() {
    const value = this.number, reference = Number(this.line.dataset.reference);
    if (value === null) return "";
    if (settings.low !== null && value < Number(settings.low)) return `Below the plausible ${settings.low} ${settings.unit}.`;
    if (settings.high !== null && value > Number(settings.high)) return `Above the plausible ${settings.high} ${settings.unit}.`;
    if (reference && settings.lossPercent && isLost(value, reference)) {
      return `${(100 - (100 * value) / reference).toFixed(1)} % below the start: at ${settings.lossPercent} % the humane endpoint is to be considered.`;
    }
    return "";
  }

  messages() {
    const found = [];
    if (this.isChanged && this.error) found.push(["bad", this.error]);
    if (this.isChanged && this.refused) found.push(["bad", this.refused]);
    if (this.isCorrection && !this.refused) found.push(["note", `Recorded: ${this.recorded}. A change is a correction, with a reason.`]);
    if (this.warning) found.push(["warn", this.warning]);
    if (this.isChanged && this.note) found.push(["note", this.note]);
    return found;
  }
}

const isLost = (value, reference) => value * 100 <= reference * (100 - settings.lossPercent) + 1e-9;
const isSame = (a, b) => a === b || (b !== null && b !== "" && !isByKey && Number(a) === Number(b));

function uuid() { // crypto.randomUUID is missing where a laboratory's server has no certificate
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  const digits = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** What a text means: `{text, number, limit}` or `{text, category}`; `{error}` where it means nothing. Never guessed. */
function parse(text, sign) {
  if (isByKey) {
    const category = settings.keys[text.toLowerCase()] ?? (text in letters ? text : null);
    return category ? { text: category, category } : { error: `“${text}” is none of ${Object.values(letters).join(", ")}.` };
  }
  const limit = settings.hasLimits && "<>".includes(text[0]) ? text[0] : "";
  const match = NUMBER[sign].exec(text.slice(limit.length).trim());
  if (!match) {
    const other = NUMBER[sign === "." ? "," : "."].test(text) ? ` The decimal sign above is the ${SIGNS[sign]}.` : "";
    return { error: `“${text}” is not a number.${other}` };
  }
  const whole = match[1].replace(/^(-?)0+(?=\d)/, "$1");
  const number = match[2] === undefined ? whole : `${whole}.${match[2]}`;
  return { text: limit + number, number, limit };
}

// -- what is told

function showLine(line) {
  const own = rows[line.rowIndexInGrid] ?? [];
  const box = line.nextElementSibling.firstElementChild;
  const several = own.length > 1;
  const told = own.flatMap((cell) => cell?.messages().map(([kind, text]) => [kind, several ? `${cell.input.ariaLabel.split(", ").slice(1).join(", ")}: ${text}` : text]) ?? []);
  box.replaceChildren(...told.map(([kind, text]) => Object.assign(document.createElement("p"), { className: `grid-is-${kind}`, textContent: text })));
  line.nextElementSibling.hidden = !told.length;
  const percent = line.querySelector(".grid-percent"), reference = Number(line.dataset.reference), value = own[0]?.number;
  if (percent && reference) {
    percent.textContent = value == null ? "" : ((100 * value) / reference).toFixed(1);
    percent.classList.toggle("is-lost", value != null && isLost(value, reference));
  }
}

const all = () => rows.flat().filter(Boolean);
const valid = () => all().filter((cell) => cell.isFresh && !cell.isBad);
const plural = (n, what) => `${n} ${what}${n === 1 ? "" : "s"}`;

function showState(text = said) {
  said = text;
  const fresh = all().filter((cell) => cell.isFresh), corrections = all().filter((cell) => cell.isCorrection);
  const bad = fresh.filter((cell) => cell.isBad);
  const save = by("grid-save"), rest = by("grid-valid"), correct = by("grid-correct");
  save.disabled = isSending || !fresh.length;
  save.textContent = waiting ? `Try again (${fresh.length})` : fresh.length ? `Save ${fresh.length}` : "Save";
  rest.hidden = !bad.length || bad.length === fresh.length;
  rest.textContent = `Save the ${fresh.length - bad.length} valid`;
  correct.hidden = !corrections.length;
  correct.textContent = `Correct ${corrections.length}…`;
  by("grid-status").textContent = text || (fresh.length + corrections.length ? `${plural(fresh.length + corrections.length, "unsaved cell")}, kept on this device` : "");
  root.classList.toggle("is-offline", waiting !== null);
  keep();
}

// -- unsaved cells stay on the device

function kept() {
  try { return JSON.parse(localStorage.getItem(settings.store) ?? "{}"); } catch { return {}; }
}

function keep() {
  const shown = new Set(all().map((cell) => cell.place));
  const others = Object.entries(kept()).filter(([place]) => !shown.has(place));
  const own = all().filter((cell) => cell.isChanged).map((cell) => [cell.place, { id: cell.id, text: cell.text }]);
  const entries = [...others, ...own];
  try {
    if (entries.length) localStorage.setItem(settings.store, JSON.stringify(Object.fromEntries(entries)));
    else localStorage.removeItem(settings.store);
  } catch { by("grid-status").textContent = "This browser keeps nothing: save before you leave the page."; }
  showElsewhere(others.map(([place]) => place.split("|")[1]));
}

function showElsewhere(days) {
  const box = by("grid-elsewhere");
  box.hidden = !days.length;
  const links = [...new Set(days)].sort().map((day) => {
    const query = new URLSearchParams(location.search);
    query.set("day", day);
    query.delete("cage");
    return Object.assign(document.createElement("a"), { href: `?${query}`, textContent: day });
  });
  box.replaceChildren(`${plural(days.length, "unsaved cell")} elsewhere: `, ...links.flatMap((link) => [link, " "]));
}

function restore() {
  const stored = kept();
  for (const cell of all()) {
    const entry = stored[cell.place];
    if (!entry || entry.id === cell.observation) continue; // it had been recorded, only the answer was lost
    cell.take(entry.text);
    cell.id = entry.id;
    if (cell.isCorrection) cell.refused = taken(cell);
    cell.show();
  }
}

const taken = (cell) => `${cell.by} has recorded ${cell.recorded} (${cell.at}). Yours is not saved: Esc takes theirs, or correct it with a reason.`;

// -- sending

/** A cell as JSON. The number is written as it was typed: a double would lose digits. */
function told(cell, more) {
  const value = { id: cell.id, ...more };
  if (cell.parsed.category) value.category = cell.parsed.category;
  if (cell.parsed.limit) value.qualifier = cell.parsed.limit;
  return cell.parsed.category ? JSON.stringify(value) : `${JSON.stringify(value).slice(0, -1)},"${cell.parsed.limit ? "limit" : "value"}":${cell.parsed.number}}`;
}

function csrf() {
  return /(?:^|; )csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
}

/** The server's answer as `{status, body}`; null where none came. */
async function post(url, members, cells) {
  const head = JSON.stringify({ ...members, person: settings.person }).slice(0, -1);
  try {
    const response = await fetch(url, {
      method: "POST", body: `${head},"cells":[${cells.join(",")}]}`, signal: AbortSignal.timeout(ANSWER_MS),
      headers: { "Content-Type": "application/json", "X-CSRFToken": csrf() },
    });
    return { status: response.status, body: await response.json().catch(() => ({})) };
  } catch { return null; }
}

async function send(cells, ask) {
  if (isSending || !cells.length) return;
  isSending = true;
  for (const cell of cells) { cell.input.readOnly = true; cell.td.classList.add("is-sending"); }
  showState("Saving …");
  const answer = await ask();
  isSending = false;
  for (const cell of cells) { cell.input.readOnly = false; cell.td.classList.remove("is-sending"); }
  if (answer) settle(cells, answer);
  return answer;
}

async function record(cells, onlyValid = false) {
  const ask = () => post(settings.recordUrl, { endpoint: settings.endpoint, only_valid: onlyValid },
    cells.map((cell) => told(cell, { animal: cell.line.dataset.animal, day: cell.td.dataset.day, side: cell.td.dataset.side || null })));
  const answer = await send(cells, ask);
  if (answer === undefined) return;
  waiting = answer === null || answer.status >= 500 ? { cells, onlyValid } : null;
  if (answer === null) showState(`No connection: ${plural(cells.length, "cell")} kept on this device.`);
}

function settle(cells, { status, body }) {
  const done = new Set(status === 200 ? body.ids : []);
  for (const cell of cells) cell.refused = "";
  for (const { row, message, current } of body.rows ?? []) {
    const cell = cells[row - 1];
    if (current) cell.hold(current);
    cell.refused = current ? taken(cell) : [cell.refused, message].filter(Boolean).join(" ");
  }
  for (const cell of cells.filter((each) => done.has(each.id))) {
    cell.hold({ id: cell.id, text: cell.text, by: "you", at: "just now" });
    cell.td.classList.add("is-saved");
  }
  for (const cell of cells) cell.show();
  const refused = new Set((body.rows ?? []).map(({ row }) => row)).size;
  if (status === 200) showState(`${plural(done.size, "cell")} saved${refused ? `, ${refused} not` : ""}.`);
  else if (body.rows) showState(`Nothing was saved: ${plural(refused, "cell")} cannot be.`);
  else if (status === 401) showState("Not saved: you are logged out. Log in again in another tab, then save here.");
  else showState(`Not saved: ${body.detail ?? Object.values(body).flat().join(" ")} (${status})`);
}

async function saveEach() { // each cell by itself: one that is refused keeps no other
  if (by("grid-each").checked && !waiting && !isSending && valid().length) await record(valid(), true).then(saveEach);
}

function saveAll() {
  commit();
  const fresh = all().filter((cell) => cell.isFresh), bad = fresh.filter((cell) => cell.isBad);
  if (!bad.length) return record(fresh);
  showState(`Nothing was sent: ${plural(bad.length, "cell")} cannot be saved.`);
  return go(bad[0]);
}

function askReason() {
  commit();
  const marked = range();
  const pending = all().filter((cell) => cell.isCorrection);
  const chosen = marked.length > 1 && marked.some((cell) => cell.isCorrection) ? marked.filter((cell) => cell.isCorrection) : pending;
  const unread = chosen.find((cell) => !cell.parsed);
  if (unread) return go(unread);
  const dialog = by("grid-reason");
  const lines = chosen.map((cell) => Object.assign(document.createElement("li"), { textContent: `${cell.input.ariaLabel}: ${cell.recorded} → ${cell.text}` }));
  dialog.querySelector("ul").replaceChildren(...lines);
  dialog.returnValue = "";
  dialog.onclose = async () => {
    if (dialog.returnValue !== "correct") return;
    const reason = by("grid-why").value;
    const ask = () => post(settings.correctUrl, { reason }, chosen.map((cell) => told(cell, { observation: cell.observation })));
    if (await send(chosen, ask) === null) showState("No connection: nothing was corrected. Correct again when it is back.");
    else by("grid-why").value = "";
  };
  dialog.showModal();
  return by("grid-why").focus();
}

// -- moving, marking, filling

function range() {
  if (!active) return [];
  const [first, last] = [anchor ?? active, active];
  const between = (x, a, b) => x >= Math.min(a, b) && x <= Math.max(a, b);
  return all().filter((cell) => between(cell.row, first.row, last.row) && between(cell.column, first.column, last.column));
}

function mark() {
  const marked = range();
  for (const cell of all()) cell.td.classList.toggle("is-marked", marked.length > 1 && marked.includes(cell));
}

function go(cell, isExtending = false) {
  if (!cell) return false;
  const start = anchor ?? active;
  cell.input.focus();
  cell.input.select();
  cell.line.scrollIntoView({ block: "nearest" });
  anchor = isExtending ? start : cell;
  mark();
  return true;
}

/** The next cell that way; null at the edge. Cells that cannot be filled are passed over. */
function beyond(cell, down, right) {
  for (let row = cell.row + down, column = cell.column + right; row >= 0 && row < rows.length; row += down, column += right) {
    if (column < 0 || column >= rows[row].length) return null;
    if (rows[row][column]) return rows[row][column];
  }
  return null;
}

function onward(cell) { // after a key: down, and then from the top of the next column; or right, and then the next line
  if (by("grid-direction").value === "right") return beyond(cell, 0, 1) ?? rows[cell.row + 1]?.find(Boolean) ?? null;
  return beyond(cell, 1, 0) ?? rows.map((row) => row[cell.column + 1]).find(Boolean) ?? null;
}

/** Take what stands in the active cell's field. */
function commit() {
  const cell = active;
  if (!cell) return;
  const hasChanged = cell.input.value !== (letters[cell.text] ?? cell.text);
  isEditing = false;
  if (hasChanged && !isByKey) set(cell, cell.input.value, by("grid-decimal").value); else cell.show();
}

function set(cell, text, sign = ".") {
  if (text.trim() === "" && cell.recorded !== null) {
    cell.take(cell.recorded);
    showState("A recorded value is corrected, not deleted.");
    return;
  }
  cell.td.classList.remove("is-saved");
  cell.take(text, sign);
  showState("");
  queueMicrotask(saveEach);
}

function undo(cell) {
  const typed = cell.input.value;
  isEditing = false;
  if (typed === (letters[cell.text] ?? cell.text)) cell.take(cell.recorded ?? "");
  else cell.show();
  cell.input.select();
  showState("");
}

function fillDown() {
  commit();
  const marked = range().filter((cell) => cell.parsed || cell.recorded === null);
  const columns = Map.groupBy(marked, (cell) => cell.column);
  for (const cells of columns.values()) {
    const source = cells.length > 1 ? cells[0] : beyond(cells[0], -1, 0);
    if (!source?.parsed) continue;
    for (const cell of cells) if (cell !== source && cell.recorded === null) set(cell, source.text);
  }
}

function paste(text) {
  const block = text.replace(/\r\n?/g, "\n").replace(/\n$/, "").split("\n").map((line) => line.split("\t"));
  const width = Math.max(...block.map((line) => line.length)), room = [rows.length - active.row, rows[0].length - active.column];
  if (block.length > room[0] || width > room[1]) {
    showState(`Nothing was pasted: the block has ${plural(block.length, "row")} and ${plural(width, "column")}, the grid from here ${room.join(" and ")}.`);
    return;
  }
  const targets = block.flatMap((line, down) => line.map((value, right) => [rows[active.row + down][active.column + right], value])).filter(([, value]) => value.trim());
  if (targets.some(([cell]) => !cell)) { showState("Nothing was pasted: an animal of the block cannot be observed on that day."); return; }
  const sign = isByKey ? "." : by("grid-decimal").value;
  for (const [cell, value] of targets) set(cell, value, sign);
  active.input.select();
}

function find(text) {
  const wanted = text.trim().toLowerCase();
  const line = [...root.querySelectorAll(".grid-row")].find((row) => row.dataset.label.toLowerCase() === wanted)
    ?? [...root.querySelectorAll("tbody")].find((cage) => cage.dataset.cage.toLowerCase() === wanted)?.querySelector(".grid-row");
  const own = (line && rows[line.rowIndexInGrid].filter(Boolean)) ?? [];
  return own.find((cell) => cell.text === "") ?? own[0] ?? null;
}

// -- events

const ARROWS = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] };

function onKey(event) {
  if (!active || event.isComposing) return;
  const isCommand = event.ctrlKey || event.metaKey;
  const way = ARROWS[event.key];
  if (isCommand && event.key.toLowerCase() === "d") fillDown();
  else if (event.key === "Escape") undo(active);
  else if (event.key === "F2" && !isByKey) edit();
  else if (event.key === "Enter") enter(event.shiftKey);
  else if (way && !isCommand && !(isEditing && way[1])) go(beyond(active, ...way), event.shiftKey);
  else if ([" ", "Delete", "Backspace"].includes(event.key) && (isByKey || (event.key === "Delete" && !isEditing))) {
    for (const cell of range()) if (cell.isChanged) cell.take(cell.recorded ?? "");
    showState("");
  } else return;
  event.preventDefault();
}

function enter(isBack) {
  const cell = active, typed = cell.input.value;
  const scanned = !isByKey && parse(typed.trim(), by("grid-decimal").value).error ? find(typed) : null;
  if (scanned) { // a scanner types the animal's id wherever the cursor stands
    undo(cell);
    go(scanned);
    return;
  }
  commit();
  if (!go(beyond(cell, isBack ? -1 : 1, 0)) && !isBack) (by("grid-save").disabled ? cell.input : by("grid-save")).focus();
}

function edit() {
  isEditing = true;
  if (by("grid-decimal").value === ",") active.input.value = active.input.value.replace(".", ",");
  active.input.setSelectionRange(active.input.value.length, active.input.value.length);
}

function onInput(event) {
  if (!isByKey) return;
  const key = (event.data ?? "").slice(-1).toLowerCase(), category = settings.keys[key];
  active.show();
  if (!category) { showState(key.trim() ? `“${key}” is no key here.` : ""); active.input.select(); return; }
  const next = onward(active);
  set(active, category);
  if (!go(next)) active.input.select();
}

function start() {
  const elsewhere = Object.assign(document.createElement("p"), { id: "grid-elsewhere", className: "lab-subtle", hidden: true });
  by("grid-status").after(elsewhere);
  const lines = [...root.querySelectorAll(".grid-row")];
  lines.forEach((line, row) => {
    line.rowIndexInGrid = row;
    rows[row] = [];
    [...line.querySelectorAll(".grid-cell, .grid-closed")].forEach((td, column) => {
      rows[row][column] = td.classList.contains("grid-cell") ? new Cell(td, row, column) : null;
    });
    showLine(line);
  });
  const cellOf = (target) => all().find((cell) => cell.input === target) ?? null;
  const table = root.querySelector("table");
  table.addEventListener("focusin", ({ target }) => { active = anchor = cellOf(target); isEditing = false; target.select(); mark(); });
  table.addEventListener("focusout", commit);
  table.addEventListener("keydown", onKey);
  table.addEventListener("input", onInput);
  table.addEventListener("dblclick", () => { if (active && !isByKey) edit(); });
  table.addEventListener("mousedown", (event) => {
    const cell = event.shiftKey && cellOf(event.target);
    if (cell && active) { event.preventDefault(); go(cell, true); }
  });
  table.addEventListener("paste", (event) => {
    const text = event.clipboardData.getData("text/plain");
    if (isByKey || /[\t\n]./.test(text)) { event.preventDefault(); paste(text); }
  });
  table.addEventListener("copy", (event) => {
    const marked = range();
    if (marked.length < 2) return;
    const texts = [...Map.groupBy(marked, (cell) => cell.row).values()].map((line) => line.map((cell) => cell.text).join("\t"));
    event.clipboardData.setData("text/plain", texts.join("\n"));
    event.preventDefault();
  });
  by("grid-find").addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    const box = event.target, found = find(box.value);
    event.preventDefault();
    if (found) { box.value = ""; go(found); } else { showState(`“${box.value}” is not in this grid.`); box.select(); }
  });
  by("grid-save").addEventListener("click", saveAll);
  by("grid-valid").addEventListener("click", () => record(valid(), true));
  by("grid-correct").addEventListener("click", askReason);
  by("grid-reason-cancel").addEventListener("click", () => by("grid-reason").close());
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") { event.preventDefault(); saveAll(); }
  });
  window.addEventListener("online", () => { if (waiting) record(waiting.cells.filter((cell) => valid().includes(cell)), waiting.onlyValid).then(saveEach); });
  restore();
  showState();
  if (matchMedia("(pointer: fine)").matches) go(all().find((cell) => cell.text === "") ?? all()[0]);
}

if (root) start();
by("grid-choice")?.addEventListener("change", ({ target }) => { if (target.type !== "date") target.form.requestSubmit(); });
