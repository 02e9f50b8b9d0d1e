"""ELISA: absorbance of a plate, read as a concentration from the plate's own standards."""

from collections.abc import Iterator, Sequence

from assays.curves import MODELS
from assays.kinds._elisa_input import layout_of, measured_channel, readings_of, reference_channel, well_inputs
from assays.kinds._elisa_results import curve_results, sample_results, well_results
from assays.kinds._elisa_tables import AssayResult, CurveResult, Parameters, SampleResult, WellResult
from assays.kinds._problems import ParameterError, Problem
from assays.readers import LayoutEntry, Plate

KEY = "elisa"
LABEL = "ELISA"
INPUT = "plate"
QUANTITY = "concentration"
UNITS = ("pg/mL", "ng/mL", "µg/mL", "mIU/mL")

__all__ = ["AssayResult", "CurveResult", "Parameters", "SampleResult", "WellResult", "check", "quantify"]


def check(plates: Sequence[Plate], layout: Sequence[LayoutEntry], parameters: Parameters) -> list[Problem]:
    """Everything wrong or remarkable about the input of one run, at once."""
    problems = list(_check_plates(plates, layout, parameters))
    problems += _check_layout(plates, layout)
    problems += _check_standards(plates, layout, parameters)
    return problems


def quantify(plates: Sequence[Plate], layout: Sequence[LayoutEntry], parameters: Parameters) -> AssayResult:
    """Read every sample's concentration from the standard curve, dilution applied once.

    Raises ParameterError with the blocking problems of `check`. A curve that is refused does not raise: its verdict
    says why, and its samples carry no concentration and the flag "curve_refused".
    """
    problems = check(plates, layout, parameters)
    blocking = [problem for problem in problems if problem.blocking]
    if blocking:
        raise ParameterError(blocking)
    inputs = well_inputs(plates, layout, parameters)
    curves = curve_results(inputs, parameters)
    wells = well_results(inputs, curves, parameters)
    samples = sample_results(wells, curves, parameters)
    return AssayResult(tuple(curves.values()), wells, samples, tuple(p for p in problems if not p.blocking))


def _check_plates(plates: Sequence[Plate], layout: Sequence[LayoutEntry], parameters: Parameters) -> Iterator[Problem]:
    if not plates:
        yield Problem("no plate", expected="at least one plate")
    for plate in plates:
        measured, reference = measured_channel(plate, parameters), reference_channel(plate, parameters)
        if isinstance(measured, Problem):
            yield measured
        else:
            yield from _check_wells(plate, layout, readings_of(plate, measured))
        if isinstance(reference, Problem):
            yield reference
        has_blank = any(entry.role == "blank" for entry in layout_of(plate, layout))
        if parameters.blank == "subtract_mean" and not has_blank:
            yield Problem("no blank on the plate, so none is subtracted", blocking=False, plate=plate.label)


def _check_wells(plate: Plate, layout: Sequence[LayoutEntry], readings: dict) -> Iterator[Problem]:
    lines: dict[str, int] = {}
    for entry in layout_of(plate, layout):
        if entry.well in lines:
            message = f"the well has two meanings (the other on line {lines[entry.well]})"
            yield Problem(message, False, plate.label, entry.well, entry.line)
        lines.setdefault(entry.well, entry.line)
        if entry.well not in readings:
            yield Problem("the well was not read", False, plate.label, entry.well, entry.line)
    unused = [well for well in readings if well not in lines]
    if unused and lines:
        yield Problem("wells with a reading and no meaning", False, plate.label, value=", ".join(unused))


def _check_layout(plates: Sequence[Plate], layout: Sequence[LayoutEntry]) -> Iterator[Problem]:
    labels = [plate.label for plate in plates]
    if not layout:
        yield Problem("no layout", expected="a layout in the reader's file or as CSV")
    for entry in layout:
        if entry.plate is not None and entry.plate not in labels:
            yield Problem("no such plate", True, None, entry.well, entry.line, entry.plate, ", ".join(labels))
    for label in {label for label in labels if labels.count(label) > 1}:
        yield Problem("two plates carry one name", plate=label)
    if layout and not any(entry.role in ("sample", "control") for entry in layout):
        yield Problem("the layout holds no sample", blocking=False)


def _check_standards(
    plates: Sequence[Plate], layout: Sequence[LayoutEntry], parameters: Parameters
) -> Iterator[Problem]:
    standards = [e for e in layout if e.role == "standard" and parameters.standard_group in (None, e.group)]
    for entry in standards:
        if entry.concentration is None:
            message = "the standard has no concentration"
            yield Problem(message, True, entry.plate, entry.well, entry.line, expected="a layout with concentrations")
    groups = sorted({entry.group or "" for entry in standards})
    if len(groups) > 1:
        expected = "standard_group in the parameters"
        yield Problem("several groups of standards", value=", ".join(groups), expected=expected)
    units = {entry.unit for entry in standards if entry.unit}
    if len(units) > 1 or (units and parameters.unit and units != {parameters.unit}):
        found = ", ".join(sorted(units))
        yield Problem("the standards' units differ", value=found, expected=parameters.unit or "one unit")
    if not units and not parameters.unit:
        yield Problem("the unit of the standards is not known", blocking=False, expected="unit in the parameters")
    yield from _check_levels(plates, standards, parameters)


def _check_levels(
    plates: Sequence[Plate], standards: Sequence[LayoutEntry], parameters: Parameters
) -> Iterator[Problem]:
    needed = len(MODELS[parameters.curve_model].PARAMETERS)
    scopes: list[tuple[str | None, list[LayoutEntry]]] = [(None, list(standards))]
    if parameters.curve_scope == "plate":
        scopes = [(plate.label, list(layout_of(plate, standards))) for plate in plates]
    for label, entries in scopes:
        levels = {entry.concentration for entry in entries if entry.concentration is not None}
        if len(levels) < needed:
            expected = f"at least {needed} for {parameters.curve_model}"
            yield Problem("too few standards", plate=label, value=f"{len(levels)} concentrations", expected=expected)
