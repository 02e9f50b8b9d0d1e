"""What may be deleted at the admin, and how numbers are told there."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.urls import reverse

from experiments.actions import jobs
from experiments.actions.observations import NewObservation, record_observations
from experiments.actions.summaries import request_summary
from experiments.admin.numbers import told_decimal
from experiments.models import Animal, Arm, Endpoint, Experiment, Observation, Strain, Timepoint
from tests.doors.browser_forms import shown_form

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(client, scientist):
    client.force_login(scientist)
    return client


def is_offered(asked, row) -> bool:
    """Whether the row's form leads to its deletion; the address itself answers alike."""
    name = f"admin:experiments_{row._meta.model_name}"
    url = reverse(f"{name}_delete", args=[row.pk])
    offered = url in asked.get(reverse(f"{name}_change", args=[row.pk])).content.decode()
    assert (asked.get(url).status_code == 200) == offered
    return offered


def test_an_experiment_and_what_is_referred_to_are_not_deleted(asked, experiment, animals):
    assert not is_offered(asked, experiment)
    assert not is_offered(asked, animals[0])
    assert not is_offered(asked, animals[0].strain)
    for row in (experiment, animals[0], animals[0].strain):
        url = reverse(f"admin:experiments_{row._meta.model_name}_delete", args=[row.pk])
        assert asked.post(url, {"post": "yes"}).status_code == 403
        assert type(row).objects.filter(pk=row.pk).exists()


def test_a_draft_is_deleted(asked, experiment, animals):
    strain = Strain(name="mistyped")
    strain.save()
    assert is_offered(asked, strain)
    url = reverse("admin:experiments_strain_delete", args=[strain.pk])
    asked.post(url, {"post": "yes"})
    assert Strain.objects.filter(pk=strain.pk).exists()  # without what the page says it was made from
    asked.post(url, shown_form(asked.get(url)) | {"reason_for_change": "mistyped"})
    assert not Strain.objects.filter(pk=strain.pk).exists()
    assert Animal.objects.count() == len(animals)


@pytest.mark.parametrize(("status", "expected"), [("planned", True), ("running", False)])
def test_the_plan_changes_until_the_experiment_begins(status, expected, asked, experiment):
    Experiment.objects.filter(pk=experiment.pk).update(status=status)
    arm = Arm(experiment=experiment, label="mistyped", kind="vehicle", position=9)
    arm.save()
    day = Timepoint(experiment=experiment, label="mistyped", study_day=99)
    day.save()
    assert [is_offered(asked, arm), is_offered(asked, day)] == [expected, expected]
    form = asked.get(reverse("admin:experiments_experiment_change", args=[experiment.pk])).content
    assert (b"-DELETE" in form) == expected


@pytest.mark.parametrize(
    ("entered", "told"),
    [("16.90", "16.90"), ("42.78012373054847", "42.78"), ("0.00123456", "0.001235"), ("1234567", "1234567")],
)
def test_long_numbers_are_rounded_to_four_digits(entered, told):
    assert told_decimal(Decimal(entered)) == told


def observed(experiment, animals, scientist, endpoint: str, values: list[str]) -> None:
    found, day = Endpoint.objects.get(key=endpoint), experiment.timepoints.get(study_day=7)
    at = datetime(2026, 3, 9, 9, 30, tzinfo=UTC)
    new = [
        NewObservation(
            endpoint=found.pk,
            animal=animal.pk,
            timepoint=day.pk,
            observed_at=at,
            qualifier="<" if value.startswith("<") else "=",
            number=Decimal(value.removeprefix("<")),
        )
        for animal, value in zip(animals, values, strict=True)
    ]
    record_observations(experiment=experiment, observations=new, by=scientist)


def test_lists_round_and_the_rows_own_page_does_not(asked, experiment, animals, scientist):
    observed(experiment, animals, scientist, "e2", ["42.78012373054847"] * len(animals))
    row = Observation.objects.filter(animal=animals[0]).get()
    for url in (
        reverse("admin:experiments_observation_changelist"),
        reverse("admin:experiments_animal_page", args=[animals[0].pk]),
    ):
        page = asked.get(url).content.decode()
        assert ">42.78 pg/mL<" in page
        assert 'title="42.78012373054847 pg/mL"' in page
    own = asked.get(reverse("admin:experiments_observation_change", args=[row.pk])).content
    assert b"42.78012373054847 pg/mL" in own


def test_the_experiments_page_tells_censored_values_on_their_scale(asked, experiment, animals, scientist):
    Experiment.objects.filter(pk=experiment.pk).update(masking="open_label")
    values = [f"{20 + i}.5" for i in range(len(animals))]
    values[0] = "<10"
    observed(experiment, animals, scientist, "e2", values)
    jobs.run(request_summary(experiment=experiment, by=scientist).pk)
    page = asked.get(reverse("admin:experiments_experiment_page", args=[experiment.pk])).content.decode()
    assert "Geometric mean [95 % CI]" in page
    assert "1 &lt;" in page
    assert "† Maximum likelihood of a lognormal" in page
