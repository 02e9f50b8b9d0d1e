"""The demo study's files, as its laboratory would have them: an XLSX of animals, raw plate-reader exports, a tally sheet."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from openpyxl import Workbook

from labdb.demo.study import AMH_DAY, BORN_ON, DAY_0, E2_DAY, EVERY_NTH, WEIGHING_DAYS, Mouse

ROWS, COLUMNS = "ABCDEFGH", 12
MISTYPED = ("D-017", 14)  # animal and study day of a weight whose decimal point was forgotten
HAEMOLYSED = "D-042"


@dataclass(frozen=True)
class Kit:
    """A simulated immunoassay: the true four-parameter curve of its optical density, and how it is run."""

    endpoint: str
    unit: str
    day: int
    standards: tuple[float, ...]
    dilution: float
    zero: float  # OD without analyte
    plateau: float  # OD at saturation
    midpoint: float  # concentration at half height
    slope: float

    def od(self, concentration: float) -> float:
        return self.plateau + (self.zero - self.plateau) / (1 + (concentration / self.midpoint) ** self.slope)


# E2 is a competitive assay (more analyte, less colour), AMH a sandwich assay read at a fifth of the serum.
E2 = Kit("e2", "pg/mL", E2_DAY, (500, 250, 125, 62.5, 31.25, 15.625), 1, 2.4, 0.06, 60, 1.05)
AMH = Kit("amh", "ng/mL", AMH_DAY, (25, 12.5, 6.25, 3.125, 1.5625, 0.78125, 0.390625), 5, 0.05, 3.1, 9, 1.15)


@dataclass(frozen=True)
class PlateRun:
    """One assay run: the reader's file, its layout, and the specimens on it with their true concentration."""

    kit: Kit
    reader_file: bytes
    layout_csv: str
    truth: dict[str, float]


def animals_workbook(mice: Sequence[Mouse], *, is_corrected: bool = False) -> bytes:
    """One row a mouse, one column a weighing (g), as it stands in the animal room."""
    book = Workbook()
    sheet = book.active
    sheet.title = "Animals"
    days = [f"d{day}" for day in WEIGHING_DAYS]
    sheet.append(["Experiment", "Mouse", "Sex", "Born", "Strain", "Litter", "Cage", "Group", "Day 0", *days])
    for mouse in mice:
        weights: list[float | str | None] = [mouse.weights_g[day] for day in WEIGHING_DAYS]
        if mouse.lab_id == MISTYPED[0] and not is_corrected:
            place = WEIGHING_DAYS.index(MISTYPED[1])
            weights[place] = round(float(weights[place] or 0) * 10, 1)
        if mouse.died_on_day is not None:  # the word stands where the next weight would
            weights[weights.index(None)] = "humane endpoint"
        who = ["DEMO", mouse.lab_id, "F", BORN_ON, "C57BL/6J", mouse.litter, mouse.cage, mouse.arm.label, DAY_0]
        sheet.append([*who, *weights])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def tally_csv(mice: Sequence[Mouse]) -> bytes:
    """Follicles counted in every fifth section, a row a section and class."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["animal", "side", "section", "class", "count"])
    for mouse in mice:
        writer.writerows(
            [mouse.lab_id, side, section * EVERY_NTH, name, count] for side, section, name, count in mouse.tally
        )
    return text.getvalue().encode()


def specimen_code(mouse: Mouse, kit: Kit) -> str:
    return f"{mouse.lab_id}-d{kit.day}"


def plate_run(kit: Kit, mice: Sequence[Mouse], seed: int) -> PlateRun:
    """All living mice in duplicate over as many plates as they need, specimens in random order, standards on each."""
    rng = np.random.default_rng(seed)
    living = [mouse for mouse in mice if mouse.died_on_day is None]
    truth = {specimen_code(mouse, kit): getattr(mouse, _VALUE[kit.endpoint]) for mouse in living}
    codes = [list(truth)[index] for index in rng.permutation(len(truth))]
    blocks, layout = [], ["plate,well,role,sample,concentration,unit,dilution"]
    for start in range(0, len(codes), 38):
        name = f"Plate{start // 38 + 1}"
        wells = _wells(kit, codes[start : start + 38])
        layout += [f"{name},{well},{','.join(cells)}" for well, cells, _ in wells]
        effect = float(np.exp(rng.normal(0, 0.03)))
        blocks.append(_plate_block(name, kit, [(well, true) for well, _, true in wells], truth, effect, rng))
    return PlateRun(kit, _softmax_file(blocks), "\n".join(layout) + "\n", truth)


_VALUE = {"e2": "e2_pg_per_ml", "amh": "amh_ng_per_ml"}


def _wells(kit: Kit, codes: list[str]) -> list[tuple[str, list[str], str | float | None]]:
    """(well, layout cells, what is in it): standards and a blank in duplicate in columns 1 and 2, then specimens."""
    pairs: list[tuple[list[str], str | float | None]] = [
        (["standard", f"St{number}", str(concentration), kit.unit, "1"], concentration)
        for number, concentration in enumerate(kit.standards, start=1)
    ]
    pairs.append((["blank", "Blank", "", "", ""], None))
    pairs += [(["sample", code, "", "", f"{kit.dilution:g}"], code) for code in codes]
    placed = []
    for place, (cells, content) in enumerate(pairs):
        column, row = place // len(ROWS) * 2 + 1, place % len(ROWS)
        placed += [(f"{ROWS[row]}{column + copy}", cells, content) for copy in (0, 1)]
    return placed


BLANK_OD = 0.045


def _plate_block(
    name: str,
    kit: Kit,
    contents: list[tuple[str, str | float | None]],
    truth: dict[str, float],
    effect: float,
    rng: np.random.Generator,
) -> list[str]:
    od = {}
    for well, content in contents:
        concentration = truth[content] / kit.dilution if isinstance(content, str) else content
        signal = 0.0 if concentration is None else kit.od(concentration) * effect
        od[well] = BLANK_OD + signal * float(np.exp(rng.normal(0, 0.02)))
    head = ["Plate:", name, "1.3", "PlateFormat", "Endpoint", "Absorbance", "Raw", "FALSE", "1", "", "", "", "", ""]
    lines = ["\t".join([*head, "1", "450 ", "1", str(COLUMNS), "96", "1", str(len(ROWS))])]
    lines.append("\tTemperature(°C)\t" + "\t".join(str(column) for column in range(1, COLUMNS + 1)))
    for row in ROWS:
        cells = [f"{od[f'{row}{c}']:.4f}" if f"{row}{c}" in od else "" for c in range(1, COLUMNS + 1)]
        lines.append(("\t23.0\t" if row == "A" else "\t\t") + "\t".join(cells))
    return [*lines, "", "~End"]


def _softmax_file(blocks: list[list[str]]) -> bytes:
    lines = [f"##BLOCKS= {len(blocks)}", *(line for block in blocks for line in block)]
    lines.append("Original Filename: simulated; Date Last Saved: 3/30/2026 9:00:00 AM")
    return ("\r\n".join(lines) + "\r\n").encode("utf-16")
