"""Summaries: right numbers, computed only where something changed, blinded where the experiment is."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from django.db import connection
from scipy import stats

from experiments.actions.jobs import Progress, request_job
from experiments.actions.observations import NewObservation, correct_observation, record_observations
from experiments.actions.summaries import SUMMARISE, is_stale, summarise
from experiments.models import Arm, DataChange, Endpoint, Estimate, Observation, OutcomeSummary
from tests.conftest import set_masking

pytestmark = pytest.mark.django_db
WEIGHTS_G = ["21.4", "24.9", "20.35", "23.0", "22.125", "26.2"]  # animals alternate between PBS and MSC
E2_PG_ML = ["4.5", "9.1", "3.9", "12.4", "6.2", "8.8"]


def new(experiment, animal, key, number, day=7, qualifier="=", **fields):
    at = datetime(2026, 3, 2, 9, 30, tzinfo=UTC) + timedelta(days=day)
    return NewObservation(
        endpoint=Endpoint.objects.get(key=key).pk,
        animal=animal.pk,
        observed_at=at,
        timepoint=experiment.timepoints.get(study_day=day).pk,
        number=Decimal(number),
        qualifier=qualifier,
        **fields,
    )


def run_summary(experiment):
    return summarise(request_job(kind=SUMMARISE, subject_id=experiment.pk, experiment=experiment), Progress())


@pytest.fixture
def measured(experiment, animals, scientist):
    rows = [new(experiment, a, "body_weight", w) for a, w in zip(animals, WEIGHTS_G, strict=True)]
    rows += [new(experiment, a, "e2", v) for a, v in zip(animals, E2_PG_ML, strict=True)]
    record_observations(experiment=experiment, observations=rows, by=scientist)
    return experiment


def current(experiment, key):
    return OutcomeSummary.objects.get(experiment=experiment, endpoint__key=key, is_current=True)


def estimate(experiment, key, quantity, arm=None, reference=None):
    rows = current(experiment, key).estimates.filter(quantity=quantity)
    rows = rows.filter(arm__label=arm) if arm else rows.filter(arm=None)
    return rows.get(reference_arm__label=reference) if reference else rows.get(reference_arm=None)


def test_the_numbers_of_an_arm_are_those_of_its_animals(measured):
    assert run_summary(measured) == {"endpoints": 2, "computed": 2, "unchanged": 0}
    pbs = np.array([float(w) for w in WEIGHTS_G[0::2]])
    mean = estimate(measured, "body_weight", "mean", "POI + PBS")
    low, high = stats.t.interval(0.95, 2, pbs.mean(), stats.sem(pbs))
    assert (mean.estimate, mean.lower, mean.upper) == pytest.approx((pbs.mean(), low, high), rel=1e-13)
    assert mean.n_by_arm == {"POI + PBS": 3}
    sd = estimate(measured, "body_weight", "sd", "POI + PBS")
    assert sd.estimate == pytest.approx(pbs.std(ddof=1), rel=1e-13)
    assert mean.summary.methods["description"] == mean.method_version


def test_arms_are_compared_on_the_scale_of_the_endpoint(measured):
    run_summary(measured)
    pbs, msc = (np.log([float(v) for v in E2_PG_ML[start::2]]) for start in (0, 1))
    assert current(measured, "e2").scale == "log"
    middle = estimate(measured, "e2", "geometric_mean", "POI + MSC")
    assert middle.estimate == pytest.approx(np.exp(msc.mean()), rel=1e-13)
    g = estimate(measured, "e2", "hedges_g", "POI + MSC", "POI + PBS")
    pooled = np.sqrt((pbs.var(ddof=1) + msc.var(ddof=1)) / 2)
    correction = 0.7978845608028654  # gamma(2) / (sqrt(2) gamma(3/2)) for 4 degrees of freedom
    assert g.estimate == pytest.approx(correction * (msc.mean() - pbs.mean()) / pooled, rel=1e-12)
    welch = estimate(measured, "e2", "welch_anova")
    t = stats.ttest_ind(pbs, msc, equal_var=False)
    assert (welch.statistic, welch.df2, welch.p_value) == pytest.approx((t.statistic**2, t.df, t.pvalue), rel=1e-11)


def test_unchanged_data_cost_nothing_and_write_nothing(measured):
    run_summary(measured)
    before = set(OutcomeSummary.objects.values_list("pk", "computed_at")), Estimate.objects.count()
    assert not is_stale(measured)
    assert run_summary(measured) == {"endpoints": 2, "computed": 0, "unchanged": 2}
    assert (set(OutcomeSummary.objects.values_list("pk", "computed_at")), Estimate.objects.count()) == before


def by_verb(experiment, animals, scientist):
    wrong = Observation.objects.get(animal=animals[0], endpoint__key="e2", is_current=True)
    correct_observation(observation=wrong, reason="read again", number=Decimal("5.5"), by=scientist)


def by_sql(experiment, animals, scientist):
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE experiments_observation SET value = 5.5 WHERE animal_id = %s AND endpoint_id ="
            " (SELECT id FROM experiments_endpoint WHERE key = 'e2')",
            [animals[0].pk],
        )


def by_bulk(experiment, animals, scientist):
    rows = [new(experiment, animal, "e2", "7.5", day=14) for animal in animals]
    record_observations(experiment=experiment, observations=rows, by=scientist)


@pytest.mark.parametrize("change", [by_verb, by_sql, by_bulk])
def test_a_change_by_any_way_recomputes_its_endpoint_alone(measured, animals, scientist, change):
    run_summary(measured)
    earlier, kept = current(measured, "e2"), current(measured, "body_weight")
    change(measured, animals, scientist)
    assert is_stale(measured)
    assert run_summary(measured) == {"endpoints": 2, "computed": 1, "unchanged": 1}
    assert not is_stale(measured)
    assert current(measured, "e2").pk != earlier.pk
    assert current(measured, "body_weight").pk == kept.pk
    earlier.refresh_from_db()
    assert (earlier.is_current, earlier.estimates.exists()) == (False, True)


def test_another_allocation_recomputes_every_endpoint(measured, animals):
    run_summary(measured)
    allocation = measured.allocations.get(enrolment__animal=animals[0])
    allocation.arm = Arm.objects.get(experiment=measured, label="POI + MSC")
    allocation.save()
    assert is_stale(measured)
    assert run_summary(measured)["computed"] == 2
    assert estimate(measured, "e2", "n", "POI + MSC").estimate == 4


def test_an_endpoint_that_has_no_more_values_has_no_current_summary(measured):
    run_summary(measured)
    Observation.objects.filter(endpoint__key="e2").update(is_current=False)
    assert run_summary(measured) == {"endpoints": 1, "computed": 0, "unchanged": 1}
    assert not OutcomeSummary.objects.filter(endpoint__key="e2", is_current=True).exists()


def test_another_scale_of_the_endpoint_recomputes_it(measured):
    run_summary(measured)
    Endpoint.objects.filter(key="body_weight").update(default_scale="log")
    assert is_stale(measured)
    assert run_summary(measured)["computed"] == 1
    assert current(measured, "body_weight").scale == "log"


def test_values_below_the_limit_are_counted_and_no_mean_is_made_of_them(measured, animals, scientist):
    below = Observation.objects.get(animal=animals[0], endpoint__key="e2")
    correct_observation(observation=below, reason="below LLOQ", number=Decimal(4), qualifier="<", by=scientist)
    run_summary(measured)
    assert estimate(measured, "e2", "n_below_limit", "POI + PBS").estimate == 1
    assert estimate(measured, "e2", "n", "POI + PBS").estimate == 2
    refused = estimate(measured, "e2", "geometric_mean", "POI + PBS")
    assert (refused.estimate, refused.refused) == (
        None, "1 of 3 values below the lower limit of quantification in arm POI + PBS",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("values", "counted"),
    [
        ([("=", "20"), ("=", "23")], {"n": 1, "n_below_limit": 0, "mean": 21.5}),
        ([("=", "20"), ("<", "10")], {"n": 0, "n_below_limit": 1}),
        ([("=", "20"), (">", "50")], {"n": 0, "n_above_limit": 1}),
    ],
)
def test_specimens_of_one_animal_are_one_unit(experiment, animals, scientist, values, counted):
    """A unit of which one value is only a bound is itself only bounded."""
    from experiments.models import Specimen

    rows = []
    for code, (qualifier, number) in enumerate(values):
        specimen = Specimen(
            experiment=experiment, animal=animals[0], code=str(code), collected_at=datetime(2026, 3, 9, tzinfo=UTC)
        )
        specimen.save()
        rows.append(new(experiment, animals[0], "body_weight", number, qualifier=qualifier, specimen=specimen.pk))
    record_observations(experiment=experiment, observations=rows, by=scientist)
    run_summary(experiment)
    for quantity, expected in counted.items():
        assert estimate(experiment, "body_weight", quantity, "POI + PBS").estimate == expected


def test_animals_of_a_cage_are_one_unit_where_the_cage_is_the_unit(experiment, animals, scientist):
    from experiments.models import Cage, Housing

    cages = [Cage(experiment=experiment, label=label) for label in "ABCD"]
    for cage in cages:
        cage.save()
    for animal, cage in zip(animals, [0, 1, 0, 1, 2, 3], strict=True):
        Housing(animal=animal, cage=cages[cage], started_on=date(2026, 3, 1)).save()
    experiment.experimental_unit = "cage"
    experiment.save()
    rows = [new(experiment, a, "body_weight", w) for a, w in zip(animals, WEIGHTS_G, strict=True)]
    record_observations(experiment=experiment, observations=rows, by=scientist)
    run_summary(experiment)
    mean = estimate(experiment, "body_weight", "mean", "POI + PBS")
    assert mean.n_by_arm == {"POI + PBS": 2}
    assert mean.estimate == pytest.approx(((21.4 + 20.35) / 2 + 22.125) / 2, rel=1e-13)


def test_while_blinded_only_pooled_counts_are_computed(measured):
    run_summary(measured)
    set_masking(measured, "blinded")
    assert is_stale(measured)
    assert run_summary(measured)["computed"] == 2
    rows = Estimate.objects.filter(summary__experiment=measured, summary__is_current=True)
    assert {(e.quantity, e.arm_id, e.reference_arm_id) for e in rows} == {
        ("n", None, None), ("n_below_limit", None, None), ("n_above_limit", None, None),
    }  # fmt: skip
    assert {tuple(e.n_by_arm) for e in rows} == {("all arms",)}
    assert {e.estimate for e in rows if e.quantity == "n"} == {6}
    set_masking(measured, "open_label")
    assert run_summary(measured)["computed"] == 2
    assert estimate(measured, "e2", "hedges_g", "POI + MSC", "POI + PBS").estimate


def test_an_arm_called_as_the_pool_gets_no_number_while_blinded(measured):
    Arm.objects.filter(experiment=measured, label="POI + MSC").update(label="all arms")
    set_masking(measured, "blinded")
    run_summary(measured)
    assert not Estimate.objects.filter(arm__isnull=False).exists()


def test_while_blinded_another_allocation_changes_no_digest(measured, animals):
    """The digest a blinded reader sees tells nothing of the allocation."""
    set_masking(measured, "blinded")
    run_summary(measured)
    allocation = measured.allocations.get(enrolment__animal=animals[0])
    allocation.arm = Arm.objects.get(experiment=measured, label="POI + MSC")
    allocation.save()
    assert run_summary(measured)["computed"] == 0


def test_leading_digits_cost_none_behind_them(experiment, animals, scientist):
    """Thirteen equal leading digits (as NIST SmLs09): a float of the raw value would keep none of the spread."""
    exact = [Decimal("1000000000000") + Decimal(number) for number in ("0.4", "0.1", "0.3", "0.2", "0.5", "0.3")]
    rows = [new(experiment, a, "body_weight", v) for a, v in zip(animals, exact, strict=True)]
    record_observations(experiment=experiment, observations=rows, by=scientist)
    run_summary(experiment)
    assert estimate(experiment, "body_weight", "sd", "POI + PBS").estimate == pytest.approx(0.1, rel=1e-13)


def test_a_summary_of_nothing_is_empty(experiment):
    assert run_summary(experiment) == {"endpoints": 0, "computed": 0, "unchanged": 0}
    assert not DataChange.objects.filter(experiment=experiment).exists()
