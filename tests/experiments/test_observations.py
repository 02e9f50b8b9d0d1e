"""Recording, refusing and correcting observations."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from experiments.actions.observations import NewObservation, correct_observation, record_observations
from experiments.models import Endpoint, Observation
from labdb.base.bulk import BulkRefused

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 9, 9, 30, tzinfo=UTC)


def new(animal, key="body_weight", number="21.4", **fields):
    endpoint = Endpoint.objects.get(key=key)
    return NewObservation(endpoint=endpoint.pk, animal=animal.pk, observed_at=AT, number=Decimal(number), **fields)


def test_values_are_kept_as_entered_and_stand_in_the_canonical_unit(experiment, animals, scientist):
    written = record_observations(
        experiment=experiment, observations=[new(animals[0], number="21400", unit="mg")], by=scientist
    )
    row = Observation.objects.get()
    assert written == 1
    assert (row.entered_value, row.entered_unit, row.value, row.unit) == (Decimal(21400), "mg", Decimal("21.4"), "g")


def test_every_refused_row_is_named_and_none_is_written(experiment, animals, scientist):
    day_7 = experiment.timepoints.get(study_day=7).pk
    rows = [
        new(animals[0], timepoint=day_7),
        new(animals[0], timepoint=day_7),  # the same again
        new(animals[1], qualifier="?"),
        new(animals[2], unit="mL"),
    ]
    with pytest.raises(BulkRefused) as refused:
        record_observations(experiment=experiment, observations=rows, by=scientist)
    assert [(p.row, p.field, p.value) for p in refused.value.problems] == [(3, "entered_unit", "mL")]
    with pytest.raises(BulkRefused) as refused:
        record_observations(experiment=experiment, observations=rows[:3], by=scientist)
    assert [(p.row, p.field) for p in refused.value.problems] == [(2, "qualifier")]
    with pytest.raises(BulkRefused) as refused:
        record_observations(experiment=experiment, observations=rows[:2], by=scientist)
    assert [p.row for p in refused.value.problems] == [0, 1]
    assert "already a current observation" in refused.value.problems[0].message
    assert not Observation.objects.exists()


def test_an_animal_that_is_not_enrolled_is_refused_with_its_row(experiment, animals, scientist):
    from experiments.models import Animal

    stranger = Animal(lab_id="X1", strain=animals[0].strain)
    stranger.save()
    with pytest.raises(BulkRefused) as refused:
        record_observations(experiment=experiment, observations=[new(animals[0]), new(stranger)], by=scientist)
    assert [(p.row, p.field, p.message) for p in refused.value.problems] == [
        (1, "animal", "The animal is not enrolled in this experiment.")
    ]


def test_a_value_is_not_told_of_another_animal_than_its_specimen(experiment, animals, scientist):
    from experiments.models import Enrolment, Experiment, Specimen

    def specimen(of: Experiment, animal) -> Specimen:
        made = Specimen(experiment=of, animal=animal, code=f"S-{animal}", collected_at=AT)
        made.save()
        return made

    other = Experiment(code="POI-2", title="another", masking="open_label")
    other.save()
    Enrolment(experiment=other, animal=animals[0]).save()
    own, neighbours, elsewhere = (
        specimen(experiment, animals[0]),
        specimen(experiment, animals[1]),
        specimen(other, animals[0]),
    )
    rows = [new(animals[0], specimen=each.pk) for each in (own, neighbours, elsewhere)]
    with pytest.raises(BulkRefused) as refused:
        record_observations(experiment=experiment, observations=rows, by=scientist)
    assert [(p.row, p.field, p.value) for p in refused.value.problems] == [
        (1, "specimen", neighbours.pk),
        (2, "specimen", elsewhere.pk),
    ]
    assert record_observations(experiment=experiment, observations=rows[:1], by=scientist) == 1


def test_only_members_record(experiment, animals, django_user_model):
    stranger = django_user_model.objects.create_user("stranger")
    with pytest.raises(PermissionDenied):
        record_observations(experiment=experiment, observations=[new(animals[0])], by=stranger)


def test_a_correction_supersedes_with_a_reason(experiment, animals, scientist):
    record_observations(experiment=experiment, observations=[new(animals[0], number="214")], by=scientist)
    wrong = Observation.objects.get()
    with pytest.raises(ValidationError, match="reason"):
        correct_observation(observation=wrong, reason=" ", number=Decimal("21.4"), by=scientist)
    right = correct_observation(observation=wrong, reason="decimal point missed", number=Decimal("21.4"), by=scientist)
    assert right.supersedes == wrong
    assert list(Observation.objects.filter(is_current=True)) == [right]
    with pytest.raises(ValidationError, match="already corrected"):
        correct_observation(observation=wrong, reason="again", number=Decimal(20), by=scientist)


def test_no_digit_is_lost_in_another_unit(experiment, animals, scientist):
    digits, in_g = "20.00000000000000000000000000000000001", "0.02000000000000000000000000000000000001"
    record_observations(experiment=experiment, observations=[new(animals[0], number=digits, unit="mg")], by=scientist)
    assert Observation.objects.get().value == Decimal(in_g)
    with pytest.raises(BulkRefused, match="finite"):
        record_observations(
            experiment=experiment, observations=[new(animals[1], number="9e999999", unit="kg")], by=scientist
        )


def test_a_hormone_in_molar_units_stands_in_its_canonical_unit(experiment, animals, scientist):
    rows = [
        new(animals[0], "e2", "367.1", unit="pmol/L"),
        new(animals[1], "e2", "36.71", unit="pmol/L", qualifier="<"),
        new(animals[2], "progesterone", "31.8", unit="nmol/l"),
    ]
    record_observations(experiment=experiment, observations=rows, by=scientist)
    value, below, progesterone = (Observation.objects.get(pk=row.id) for row in rows)
    assert (value.value, value.unit, value.entered_value, value.entered_unit) == (
        100,
        "pg/mL",
        Decimal("367.1"),
        "pmol/L",
    )
    assert (below.value, below.limit, below.qualifier) == (None, 10, "<")
    assert (progesterone.value, progesterone.unit) == (10, "ng/mL")
    right = correct_observation(
        observation=value, number=Decimal("734.2"), unit="pmol/L", reason="misread", by=scientist
    )
    assert (right.value, right.entered_value, right.entered_unit) == (200, Decimal("734.2"), "pmol/L")
    fsh = [new(animals[0], "fsh", "5", unit="mIU/mL"), new(animals[1], "fsh", "5", unit="pmol/L")]
    with pytest.raises(BulkRefused) as refused:
        record_observations(experiment=experiment, observations=fsh, by=scientist)
    assert [(p.row, p.field) for p in refused.value.problems] == [(0, "entered_unit"), (1, "entered_unit")]
    assert "No molar mass of “fsh”" in refused.value.problems[1].message


def test_an_endpoint_of_the_laboratory_stays_its_own_when_the_program_takes_up_its_key():
    from django.apps import apps

    from experiments.endpoints import BUILT_IN, write_endpoints

    built_in = {endpoint.key: endpoint for endpoint in BUILT_IN}
    assert len(built_in) == len(BUILT_IN)
    assert {e.key for e in Endpoint.objects.filter(is_built_in=True)} == built_in.keys()
    for endpoint in Endpoint.objects.all():
        endpoint.clean_fields()
    Endpoint.objects.filter(key="ovary_weight").update(is_built_in=False, unit="g")
    Endpoint.objects.filter(key="uterus_weight").update(unit="g")
    write_endpoints(BUILT_IN, apps=apps, using="default")
    units = dict(Endpoint.objects.values_list("key", "unit"))
    assert (units["ovary_weight"], units["uterus_weight"]) == ("g", "mg")


def test_another_litter_or_cage_makes_the_summaries_stale(experiment, animals):
    from datetime import date

    from experiments.models import Cage, DataChange, Housing, Litter

    litter, cage = Litter(experiment=experiment, code="L1"), Cage(experiment=experiment, label="C1")
    litter.save()
    cage.save()
    DataChange.objects.all().delete()
    animals[0].litter = litter
    animals[0].save()
    assert DataChange.objects.filter(experiment=experiment).count() == 1
    DataChange.objects.all().delete()
    Housing(animal=animals[0], cage=cage, started_on=date(2026, 3, 1)).save()
    assert DataChange.objects.filter(experiment=experiment).count() == 1
