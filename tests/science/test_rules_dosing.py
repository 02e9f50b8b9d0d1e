"""Doses: exact volumes rounded half up to the syringe's step, deviations, limits, cells, endotoxin."""

import math
from decimal import ROUND_HALF_UP, Context, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.rules import dosing
from experiments.rules.dosing import VolumeLimits, volume_findings
from experiments.rules.quantities import RuleError

D = Decimal


def amounts(low: str, high: str, places: int = 3):
    return st.decimals(D(low), D(high), places=places)


@settings(deadline=None)
@given(amounts("0.5", "300"), amounts("10", "500", 1), amounts("0.5", "50"), st.sampled_from(["0.01", "0.005", "0.05"]))
def test_a_planned_volume_is_what_a_second_computation_gives(mg_per_kg, weight_g, mg_per_ml, step):
    exact = Context(prec=50).divide(mg_per_kg * weight_g, 1000 * mg_per_ml)
    steps = Context(prec=50).divide(exact, D(step)).quantize(D(1), rounding=ROUND_HALF_UP)
    asked = {"mg_per_kg": mg_per_kg, "weight_g": weight_g, "mg_per_ml": mg_per_ml, "step_ml": D(step)}
    if not steps:
        with pytest.raises(RuleError, match="the syringe measures steps of"):
            dosing.planned_volume(**asked)
        return
    planned = dosing.planned_volume(**asked)
    assert planned.ml == steps * D(step)
    assert planned.mg == mg_per_kg * weight_g / 1000
    assert planned.mg_in_ml == planned.ml * mg_per_ml
    assert float(planned.ml_per_kg) == pytest.approx(float(planned.ml) / float(weight_g) * 1000)
    assert abs(planned.ml - planned.exact_ml) <= D(step) / 2


def test_the_middle_of_a_step_is_rounded_up():
    """120 mg/kg, 20.5 g, 10 mg/mL: 0.246 mL; 0.245 mL is the middle between 0.24 and 0.25 mL."""
    volume = {"mg_per_kg": D(100), "mg_per_ml": D(10)}
    assert dosing.planned_volume(weight_g=D("24.5"), **volume).ml == D("0.25")
    assert dosing.planned_volume(weight_g=D("24.49"), **volume).ml == D("0.24")
    assert dosing.planned_volume(weight_g=D("25.5"), **volume).ml == D("0.26")  # half to even would say so too
    assert dosing.planned_volume(mg_per_kg=D(120), weight_g=D("20.5"), mg_per_ml=D(10)).mg == D("2.46")


@settings(deadline=None)
@given(amounts("0.01", "5"), amounts("0", "5"))
def test_more_than_five_percent_is_a_deviation(planned, actual):
    finding = dosing.deviation_finding(planned_ml=planned, actual_ml=actual)
    assert (finding is not None) == (abs(actual - planned) * 20 > planned)
    back = dosing.deviation_percent(planned=planned, actual=actual)
    assert float(planned * (1 + back / 100)) == pytest.approx(float(actual), abs=1e-12)


def test_a_deviation_says_its_numbers():
    finding = dosing.deviation_finding(planned_ml=D("0.20"), actual_ml=D("0.22"))
    assert finding.message == "0.22 mL was given and 0.2 mL planned: +10.00 % where ± 5 % is allowed."
    assert dosing.deviation_finding(planned_ml=D("0.20"), actual_ml=D("0.21")) is None


@pytest.mark.parametrize(
    ("drug", "low", "high"),
    [
        ("cyclophosphamide", "1", "300"),
        ("busulfan", "1", "50"),
        ("cisplatin", "0.5", "10"),
        ("doxorubicin", "0.5", "15"),
    ],
)
def test_limits_of_drugs_in_mice_include_their_ends(drug, low, high):
    for amount, refused in ((low, False), (high, False), (D(low) - D("0.001"), True), (D(high) + D("0.001"), True)):
        sentence = dosing.drug_dose_refusal(species="mouse", drug=drug, mg_per_kg=D(amount))
        assert (sentence is not None) is refused
        assert not refused or f"{low} to {high} mg/kg" in sentence


def test_limits_are_those_of_the_species_and_may_be_the_laboratorys_own():
    assert dosing.drug_dose_refusal(species="rat", drug="busulfan", mg_per_kg=D(900)) is None
    own = {("rat", "paclitaxel"): dosing.Range(D(1), D(8))}
    sentence = dosing.drug_dose_refusal(species="rat", drug="paclitaxel", mg_per_kg=D("8.50"), limits=own)
    assert sentence == "Paclitaxel 8.5 mg/kg is outside the limits of one dose for a rat: 1 to 8 mg/kg."


@settings(deadline=None)
@given(st.integers(0, 10**9), amounts("0", "100", 2))
def test_viable_cells_are_whole(total, percent):
    viable = dosing.viable_cells_available(total_cells=total, viability_percent=percent)
    assert viable <= total * percent / 100 < viable + 1


@settings(deadline=None)
@given(st.integers(10_000, 10**7), amounts("100000", "100000000", 0), amounts("1", "100", 1))
def test_the_volume_holds_the_viable_cells_within_half_a_step(wanted, cells_per_ml, percent):
    needed = 100 * wanted / float(cells_per_ml) / float(percent)
    if needed < 0.0049:
        return
    try:
        ml = dosing.volume_for_viable_cells_ml(
            viable_cells=wanted, cells_per_ml=cells_per_ml, viability_percent=percent
        )
    except RuleError:
        assert needed < 0.0051
    else:
        assert abs(float(ml) - needed) <= 0.005 + 1e-9 * needed
        assert ml % D("0.01") == 0


def test_cells_per_kg():
    assert dosing.per_kg(D(1_000_000), D(20)) == 50_000_000
    assert math.isclose(dosing.per_kg(D(1), D(3)), 1000 / 3)


def codes(**injection) -> list[str]:
    return [finding.code for finding in volume_findings(**injection)]


def test_volumes_and_cells_are_warned_about_above_their_limits_only():
    g = D(20)
    assert codes(route="iv", volume_ml=D("0.20"), weight_g=g, viable_cells=2_000_000) == []
    assert codes(route="iv", volume_ml=D("0.201"), weight_g=g) == ["iv_volume_large"]
    assert codes(route="iv", volume_ml=D("0.1"), weight_g=g, viable_cells=2_000_001) == ["iv_cells_many"]
    assert codes(route="ip", volume_ml=D("0.4"), weight_g=g, viable_cells=9_000_000) == []
    assert codes(route="ip", volume_ml=D("0.41"), weight_g=g) == ["ip_volume_large"]
    assert codes(route="intraovarian", volume_ml=D("0.020"), weight_g=g, ovaries=2) == []
    assert codes(route="intraovarian", volume_ml=D("0.020")) == ["ovary_volume_large"]
    assert codes(route="im", volume_ml=D(5), weight_g=g) == []
    rat = dosing.VOLUME_LIMITS["rat"]
    assert codes(route="iv", volume_ml=D(1), weight_g=D(200), viable_cells=10**7, limits=rat) == []
    assert codes(route="iv", volume_ml=D(1), weight_g=g, limits=VolumeLimits(iv_ml_per_kg=None)) == []


def test_warnings_give_the_numbers():
    volume, cells = volume_findings(route="iv", volume_ml=D("0.3"), weight_g=D(25), viable_cells=3_000_000)
    assert volume.message == "0.3 mL IV in 25 g is 12.00 mL/kg; more than 10 mL/kg is warned about."
    assert cells.message == "3,000,000 cells IV; more than 2,000,000 are warned about."


def test_endotoxin_up_to_the_limit_is_allowed():
    """0.125 EU for a mouse of 25 g."""
    dose = {"volume_ml": D("0.25"), "weight_g": D(25)}
    assert dosing.endotoxin_refusal(eu_per_ml=D("0.5"), **dose) is None
    told = dosing.endotoxin_refusal(eu_per_ml=D("0.6"), **dose)
    assert told == "0.25 mL with 0.6 EU/mL are 6.00 EU/kg for 25 g; the limit is 5 EU/kg."


GOOD = {"mg_per_kg": D(100), "weight_g": D(20), "mg_per_ml": D(10), "step_ml": D("0.01")}


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("bad", [D("NaN"), D("sNaN"), D("Infinity"), D(0), D(-1), 0.1, True, "1"])
def test_numbers_that_cannot_be_are_refused(name, bad):
    with pytest.raises(RuleError, match="expected"):
        dosing.planned_volume(**GOOD | {name: bad})


def test_what_cannot_be_measured_or_is_dead_is_refused():
    with pytest.raises(RuleError, match=r"needs 0.00200 mL; the syringe measures steps of 0.01 mL"):
        dosing.planned_volume(**GOOD | {"mg_per_kg": D(1)})
    with pytest.raises(RuleError, match="no volume holds viable cells"):
        dosing.volume_for_viable_cells_ml(viable_cells=1, cells_per_ml=D(10), viability_percent=D(0))
    with pytest.raises(RuleError, match="The viability is 101 %; expected 0 to 100 %"):
        dosing.viable_cells_available(total_cells=1, viability_percent=D(101))
