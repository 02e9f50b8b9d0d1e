"""Population doublings, doubling time, the rules of a line."""

import datetime as dt
import math
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.rules import expansion
from experiments.rules.expansion import Passage
from experiments.rules.quantities import RuleError

cells = st.integers(1, 10**10)
DAY = dt.date(2024, 3, 1)


@settings(deadline=None)
@given(cells, cells, st.floats(1, 1000))
def test_doublings_and_their_time_agree_with_the_formula_of_natural_logarithms(seeded, harvested, hours):
    doublings = expansion.population_doublings(seeded, harvested)
    assert seeded * 2**doublings == pytest.approx(harvested)
    time = expansion.doubling_time_h(hours, seeded, harvested)
    if harvested <= seeded:
        assert time is None
    elif harvested > seeded * 1.001:
        assert time == pytest.approx(hours * math.log(2) / math.log(harvested / seeded))


@settings(deadline=None)
@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=8))
def test_doublings_add_up_along_the_line(counts):
    line = [Passage(number=i, seeded_cells=n0, harvested_cells=nt) for i, (n0, nt) in enumerate(counts, 1)]
    product = math.prod(nt / n0 for n0, nt in counts)
    assert expansion.cumulative_doublings(line)[-1] == pytest.approx(math.log2(product), abs=1e-9)


def test_a_passage_without_counts_leaves_the_sum_open_from_there_on():
    line = [Passage(number=1, seeded_cells=1, harvested_cells=4), Passage(number=2)]
    line.append(Passage(number=3, seeded_cells=1, harvested_cells=2))
    assert expansion.cumulative_doublings(line) == [2, None, None]


def test_hours_are_those_between_two_days_or_two_instants():
    later = DAY + dt.timedelta(days=3)
    assert expansion.hours_in_culture(Passage(number=1, seeded=DAY, harvested=later)) == 72
    at = dt.datetime(2024, 3, 31, 0, 30, tzinfo=dt.UTC)
    instants = Passage(number=1, seeded=at, harvested=at + dt.timedelta(hours=50, minutes=30))
    assert expansion.hours_in_culture(instants) == 50.5
    assert expansion.hours_in_culture(Passage(number=1, seeded=DAY)) is None
    for mixed in (at, at.replace(tzinfo=None)):
        with pytest.raises(RuleError, match="P1: expected two dates, or two instants with a zone"):
            expansion.hours_in_culture(Passage(number=1, seeded=DAY, harvested=mixed))


GOOD = [
    Passage(number=1, seeded=DAY, harvested=DAY + dt.timedelta(3), seeded_cells=10, harvested_cells=200,
            viable_cells=190, viability_percent=Decimal("94.1")),
    Passage(number=2, seeded=DAY + dt.timedelta(3), harvested=DAY + dt.timedelta(6)),
]  # fmt: skip


def broken(**fields) -> list[str]:
    return [finding.code for finding in expansion.broken_rules([Passage(number=1, **fields)])]


def test_a_line_as_it_should_be_breaks_no_rule():
    assert expansion.broken_rules(GOOD) == []


def test_each_rule_is_broken_with_its_numbers():
    assert broken(seeded=DAY, harvested=DAY) == ["dates_increase"]
    assert broken(harvested_cells=10, viable_cells=11) == ["viable_over_total"]
    counts = {"harvested_cells": 200, "viable_cells": 190}
    assert broken(**counts, viability_percent=Decimal(96)) == []
    assert broken(**counts, viability_percent=Decimal("96.001")) == ["viability_off"]
    (found,) = expansion.broken_rules([Passage(number=4, **counts, viability_percent=Decimal("90.50"))])
    told = "P4 has a viability of 90.5 %, but its counts give 95.0 %; they agree within 1 point."
    assert found.message == told
    turned = [finding.code for finding in expansion.broken_rules(GOOD[::-1])]
    assert turned == ["passage_number", "dates_increase"]


def test_passages_above_8_are_warned_about():
    assert expansion.passage_warning(8) is None
    assert "P9" in expansion.passage_warning(9).message


def test_numbers_that_cannot_be_are_refused():
    for call in (
        lambda: expansion.population_doublings(0, 5),
        lambda: expansion.population_doublings(5, 0),
        lambda: expansion.population_doublings(1.5, 5),
        lambda: expansion.doubling_time_h(0, 1, 2),
        lambda: expansion.doubling_time_h(math.nan, 1, 2),
        lambda: broken(harvested_cells=10, viable_cells=5, viability_percent=Decimal("NaN")),
        lambda: broken(harvested_cells=-1, viable_cells=-2),
    ):
        with pytest.raises(RuleError, match="expected"):
            call()
