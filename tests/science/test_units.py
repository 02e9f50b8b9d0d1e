"""Units: exact within a quantity, by the analyte's molar mass between mass and amount, refused everywhere else."""

from decimal import Decimal
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.units import FACTORS, MASS, MOLAR, PMOL_PER_NG, UnitError, convert, factor, quantity, ratio, spelled

RELATIVE = Decimal("1e-12")
NUMBERS = st.decimals(min_value="1e-9", max_value="1e12", allow_nan=False, allow_infinity=False)
ANALYTES = st.sampled_from([None, "fsh", *PMOL_PER_NG])


def units_of(analyte: str | None):
    joined = [[*FACTORS[MASS], *FACTORS[MOLAR]]] if analyte in PMOL_PER_NG else []
    return st.sampled_from([list(units) for units in FACTORS.values()] + joined)


@pytest.mark.parametrize(
    ("value", "unit", "canonical", "analyte", "expected"),
    [
        ("100", "pg/mL", "pmol/L", "e2", "367.1"),
        ("367.1", "pmol/L", "pg/mL", "e2", "100"),
        ("0.1", "ng/mL", "nmol/L", "e2", "0.3671"),
        ("10", "ng/mL", "nmol/L", "progesterone", "31.8"),
        ("1", "ng/mL", "pmol/L", "amh", "7.14"),
        ("7.14", "pmol/L", "ng/mL", "amh", "1"),
        ("2", "ng/mL", "nmol/L", "testosterone", "6.934"),
        ("1.5", "10^6 cells", "cells", None, "1500000"),
        ("3e10", "particles", "10^9 particles", None, "30"),
        ("250", "µL", "mL", None, "0.25"),
        ("2", "weeks", "days", None, "14"),
        ("5", "mIU/mL", "IU/L", None, "5"),
        ("3.2", "x10^6 cells/mL", "cells/mL", None, "3200000"),
    ],
)
def test_known_conversions(value, unit, canonical, analyte, expected) -> None:
    assert convert(Decimal(value), ratio(unit, canonical, analyte)) == Decimal(expected)


def test_the_factors_are_the_reciprocals_of_the_molar_masses() -> None:
    """g/mol of C18H24O2, C21H30O2, C19H28O2 and of the AMH dimer: the conventional factors agree within 0.1 %."""
    masses = {"e2": 272.38, "progesterone": 314.46, "testosterone": 288.42, "amh": 140_000}
    assert masses.keys() == PMOL_PER_NG.keys()
    for analyte, grams in masses.items():
        assert float(PMOL_PER_NG[analyte]) == pytest.approx(1e6 / grams, rel=1e-3)


@given(st.data(), ANALYTES, NUMBERS)
def test_there_and_back_and_round_about_agree(data, analyte, number) -> None:
    units = data.draw(units_of(analyte))
    one, two, three = (data.draw(st.sampled_from(units)) for _ in range(3))
    there = convert(number, ratio(one, two, analyte))
    assert abs(convert(there, ratio(two, one, analyte)) - number) <= RELATIVE * number
    assert abs(factor(one, two, analyte) * factor(two, one, analyte) - 1) <= RELATIVE
    direct, chain = convert(number, ratio(one, three, analyte)), convert(there, ratio(two, three, analyte))
    assert abs(direct - chain) <= RELATIVE * direct
    assert len(direct.as_tuple().digits) <= 34 + len(number.as_tuple().digits)


def test_quantities_share_no_unit_and_never_convert_into_each_other() -> None:
    for (one, here), (two, there) in combinations(FACTORS.items(), 2):
        assert here.keys().isdisjoint(there), (one, two)
        with pytest.raises(UnitError):
            factor(next(iter(here)), next(iter(there)))


@pytest.mark.parametrize("analyte", [None, "fsh", "e2", "amh"])
@pytest.mark.parametrize("unit", ["mIU/mL", "IU/L"])
@pytest.mark.parametrize("canonical", ["ng/mL", "pmol/L"])
def test_activity_is_never_a_mass_or_an_amount(analyte, unit, canonical) -> None:
    with pytest.raises(UnitError, match="cannot be converted"):
        factor(unit, canonical, analyte)


def test_a_molar_unit_without_known_molar_mass_is_refused_by_name() -> None:
    with pytest.raises(UnitError, match="No molar mass of “fsh”"):
        factor("pmol/L", "ng/mL", "fsh")
    with pytest.raises(UnitError, match=r"expected .*pg/mL.*pmol/L"):
        factor("mg", "pg/mL", "e2")


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("ug/ml", "µg/mL"), ("μg", "µg"), ("ng/ML", "ng/mL"), ("ul", "µL"), ("l", "L"), ("mmol/l", "mmol/L"),
        ("umol/l", "µmol/L"), ("x10⁶ cells/ml", "10^6 cells/mL"), ("1e6 cells", "10^6 cells"),
        ("million cells", "10^6 cells"), ("× 10^10 particles / mL", "10^10 particles/mL"), ("day", "days"),
        ("uIU/mL", "µIU/mL"), ("nM", "nmol/L"), ("score", "score"), ("", ""), ("um", "µm"),
    ],
)  # fmt: skip
def test_spellings(text, unit) -> None:
    assert spelled(text) == unit
    assert spelled(unit) == unit


def test_every_unit_is_its_own_spelling() -> None:
    for name, units in FACTORS.items():
        for unit in units:
            assert (spelled(unit), quantity(unit)) == (unit, name)
