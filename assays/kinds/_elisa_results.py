"""Curves, wells and samples of an ELISA from the corrected responses."""

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal

from assays.curves import FittedCurve, fit
from assays.kinds._elisa_input import WellInput
from assays.kinds._elisa_tables import CurveResult, Parameters, SampleResult, WellResult

# A number stands behind these flags, so a fit that is told to can use the well all the same.
_SOFT_FLAGS = ("masked", "out_of_range")

Curves = Mapping[str | None, CurveResult]


def curve_results(wells: Sequence[WellInput], parameters: Parameters) -> dict[str | None, CurveResult]:
    """One curve for the run (key None), or one a plate (key its name)."""
    per_plate = parameters.curve_scope == "plate"
    scopes: dict[str | None, list[WellInput]] = {}
    for well in wells:
        scope = scopes.setdefault(well.plate if per_plate else None, [])
        if _enters_fit(well, parameters):
            scope.append(well)
    return {plate: _curve(plate, standards, parameters) for plate, standards in scopes.items()}


def _enters_fit(well: WellInput, parameters: Parameters) -> bool:
    entry = well.entry
    if entry.role != "standard" or parameters.standard_group not in (None, entry.group):
        return False
    usable = parameters.masked_in_fit and all(flag in _SOFT_FLAGS for flag in well.flags)
    return well.response is not None and (not well.flags or usable)


def _curve(plate: str | None, standards: Sequence[WellInput], parameters: Parameters) -> CurveResult:
    points = [(float(w.entry.concentration), w.response) for w in standards if w.entry.concentration is not None]
    fitted = fit(
        parameters.curve_model, [x for x, _ in points], [y for _, y in points if y is not None], parameters.weighting
    )
    levels = sorted({x for x, _ in points if x > 0})
    unit = next((w.entry.unit for w in standards if w.entry.unit), parameters.unit)
    return CurveResult(plate, fitted, levels[0] if levels else None, levels[-1] if levels else None, unit)


def curve_for(plate: str, curves: Curves) -> CurveResult:
    """The curve that a well of this plate is read from."""
    return curves[plate] if plate in curves else curves[None]


def well_results(wells: Sequence[WellInput], curves: Curves, parameters: Parameters) -> tuple[WellResult, ...]:
    """Every well read from its curve."""
    return tuple(_well(well, curve_for(well.plate, curves), parameters) for well in wells)


def _well(well: WellInput, curve: CurveResult, parameters: Parameters) -> WellResult:
    entry, response = well.entry, well.response
    value, qualifier, error = None, None, None
    if response is not None and entry.role != "blank":
        value, qualifier = _read(response, curve)
        error = curve.fitted.standard_error(response)
    nominal = entry.concentration if entry.role in ("standard", "control") else None
    level = float(nominal or 0)
    recovery = 100 * value / level if value is not None and level else None
    used = _enters_fit(well, parameters) if entry.role == "standard" else well.sound
    return WellResult(
        well.plate, entry.well, entry.role, entry.sample, entry.group, well.raw, response, value, error, qualifier,
        nominal, recovery, entry.dilution_factor, used, well.flags,
    )  # fmt: skip


def _read(response: float, curve: CurveResult) -> tuple[float | None, str | None]:
    """Concentration, and on which side of the standards it lies."""
    found = curve.fitted.concentration(response)
    if found.flag == "no_solution" or curve.lower_limit is None or curve.upper_limit is None:
        return None, None
    if found.value is None:
        return None, "<" if found.flag == "below_curve" else ">"
    if found.value < curve.lower_limit:
        return found.value, "<"
    return found.value, ">" if found.value > curve.upper_limit else "="


def sample_results(wells: Sequence[WellResult], curves: Curves, parameters: Parameters) -> tuple[SampleResult, ...]:
    """Samples and controls, each at each of its dilutions."""
    groups: dict[tuple[str | None, str | None, str, Decimal], list[WellResult]] = {}
    for well in wells:
        if well.role in ("sample", "control"):
            plate = None if parameters.replicates_across_plates else well.plate
            groups.setdefault((plate, well.group, well.sample, well.dilution_factor), []).append(well)
    return tuple(_sample(members, curve_for(members[0].plate, curves), parameters) for members in groups.values())


def _sample(wells: Sequence[WellResult], curve: CurveResult, parameters: Parameters) -> SampleResult:
    first, factor = wells[0], wells[0].dilution_factor
    used = [well for well in wells if well.used and well.response is not None]
    response = math.fsum(w.response for w in used if w.response is not None) / len(used) if used else None
    flags = list(dict.fromkeys(flag for well in wells for flag in well.flags))
    value, qualifier = _decide(used, response, curve, flags)
    sd, cv = _scatter([w.concentration for w in used if w.concentration is not None], len(used))
    if cv is not None and cv > parameters.max_replicate_cv_percent:
        flags.append("high_cv")
    if not curve.fitted.ok:
        flags.append("curve_refused")
    error = curve.fitted.standard_error(response, len(used)) if response is not None and qualifier == "=" else None
    limit = {"<": curve.lower_limit, ">": curve.upper_limit}.get(qualifier or "")
    times = float(factor)
    return SampleResult(
        sample=first.sample, group=first.group, role=first.role,
        plates=tuple(dict.fromkeys(w.plate for w in wells)), wells=tuple((w.plate, w.well) for w in wells),
        n_used=len(used), mean_response=response, dilution_factor=factor,
        concentration=_times(value if qualifier == "=" else None, times), standard_error=_times(error, times),
        sd=_times(sd if qualifier == "=" else None, times), cv_percent=cv, qualifier=qualifier,
        limit=_times(limit, times), unit=curve.unit, flags=tuple(flags),
    )  # fmt: skip


def _decide(
    used: Sequence[WellResult], response: float | None, curve: CurveResult, flags: list[str]
) -> tuple[float | None, str | None]:
    """The mean of the wells where all lie within the standards, else what the mean response says; adds to `flags`."""
    if response is None:
        flags.append("no_usable_well")
        return _only_overflow(flags, curve)
    value, qualifier = _read(response, curve)
    sides = {well.qualifier for well in used}
    if sides == {"="}:
        value = math.fsum(w.concentration for w in used if w.concentration is not None) / len(used)
        qualifier = "="
    elif len(sides) > 1:
        flags.append("wells_outside_standards")
    if qualifier == ">":
        flags.append("re-dilute")
    return value, qualifier


def _only_overflow(flags: list[str], curve: CurveResult) -> tuple[float | None, str | None]:
    """Wells too dark for the reader lie above the standards of a rising curve; of a falling one, below them."""
    if "overflow" not in flags or not curve.fitted.ok or curve.upper_limit is None:
        return None, None
    if _rises(curve.fitted, curve.upper_limit):
        flags.append("re-dilute")
        return None, ">"
    return None, "<"


def _rises(fitted: FittedCurve, upper_limit: float) -> bool:
    return fitted.predict(upper_limit) > fitted.predict(0.0)


def _scatter(values: Sequence[float], used: int) -> tuple[float | None, float | None]:
    """SD and CV in percent of the wells' concentrations; None for fewer than two or where one cannot be read."""
    if len(values) < 2 or len(values) < used:
        return None, None
    mean = math.fsum(values) / len(values)
    sd = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))
    return sd, 100 * sd / mean if mean > 0 else None


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor
