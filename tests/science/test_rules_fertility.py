"""The arithmetic of a fertility trial; not pregnant is 0 for fecundity and missing for litter size, unmated is neither."""

import datetime as dt
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.rules.fertility import Endpoints, Trial, broken_rules, endpoints
from experiments.rules.quantities import RuleError

PAIRED = dt.date(2024, 5, 1)


def codes(**fields) -> list[str]:
    return [finding.code for finding in broken_rules(Trial(**fields))]


def test_a_litter_gives_all_its_endpoints():
    trial = Trial(
        mated=True, plug=True, pregnant=True, corpora_lutea=10, implantations=8, live=6, dead=1, resorbed=1, males=4,
        females=3, total_born=7, paired_on=PAIRED, littered_on=dt.date(2024, 5, 22),
        pup_weights_g=(Decimal("1.2"), Decimal("1.5")),
    )  # fmt: skip
    found = endpoints(trial)
    assert (found.pregnancy, found.fecundity, found.litter_size) == (1, 7, 7)
    assert (found.implantations, found.live, found.time_to_litter_days) == (8, 6, 21)
    assert (found.preimplantation_loss_percent, found.postimplantation_loss_percent) == (20, 25)
    assert found.mean_pup_weight_g == Decimal("1.35")
    assert float(found.males_percent) == pytest.approx(400 / 7)


@pytest.mark.parametrize(
    ("fields", "pregnancy", "fecundity", "litter_size"),
    [
        ({"mated": True, "pregnant": False}, 0, 0, None),
        ({"mated": True, "pregnant": False, "total_born": 0}, 0, 0, None),
        ({"mated": False, "pregnant": False}, None, None, None),
        ({"mated": False}, None, None, None),
        ({"mated": True}, None, None, None),
        ({"mated": True, "pregnant": True}, 1, None, None),
        ({"pregnant": True, "total_born": 5}, 1, 5, 5),
        ({"pregnant": False}, None, None, None),
        ({"pregnant": False, "plug": True}, 0, 0, None),
        ({"mated": True, "males": 2, "females": 4}, 1, 6, 6),
        ({"mated": True, "littered_on": PAIRED, "live": 4, "dead": 1}, 1, 5, 5),
        ({"mated": True, "live": 4, "dead": 1}, 1, None, None),
        ({"mated": True, "pregnant": True, "total_born": 0}, 1, 0, 0),
    ],
)
def test_what_is_zero_and_what_is_missing(fields, pregnancy, fecundity, litter_size):
    found = endpoints(Trial(**fields))
    assert (found.pregnancy, found.fecundity, found.litter_size) == (pregnancy, fecundity, litter_size)


def test_nothing_recorded_gives_nothing():
    assert set(Endpoints.__slots__) == {n for n in Endpoints.__slots__ if getattr(endpoints(Trial()), n) is None}


counts = st.none() | st.integers(0, 12)


@settings(deadline=None)
@given(counts, counts, counts, counts, counts, counts, counts, counts)
def test_broken_rules_are_those_that_no_completion_could_mend(cl, sites, live, dead, resorbed, males, females, total):
    """Second computation: the missing counts filled in with every number that could satisfy the rules."""
    found = codes(
        corpora_lutea=cl, implantations=sites, live=live, dead=dead, resorbed=resorbed,
        males=males, females=females, total_born=total,
    )  # fmt: skip

    def fill(value, least=0):
        return range(least, 40) if value is None else (value,)

    assert ("implantations_over_corpora_lutea" in found) is (
        not any(a <= b for a, b in product((0,) if sites is None else (sites,), fill(cl)))
    )
    fates = sum(value or 0 for value in (live, dead, resorbed))
    assert ("fates_over_implantations" in found) is (not any(fates <= n for n in fill(sites)))
    mended = total is None or any(m + f == total for m, f in product(fill(males), fill(females)))
    assert ("sexes_not_total" in found) is (not mended)


def test_each_broken_rule_says_its_numbers():
    trial = Trial(corpora_lutea=5, implantations=6, live=5, dead=1, resorbed=1, males=3, females=3, total_born=5)
    assert [finding.message for finding in broken_rules(trial)] == [
        "Implantations 6 is more than corpora lutea 5.",
        "Live 5 + dead 1 + resorbed 1 = 7 is more than implantations 6.",
        "Males 3 + females 3 = 6, but total born is 5.",
    ]
    with pytest.raises(RuleError, match=r"more than corpora lutea 5\. Live 5"):
        endpoints(trial)


def test_records_that_contradict_themselves():
    assert codes(mated=False, plug=True) == ["plug_unmated"]
    assert codes(mated=False, pregnant=True) == ["pregnant_unmated"]
    assert codes(mated=False, total_born=3) == ["pregnant_unmated"]
    assert codes(pregnant=False, implantations=2) == ["not_pregnant_but_signs"]
    assert codes(pregnant=False, littered_on=PAIRED) == ["not_pregnant_but_signs"]
    assert codes(pregnant=False, implantations=0, total_born=0) == []
    assert codes(paired_on=PAIRED, littered_on=PAIRED) == ["litter_before_pairing"]
    assert codes(total_born=1, pup_weights_g=(Decimal(1), Decimal(1))) == ["more_weights_than_pups"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"live": -1}, "Live is -1; expected a whole number, 0 or more"),
        ({"corpora_lutea": 2.0}, "Corpora lutea is 2.0; expected a whole number"),
        ({"males": True}, "expected a whole number"),
        ({"pup_weights_g": (Decimal(1), Decimal("NaN"))}, "The weight of pup 2 in g is NaN"),
        ({"pup_weights_g": (Decimal(0),)}, "expected more than 0"),
    ],
)
def test_what_is_refused(fields, expected):
    with pytest.raises(RuleError, match=expected):
        Trial(**fields)
