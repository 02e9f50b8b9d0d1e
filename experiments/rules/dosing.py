"""Doses: what to draw up for an animal, how far an injection was off, and what is too much.

A function whose name ends in `_refusal` gives the sentence with which a plan is refused, or None; an act that was done
is recorded all the same, with that sentence. `volume_findings` only warns. Every argument is an exact number in the unit
that its name ends in. Raises RuleError for NaN, an infinity, and numbers that cannot be (a weight of 0 g).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import floor

from experiments.rules.quantities import (
    EXACT,
    Finding,
    RuleError,
    as_decimal,
    count,
    finite,
    not_negative,
    percentage,
    plain,
    positive,
    short,
)

SYRINGE_STEP_ML = Decimal("0.01")
LARGEST_DEVIATION_PERCENT = Decimal(5)
ENDOTOXIN_LIMIT_EU_PER_KG = Decimal(5)  # USP <85>: K for parenteral routes but the intrathecal, EU/kg in an hour


@dataclass(frozen=True, slots=True)
class Range:
    """Lowest and highest amount of a dose that a plan may hold, both included, in mg/kg."""

    lowest: Decimal
    highest: Decimal


DrugLimits = Mapping[tuple[str, str], Range]  # by (species, drug)
DRUG_LIMITS_MG_PER_KG: DrugLimits = {
    ("mouse", "cyclophosphamide"): Range(Decimal(1), Decimal(300)),
    ("mouse", "busulfan"): Range(Decimal(1), Decimal(50)),
    ("mouse", "cisplatin"): Range(Decimal("0.5"), Decimal(10)),
    ("mouse", "doxorubicin"): Range(Decimal("0.5"), Decimal(15)),
}


@dataclass(frozen=True, slots=True)
class VolumeLimits:
    """Above these an injection is warned about; None is no limit. Defaults are those of a mouse."""

    iv_ml_per_kg: Decimal | None = Decimal(10)
    ip_ml_per_kg: Decimal | None = Decimal(20)
    ul_per_ovary: Decimal | None = Decimal(10)
    iv_cells: int | None = 2_000_000


VOLUME_LIMITS: Mapping[str, VolumeLimits] = {
    "mouse": VolumeLimits(),
    "rat": VolumeLimits(iv_cells=None),
    "rabbit": VolumeLimits(iv_cells=None),
}


@dataclass(frozen=True, slots=True)
class PlannedVolume:
    """`mg` is the dose for this weight; `ml` what the syringe is filled to and `mg_in_ml` what that holds."""

    mg: Decimal
    exact_ml: Decimal
    ml: Decimal
    mg_in_ml: Decimal
    ml_per_kg: Decimal


def planned_volume(
    *, mg_per_kg: Decimal, weight_g: Decimal, mg_per_ml: Decimal, step_ml: Decimal = SYRINGE_STEP_ML
) -> PlannedVolume:
    """mL = mg/kg · g / 1000 / (mg/mL), rounded half up to the syringe's step.

    Raises RuleError where that is less than half a step, which the syringe cannot measure.
    """
    mg_per_kg, mg_per_ml = positive("The dose in mg/kg", mg_per_kg), positive("The concentration in mg/mL", mg_per_ml)
    weight_g, step_ml = positive("The weight in g", weight_g), positive("The step in mL", step_ml)
    mg = Fraction(mg_per_kg) * Fraction(weight_g) / 1000
    ml = to_step(mg / Fraction(mg_per_ml), step_ml)
    if not ml:
        needed = short(mg / Fraction(mg_per_ml), 5)
        raise RuleError(f"The dose needs {needed} mL; the syringe measures steps of {plain(step_ml)} mL.")
    return PlannedVolume(
        mg=as_decimal(mg),
        exact_ml=as_decimal(mg / Fraction(mg_per_ml)),
        ml=ml,
        mg_in_ml=EXACT.multiply(ml, mg_per_ml),
        ml_per_kg=per_kg(ml, weight_g),
    )


def to_step(exact: Fraction, step: Decimal) -> Decimal:
    """The multiple of `step` nearest to a number that is not negative; the middle is rounded up."""
    return EXACT.multiply(Decimal(floor(exact / Fraction(step) + Fraction(1, 2))), step)


def per_kg(amount: Decimal, weight_g: Decimal) -> Decimal:
    """An amount (mL, cells, EU, mg) for each kg of body weight."""
    weight_g = positive("The weight in g", weight_g)
    return as_decimal(Fraction(not_negative("The amount", amount)) * 1000 / Fraction(weight_g))


def deviation_percent(*, planned: Decimal, actual: Decimal) -> Decimal:
    """100 · (actual - planned) / planned; negative where less was given."""
    planned, actual = positive("The planned amount", planned), not_negative("The actual amount", actual)
    return as_decimal((Fraction(actual) - Fraction(planned)) * 100 / Fraction(planned))


def deviation_finding(
    *, planned_ml: Decimal, actual_ml: Decimal, largest_percent: Decimal = LARGEST_DEVIATION_PERCENT
) -> Finding | None:
    """Where the volume given is off by more than `largest_percent` of the planned one: a deviation, with its numbers."""
    off = deviation_percent(planned=planned_ml, actual=actual_ml)
    if abs(off) <= not_negative("The largest deviation in %", largest_percent):
        return None
    given = f"{plain(actual_ml)} mL was given and {plain(planned_ml)} mL planned"
    return Finding("volume_deviates", f"{given}: {off:+.2f} % where ± {plain(largest_percent)} % is allowed.")


def drug_dose_refusal(
    *, species: str, drug: str, mg_per_kg: Decimal, limits: DrugLimits = DRUG_LIMITS_MG_PER_KG
) -> str | None:
    """The sentence that refuses a plan outside the limits of the species; None within them or where none are given."""
    mg_per_kg, limit = positive("The dose in mg/kg", mg_per_kg), limits.get((species, drug))
    if limit is None or limit.lowest <= mg_per_kg <= limit.highest:
        return None
    allowed = f"{plain(limit.lowest)} to {plain(limit.highest)} mg/kg"
    return f"{drug.capitalize()} {plain(mg_per_kg)} mg/kg is outside the limits of one dose for a {species}: {allowed}."


def viable_cells_available(*, total_cells: int, viability_percent: Decimal) -> int:
    """Viable cells in a vial: total × viability, rounded down to whole cells."""
    viability_percent = percentage("The viability", viability_percent)
    return floor(count("The cells in the vial", total_cells) * Fraction(viability_percent) / 100)


def volume_for_viable_cells_ml(
    *, viable_cells: int, cells_per_ml: Decimal, viability_percent: Decimal, step_ml: Decimal = SYRINGE_STEP_ML
) -> Decimal:
    """mL of a suspension (cells/mL counted with the dead ones) that hold so many viable cells, to the syringe's step.

    Raises RuleError where nothing is viable and where the volume is less than half a step.
    """
    cells_per_ml = positive("The concentration in cells/mL", cells_per_ml)
    viability_percent = percentage("The viability", viability_percent)
    if not viability_percent:
        raise RuleError("The viability is 0 %; no volume holds viable cells.")
    wanted = count("The number of viable cells", viable_cells, 1)
    exact = wanted * 100 / (Fraction(cells_per_ml) * Fraction(viability_percent))
    if ml := to_step(exact, positive("The step in mL", step_ml)):
        return ml
    raise RuleError(f"The dose needs {short(exact, 5)} mL; the syringe measures steps of {plain(step_ml)} mL.")


def volume_findings(
    *,
    route: str,
    volume_ml: Decimal,
    weight_g: Decimal | None = None,
    viable_cells: int | None = None,
    ovaries: int = 1,
    limits: VolumeLimits = VOLUME_LIMITS["mouse"],
) -> list[Finding]:
    """Warnings about one injection by route ("iv", "ip", "intraovarian"; others have no limit), with the numbers.

    `volume_ml` is the whole volume; given into 2 `ovaries`, half of it reaches each. A limit per kg is not looked at
    where the weight is unknown.
    """
    volume_ml = not_negative("The volume in mL", volume_ml)
    found: list[Finding | None] = []
    if weight_g is not None:
        found.append(_over_per_kg(route, volume_ml, weight_g, limits))
    if route == "intraovarian":
        found.append(_over_an_ovary(volume_ml, count("The number of ovaries", ovaries, 1), limits))
    if route == "iv" and viable_cells is not None:
        found.append(_over_iv_cells(count("The number of cells", viable_cells), limits))
    return [finding for finding in found if finding]


def _over_per_kg(route: str, volume_ml: Decimal, weight_g: Decimal, limits: VolumeLimits) -> Finding | None:
    most = {"iv": limits.iv_ml_per_kg, "ip": limits.ip_ml_per_kg}.get(route)
    given = per_kg(volume_ml, weight_g)
    if most is None or given <= most:
        return None
    told = f"{plain(volume_ml)} mL {route.upper()} in {plain(weight_g)} g is {short(given, 2)} mL/kg"
    return Finding(f"{route}_volume_large", f"{told}; more than {plain(most)} mL/kg is warned about.")


def _over_an_ovary(volume_ml: Decimal, ovaries: int, limits: VolumeLimits) -> Finding | None:
    each, most = as_decimal(Fraction(volume_ml) * 1000 / ovaries), limits.ul_per_ovary
    if most is None or each <= most:
        return None
    told = f"{short(each, 2)} µL an ovary; more than {plain(most)} µL is warned about."
    return Finding("ovary_volume_large", told)


def _over_iv_cells(viable_cells: int, limits: VolumeLimits) -> Finding | None:
    most = limits.iv_cells
    if most is None or viable_cells <= most:
        return None
    return Finding("iv_cells_many", f"{viable_cells:,} cells IV; more than {most:,} are warned about.")


def endotoxin_refusal(
    *,
    eu_per_ml: Decimal,
    volume_ml: Decimal,
    weight_g: Decimal,
    limit_eu_per_kg: Decimal = ENDOTOXIN_LIMIT_EU_PER_KG,
) -> str | None:
    """The sentence where a volume carries more endotoxin than the limit in EU/kg (0.125 EU for a 25 g mouse)."""
    eu_per_ml = not_negative("The endotoxin in EU/mL", eu_per_ml)
    eu = EXACT.multiply(eu_per_ml, not_negative("The volume in mL", volume_ml))
    weight_g = positive("The weight in g", weight_g)
    if Fraction(eu) * 1000 <= Fraction(finite("The limit in EU/kg", limit_eu_per_kg)) * Fraction(weight_g):
        return None
    told = f"{plain(volume_ml)} mL with {plain(eu_per_ml)} EU/mL are {short(per_kg(eu, weight_g), 2)} EU/kg"
    return f"{told} for {plain(weight_g)} g; the limit is {plain(limit_eu_per_kg)} EU/kg."
