"""SoftMax Pro text exports (Molecular Devices): blocks `Plate:`, `Group:`, `Note:`, each closed by `~End`."""

import re
from dataclasses import dataclass, field, replace

from assays.readers._softmax_group import Group, parse_group
from assays.readers._softmax_plate import parse_plate
from assays.readers._tables import LayoutEntry, Note, Plate, PlateFile, PrintedResult, Problem, ReadError
from assays.readers._text import decode, split_lines

KEY = "softmax_pro"
LABEL = "SoftMax Pro text export (absorbance endpoint; starts with ##BLOCKS=)"

_HEADER = re.compile(r"##BLOCKS=\s*(\d+)\s*")
_START = re.compile(r"(Plate|Group|Note|Cuvette|Cuvettes|Plot|Graph):")


@dataclass(frozen=True, slots=True)
class Block:
    """One block of the file: its kind, and its lines with the number of the first one."""

    kind: str
    line: int
    lines: tuple[str, ...]


@dataclass(slots=True)
class _Collected:
    plates: list[Plate] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    warnings: list[Note] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def matches(data: bytes, filename: str) -> bool:
    """Whether the file starts with the mark of a SoftMax Pro export, in any of its encodings."""
    head = data[:400].replace(b"\x00", b"").lstrip(b"\xff\xfe\xef\xbb\xbf \r\n\t")
    return head.startswith(b"##BLOCKS")


def parse(data: bytes, filename: str) -> PlateFile:
    """Read plates, groups and notes. Raises ReadError with every problem of the file."""
    lines = split_lines(decode(data, filename))
    collected = _Collected()
    blocks = _split_blocks(lines, collected)
    for block in blocks:
        _parse_block(block, collected)
    if not collected.plates and not collected.problems:
        collected.problems.append(Problem("the file holds no plate", expected="at least one `Plate:` block"))
    layout, results = _attach(collected)
    if collected.problems:
        raise ReadError(filename, collected.problems)
    return PlateFile(
        format_key=KEY,
        filename=filename,
        software_version=None,
        plates=_with_group_flags(collected),
        layout=layout,
        printed_results=results,
        printed_curves=(),
        notes=tuple(collected.notes),
        warnings=tuple(collected.warnings),
    )


def _split_blocks(lines: list[str], collected: _Collected) -> list[Block]:
    blocks: list[Block] = []
    promised, start = 0, None
    for number, line in enumerate(lines, start=1):
        header, opening = _HEADER.fullmatch(line.strip()), _START.match(line)
        if start is not None:
            inside_note = lines[start - 1].startswith("Note:")
            if line.strip() == "~End":
                blocks.append(_block(lines, start, number))
                start = None
            elif opening and not inside_note:
                collected.problems.append(_unclosed(lines[start - 1], start))
                start = number
        elif header:
            promised += int(header[1])
        elif opening:
            start = number
        else:
            _note_outside(line, number, collected)
    if start is not None:
        collected.problems.append(_unclosed(lines[start - 1], start))
    if len(blocks) < promised and not collected.problems:
        message = f"the first line promises {promised} blocks, the file holds {len(blocks)}; is it complete?"
        collected.problems.append(Problem(message, line=1, value=lines[0]))
    elif len(blocks) > promised:
        collected.warnings.append(Note(1, f"{promised} blocks promised, {len(blocks)} found"))
    return blocks


def _block(lines: list[str], start: int, end: int) -> Block:
    kind = lines[start - 1].split(":", 1)[0]
    return Block(kind, start, tuple(lines[start - 1 : end - 1]))


def _unclosed(line: str, number: int) -> Problem:
    return Problem("the block is not closed; is the file complete?", line=number, value=line, expected="a line ~End")


def _note_outside(line: str, number: int, collected: _Collected) -> None:
    if line.startswith("Original Filename:"):
        collected.notes.append(Note(number, line.strip()))
    elif line.strip():
        collected.warnings.append(Note(number, f"line outside any block, not used: {line.strip()}"))


def _parse_block(block: Block, collected: _Collected) -> None:
    if block.kind == "Plate":
        plate, warnings = parse_plate(block.lines, block.line, collected.problems)
        collected.warnings.extend(warnings)
        if plate is not None:
            _add_plate(plate, collected)
    elif block.kind == "Group":
        group = parse_group(block.lines, block.line, collected.problems)
        if group is not None:
            collected.groups.append(group)
            collected.notes.extend(group.notes)
            collected.warnings.extend(group.warnings)
    elif block.kind == "Note":
        collected.notes.extend(Note(block.line + i, t.strip()) for i, t in enumerate(block.lines) if i and t.strip())
    else:
        message = f"{block.kind} blocks are not supported"
        collected.problems.append(
            Problem(message, line=block.line, value=block.lines[0], expected="Plate, Group, Note")
        )


def _add_plate(plate: Plate, collected: _Collected) -> None:
    if any(other.label == plate.label for other in collected.plates):
        message = "two plates carry one name, so their groups cannot be told apart"
        collected.problems.append(Problem(message, line=plate.line, value=plate.label, expected="unique plate names"))
    collected.plates.append(plate)


def _attach(collected: _Collected) -> tuple[tuple[LayoutEntry, ...], tuple[PrintedResult, ...]]:
    """Give every group row its plate: the one it names, or the only one of the file."""
    labels = {plate.label: plate for plate in collected.plates}
    only = collected.plates[0].label if len(collected.plates) == 1 else None
    layout: list[LayoutEntry] = []
    results: list[PrintedResult] = []
    for group in collected.groups:
        if only is None and any(entry.plate is None for entry in group.layout):
            text = f"group {group.name} names no plate and the file holds {len(labels)}: no layout taken from it"
            collected.warnings.append(Note(group.line, text))
        for entry in group.layout:
            label = entry.plate or only
            if label is not None and label not in labels:
                problem = Problem("the plate is not in this file", entry.line, value=label, expected=", ".join(labels))
                collected.problems.append(problem)
            elif label is not None:
                layout.append(replace(entry, plate=label))
        results.extend(replace(result, plate=result.plate or only) for result in group.results)
    return tuple(layout), tuple(results)


def _with_group_flags(collected: _Collected) -> tuple[Plate, ...]:
    """Masks stand only in the groups; the plate block still prints the number behind them."""
    flags = {(plate, well): flag for group in collected.groups for plate, well, flag in group.well_flags}
    only = collected.plates[0].label if len(collected.plates) == 1 else None
    plates = []
    for plate in collected.plates:
        readings = tuple(
            replace(r, flag=flags.get((plate.label, r.well)) or (flags.get((None, r.well)) if only else None) or r.flag)
            for r in plate.readings
        )
        plates.append(replace(plate, readings=readings))
    return tuple(plates)
