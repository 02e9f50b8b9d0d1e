"""Rows of a plate run: wells and readings as read, and what the assay kind computed from them."""

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from assays.models import AssayRun, Curve, CurveParameter, Plate, Reading, Well, WellResult
from assays.readers import LayoutEntry, PlateFile
from assays.readers import Plate as ReadPlate
from experiments.models import Specimen
from experiments.units import convert, ratio
from labdb.base.bulk import bulk_insert

WELL_NAMES = (
    "id", "run", "plate", "name", "row", "column", "role", "sample", "group", "specimen", "nominal_concentration",
    "nominal_unit", "dilution_factor",
)  # fmt: skip
READING_NAMES = (
    "run", "well", "channel", "wavelength_nm", "is_reduced", "value", "flag", "printed", "source_line",
)  # fmt: skip
CURVE_NAMES = (
    "id", "run", "plate", "position", "model", "weighting", "verdict", "r_squared", "rss", "df", "n_points",
    "lower_limit", "upper_limit", "unit",
)  # fmt: skip
WELL_RESULT_NAMES = (
    "run", "well", "curve", "role", "sample", "group", "response", "nominal_concentration", "concentration",
    "standard_error", "recovery_percent", "qualifier", "is_used", "flags",
)  # fmt: skip
RESULT_NAMES = (
    "run", "position", "endpoint", "role", "sample", "group", "specimen", "animal", "places", "n_wells", "n_used",
    "mean_response", "dilution_factor", "qualifier", "value", "limit", "unit", "standard_error", "sd", "cv_percent",
    "flags", "is_excluded", "excluded_reason",
)  # fmt: skip

Wells = dict[tuple[str, str], Well]


def specimens_by_code(run: AssayRun) -> dict[str, Specimen]:
    """The specimens of the run's experiment by their exact code."""
    return {specimen.code: specimen for specimen in Specimen.objects.filter(experiment=run.experiment_id)}


def unknown_samples(samples: Iterable[Any], specimens: Mapping[str, Specimen]) -> list[str]:
    """A sentence for every sample whose name is no specimen code: nothing is guessed."""
    names = dict.fromkeys(s.sample for s in samples if s.role == "sample" and s.sample not in specimens)
    return [f"“{name}” is no specimen code of this experiment; its result cannot be published." for name in names]


def place_of(well: str) -> tuple[int, int]:
    """Row and column, from 1, of a well such as A1 or AB12."""
    letters, digits = re.fullmatch(r"([A-Z]+)(\d+)", well).groups()  # type: ignore[union-attr]
    row = 0
    for letter in letters:
        row = 26 * row + ord(letter) - 64
    return row, int(digits)


def keep_wells(
    run: AssayRun, file: PlateFile, layout: Sequence[LayoutEntry], specimens: Mapping[str, Specimen]
) -> Wells:
    """The wells by plate and name: written the first time, afterwards as they stand (their masks with them)."""
    known = list(Well.objects.filter(run=run).select_related("plate"))
    if known:
        _find_specimens(known, specimens)
        return {(well.plate.label, well.name): well for well in known}
    wells: Wells = {}
    for position, read_plate in enumerate(file.plates):
        plate = _keep_plate(run, position, read_plate)
        meanings = _meanings(read_plate, layout)
        made = [_well(run, plate, name, meanings.get(name), specimens) for name in _names(read_plate, meanings)]
        wells |= {(plate.label, well.name): well for well in made}
        _insert_wells(made)
        _insert_readings(run, read_plate, wells)
    return wells


def _find_specimens(wells: Sequence[Well], specimens: Mapping[str, Specimen]) -> None:
    """Specimens that were registered, or taken away, since."""
    changed = []
    for well in wells:
        specimen = specimens.get(well.sample) if well.role == "sample" else None
        if well.specimen_id != (specimen and specimen.pk):
            well.specimen = specimen
            changed.append(well)
    Well.objects.bulk_update(changed, ["specimen"])


def _keep_plate(run: AssayRun, position: int, read_plate: ReadPlate) -> Plate:
    plate = Plate(run=run, position=position, label=read_plate.label, rows=read_plate.rows, columns=read_plate.columns)
    plate.read_mode, plate.read_type, plate.unit = read_plate.read_mode, read_plate.read_type, read_plate.unit
    plate.temperature_c, plate.read_at = read_plate.temperature_c, read_plate.read_at or ""
    plate.source_line = read_plate.line
    plate.save()
    return plate


def _meanings(plate: ReadPlate, layout: Sequence[LayoutEntry]) -> dict[str, LayoutEntry]:
    """The first meaning of each well; a second one is in the results and in the remarks."""
    meanings: dict[str, LayoutEntry] = {}
    for entry in layout:
        if entry.plate in (None, plate.label):
            meanings.setdefault(entry.well, entry)
    return meanings


def _names(plate: ReadPlate, meanings: Mapping[str, LayoutEntry]) -> list[str]:
    names = dict.fromkeys([*(reading.well for reading in plate.readings), *meanings])
    return sorted(names, key=place_of)


def _well(run: AssayRun, plate: Plate, name: str, entry: LayoutEntry | None, specimens: Mapping[str, Specimen]) -> Well:
    row, column = place_of(name)
    well = Well(run=run, plate=plate, name=name, row=row, column=column, role="unused")
    if entry is not None:
        well.role, well.sample, well.group = entry.role, entry.sample, entry.group or ""
        well.nominal_concentration, well.nominal_unit = entry.concentration, entry.unit or ""
        well.dilution_factor = entry.dilution_factor
        well.specimen = specimens.get(entry.sample) if entry.role == "sample" else None
    return well


def _insert_wells(wells: Sequence[Well]) -> None:
    by_key = {"run": "run_id", "plate": "plate_id", "specimen": "specimen_id"}
    attributes = [by_key.get(name, name) for name in WELL_NAMES]
    bulk_insert(Well, WELL_NAMES, [tuple(getattr(well, name) for name in attributes) for well in wells])


def _insert_readings(run: AssayRun, plate: ReadPlate, wells: Wells) -> None:
    channels = {channel.key: channel for channel in plate.channels}
    rows = []
    for r in plate.readings:
        channel = channels[r.channel]
        well = wells[plate.label, r.well].pk
        place = (run.pk, well, channel.key, channel.wavelength_nm, channel.reduced)
        rows.append((*place, r.value, r.flag or "", r.text[:60], r.line))
    bulk_insert(Reading, READING_NAMES, rows)


def without_masked(plates: Sequence[ReadPlate], wells: Wells) -> list[ReadPlate]:
    """The plates without the numbers of wells that a person masked: they enter nothing, whatever the parameters."""
    masked = {place for place, well in wells.items() if well.is_masked}
    return [
        replace(
            plate,
            readings=tuple(
                replace(r, value=None, flag="masked") if (plate.label, r.well) in masked else r for r in plate.readings
            ),
        )
        for plate in plates
    ]


def write_computed(run: AssayRun, assayed: Any, wells: Wells) -> None:
    """The fitted curves with their parameters, and every well read from its curve."""
    plates = {well.plate.label: well.plate_id for well in wells.values()}
    keys: dict[str | None, uuid.UUID] = {}
    curves, parameters = [], []
    for position, curve in enumerate(assayed.curves):
        keys[curve.plate] = uuid.uuid4()
        plate = plates[curve.plate] if curve.plate is not None else None
        curves.append((keys[curve.plate], run.pk, plate, position, *_curve_values(curve)))
        parameters += [(run.pk, keys[curve.plate], *values) for values in _parameter_values(curve.fitted)]
    bulk_insert(Curve, CURVE_NAMES, curves)
    bulk_insert(CurveParameter, ("run", "curve", "position", "name", "estimate", "standard_error"), parameters)
    rows = [_well_result(run, wells, keys, well) for well in assayed.wells]
    bulk_insert(WellResult, WELL_RESULT_NAMES, rows)


def _curve_values(curve: Any) -> tuple:
    f = curve.fitted
    return (
        f.model.KEY, f.weighting, f.verdict, f.r_squared, f.rss, f.df, len(f.concentrations), curve.lower_limit,
        curve.upper_limit, curve.unit or "",
    )  # fmt: skip


def _parameter_values(fitted: Any) -> Iterable[tuple]:
    for position, (name, estimate) in enumerate(fitted.parameters.items()):
        yield position, name, estimate, fitted.standard_errors.get(name)


def _well_result(run: AssayRun, wells: Wells, curves: Mapping[str | None, uuid.UUID], w: Any) -> tuple:
    curve = curves[w.plate] if w.plate in curves else curves[None]
    return (
        run.pk, wells[w.plate, w.well].pk, curve, w.role, w.sample, w.group or "", w.response, w.nominal,
        w.concentration, w.standard_error, w.recovery_percent, w.qualifier or "", w.used, " ".join(w.flags),
    )  # fmt: skip


def key_of(sample: str, group: str, dilution: Decimal, endpoint: uuid.UUID | None) -> tuple:
    """What makes a result the same one when the run is quantified again."""
    return sample, group, Decimal(dilution).normalize(), endpoint


def result_rows(
    run: AssayRun, samples: Sequence[Any], specimens: Mapping[str, Specimen], excluded: Mapping[tuple, str]
) -> list[tuple]:
    """One row a sample or control at one dilution, in the order of RESULT_NAMES."""
    rows = []
    for position, s in enumerate(samples):
        specimen = specimens.get(s.sample) if s.role == "sample" else None
        subject = (specimen.pk, specimen.animal_id) if specimen else (None, None)
        qualifier, value, limit, flags = _limited(run, s)
        reason = excluded.get(key_of(s.sample, s.group or "", s.dilution_factor, run.endpoint_id), "")
        rows.append((
            run.pk, position, run.endpoint_id, s.role, s.sample, s.group or "", *subject, places(s.wells),
            len(s.wells), s.n_used, s.mean_response, s.dilution_factor, qualifier, value, limit, s.unit or "",
            s.standard_error, s.sd, s.cv_percent, " ".join(flags), bool(reason), reason,
        ))  # fmt: skip
    return rows


def _limited(run: AssayRun, s: Any) -> tuple[str, Decimal | None, Decimal | None, list[str]]:
    """Qualifier, value, limit and flags. The kit's own LLOQ holds where it lies above the lowest standard."""
    value, limit = (None if x is None else Decimal(repr(x)) for x in (s.concentration, s.limit))
    qualifier, flags = s.qualifier or "", list(s.flags)
    if run.kit_lloq is not None and s.unit and qualifier in ("=", "<"):
        analyte = run.endpoint.key if run.endpoint else None
        lloq = convert(run.kit_lloq, ratio(run.kit_lloq_unit, s.unit, analyte)) * s.dilution_factor
        number = value if qualifier == "=" else limit
        if number is not None and number < lloq:
            return "<", None, lloq, [*flags, "below_kit_lloq"]
    return qualifier, value, limit, flags


def places(wells: Sequence[tuple[str, str]], longest: int = 120) -> str:
    """``Plate1 A4,A5; Plate2 B1``, shortened to the first and last well and their number where that is too long."""
    by_plate: dict[str, list[str]] = {}
    for plate, well in wells:
        by_plate.setdefault(plate, []).append(well)
    text = "; ".join(f"{plate} {','.join(names)}" for plate, names in by_plate.items())
    if len(text) <= longest:
        return text
    (first, last), count = (wells[0], wells[-1]), f" ({len(wells)} wells)"
    return f"{first[0]} {first[1]} … {last[0]} {last[1]}"[: longest - len(count)] + count
