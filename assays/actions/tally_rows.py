"""Rows of a tally run: the sheet of counts, its animals, and the estimate of every class."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError

from assays.actions.plate_rows import RESULT_NAMES, key_of
from assays.kinds.follicle_count import Tally as CountedTally
from assays.models import AssayRun, Tally
from experiments.models import Animal, Endpoint, Specimen
from experiments.sheets.files import read_workbook
from experiments.sheets.tallies import TallySheetTemplate, interpret_tallies
from experiments.sheets.workbook import WorkbookRefused
from labdb.base.bulk import bulk_insert

__all__ = ["RESULT_NAMES", "Sheet", "keep_tallies", "read_sheet", "result_rows", "subjects"]

COLUMNS = {"animal": "animal", "side": "side", "section": "section", "structure": "class", "count": "count"}
CLASSES = {
    "primordial": "primordial", "primary": "primary", "secondary": "secondary", "antral": "antral",
    "atretic": "atretic", "corpus luteum": "corpus_luteum", "corpora lutea": "corpus_luteum",
    "corpus_luteum": "corpus_luteum", "corpora_lutea": "corpus_luteum",
}  # fmt: skip
SIDES = {"L": "left", "R": "right"}
ENDPOINT_KEYS = {"corpus_luteum": "corpora_lutea"}  # every other class is follicles_<class>
TALLY_NAMES = ("run", "animal_name", "side", "section", "structure", "count", "source_line")

Subject = tuple[Specimen | None, Animal | None]


@dataclass(frozen=True, slots=True)
class Sheet:
    """The valid content of a sheet of counts, and what was read with a warning."""

    tallies: tuple[CountedTally, ...]
    warnings: tuple[str, ...]


def read_sheet(run: AssayRun) -> Sheet:
    """Read the columns animal, side, section, class and count. Raises ValidationError with every problem by cell."""
    try:
        workbook = read_workbook(run.source_file.read(), run.source_file.name)
    except WorkbookRefused as refused:
        raise ValidationError([str(problem) for problem in refused.problems]) from refused
    constants = {"experiment": run.experiment.code}
    template = TallySheetTemplate(name="counts", columns=COLUMNS, constants=constants, structures=CLASSES)
    reading = interpret_tallies(workbook, template)
    faults = [str(problem) for problem in reading.errors]
    if not reading.is_refused:
        faults += [fault for row in reading.source_rows for fault in _faults(reading.sheet, row)]
    if faults:
        raise ValidationError(faults)
    warnings = tuple(str(problem) for problem in reading.problems)
    return Sheet(tuple(_counted(row) for row in reading.tallies), warnings)


def _faults(sheet: str, row: Any) -> Iterator[str]:
    """What the sheet's reader lets pass and an estimate by ovary and section cannot do without."""
    section, side = (row.cells.get(COLUMNS[name], "") for name in ("section", "side"))
    if not section.isdecimal() or int(section) < 1:
        yield f"{sheet}, row {row.number} (section): “{section}” — expected a number from 1"
    if not side:
        yield f"{sheet}, row {row.number} (side): empty — expected left or right"


def _counted(row: Any) -> CountedTally:
    return CountedTally(row.animal, SIDES[row.side], int(row.section), row.structure, row.count, row.row)


def keep_tallies(run: AssayRun, tallies: Sequence[CountedTally]) -> None:
    """The counts as they stand in the sheet: written the first time."""
    if Tally.objects.filter(run=run).exists():
        return
    rows = [(run.pk, t.animal, t.side, t.section, t.follicle_class, t.count, t.line) for t in tallies]
    bulk_insert(Tally, TALLY_NAMES, rows)


def subjects(run: AssayRun, tallies: Sequence[CountedTally]) -> tuple[dict[str, Subject], list[str]]:
    """Whom each name of the sheet means, and a sentence for every name that means nobody certain.

    A name is a specimen code of the experiment; or the id of an enrolled animal, dated by its only tissue specimen or
    else by the run's timepoint.
    """
    names = dict.fromkeys(tally.animal for tally in tallies)
    specimens = list(Specimen.objects.filter(experiment=run.experiment_id).select_related("animal"))
    by_code = {specimen.code: specimen for specimen in specimens}
    enrolled = Animal.objects.filter(enrolments__experiment=run.experiment_id, lab_id__in=names)
    animals = {animal.lab_id: animal for animal in enrolled}
    found: dict[str, Subject] = {}
    unknown: list[str] = []
    for name in names:
        animal = animals.get(name)
        tissue = [s for s in specimens if animal and s.animal_id == animal.pk and s.matrix == "tissue"]
        if name in by_code:
            found[name] = (by_code[name], by_code[name].animal)
        elif animal is None:
            unknown.append(f"“{name}” is neither a specimen nor an enrolled animal; its counts cannot be published.")
        elif run.timepoint_id or len(tissue) == 1:
            found[name] = (None if run.timepoint_id else tissue[0], animal)
        else:
            unknown.append(f"“{name}” has {len(tissue)} tissue specimens; expected one, or a timepoint of the run.")
    return found, unknown


def result_rows(
    run: AssayRun, tallied: Any, tallies: Sequence[CountedTally], subjects: Mapping[str, Subject],
    excluded: Mapping[tuple, str],
) -> list[tuple]:  # fmt: skip
    """One row an animal and class, in the order of RESULT_NAMES."""
    endpoints = dict(Endpoint.objects.values_list("key", "pk"))
    lines: dict[tuple[str, str], list[int]] = {}
    for tally in tallies:
        lines.setdefault((tally.animal, tally.follicle_class), []).append(tally.line)
    rows = []
    for position, estimate in enumerate(tallied.animals):
        name = estimate.follicle_class
        endpoint = endpoints.get(ENDPOINT_KEYS.get(name, f"follicles_{name}"))
        specimen, animal = subjects.get(estimate.animal, (None, None))
        found = lines[estimate.animal, name]
        reason = excluded.get(key_of(estimate.animal, name, Decimal(1), endpoint), "")
        value = None if estimate.estimate is None else Decimal(estimate.estimate)
        rows.append((
            run.pk, position, endpoint, "sample", estimate.animal, name, specimen and specimen.pk, animal and animal.pk,
            _places(found), len(found), len(found), None, 1, "" if value is None else "=", value,
            None, "", None, None, None, " ".join(estimate.flags), bool(reason), reason,
        ))  # fmt: skip
    return rows


def _places(lines: Sequence[int], longest: int = 120) -> str:
    text = f"rows {','.join(map(str, lines))}"
    return text if len(text) <= longest else f"{len(lines)} rows from {min(lines)} to {max(lines)}"
