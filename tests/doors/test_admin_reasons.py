"""The admin asks why a recorded value changes: in the form, on deleting, in a verb's dialog; and the trail keeps it."""

from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from experiments.models import Cage, Housing, Strain
from labdb.base.trail.models import TrailEntry, TrailStatement
from tests.doors.browser_forms import shown_form

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(client, scientist, settings):
    settings.LABDB_REASON_GRACE_MINUTES = 0
    client.force_login(scientist)
    return client


def url_of(row, view: str) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{view}", args=[row.pk])


def last_reason(row) -> str:
    entries = TrailEntry.objects.filter(table_name=row._meta.db_table, row_id=str(row.pk))
    return entries.order_by("-id").first().statement.reason


def test_a_recorded_value_changes_with_a_reason_only(asked, animals):
    url = url_of(animals[0], "change")
    data = shown_form(asked.get(url)) | {"born_on": "2026-01-06"}
    refused = asked.post(url, data)
    assert refused.status_code == 200
    assert "born on" in str(refused.context["reason"].errors)
    assert refused.context["adminform"].form.non_field_errors() == []
    assert 'value="2026-01-06"' in refused.content.decode()  # what was entered is still there
    animals[0].refresh_from_db()
    assert animals[0].born_on == date(2026, 1, 5)

    accepted = asked.post(url, shown_form(refused) | {"reason_for_change": "misread on the card"})
    assert accepted.status_code == 302
    animals[0].refresh_from_db()
    assert animals[0].born_on == date(2026, 1, 6)
    assert last_reason(animals[0]) == "misread on the card"


def test_nothing_is_asked_where_nothing_recorded_changes(asked, animals):
    url = url_of(animals[0], "change")
    before = TrailEntry.objects.count()
    assert asked.post(url, shown_form(asked.get(url))).status_code == 302
    assert not TrailEntry.objects.filter(table_name="experiments_animal").order_by("-id")[0].old
    Strain.objects.filter(pk=animals[0].strain_id).update(rrid="")
    strain = url_of(animals[0].strain, "change")
    assert asked.post(strain, shown_form(asked.get(strain)) | {"rrid": "IMSR_JAX:000664"}).status_code == 302
    assert TrailEntry.objects.count() > before


def test_the_form_says_beforehand_that_it_will_ask(asked, animals):
    page = asked.get(url_of(animals[0], "change")).content.decode()
    assert "Reason for change" in page
    assert "Asked where a recorded value changes" in page


def test_rows_inside_the_form_count(asked, experiment, animals):
    cage = Cage(experiment=experiment, label="C-1")
    cage.save()
    stay = Housing(animal=animals[0], cage=cage, started_on=date(2026, 2, 20))
    stay.save()
    url = url_of(stay.animal, "change")
    data = shown_form(asked.get(url))
    place = next(name for name, value in data.items() if value == str(stay.started_on) and "housings" in name)
    data[place] = str(stay.started_on + timedelta(days=1))
    refused = asked.post(url, data)
    assert refused.status_code == 200
    assert "started on" in str(refused.context["reason"].errors)
    asked.post(url, data | {"reason_for_change": "wrong cage card"})
    assert last_reason(stay) == "wrong cage card"


def test_what_one_entered_just_now_is_excepted(client, scientist, settings, experiment):
    settings.LABDB_REASON_GRACE_MINUTES = 15
    client.force_login(scientist)
    client.post(reverse("admin:experiments_strain_add"), {"name": "CD1", "species": "mouse"})
    strain = Strain.objects.get(name="CD1")
    url = url_of(strain, "change")
    assert client.post(url, shown_form(client.get(url)) | {"name": "CD-1"}).status_code == 302
    strain.refresh_from_db()
    assert strain.name == "CD-1"


def test_a_deletion_has_a_reason(asked, experiment):
    strain = Strain(name="mistyped")
    strain.save()
    url = url_of(strain, "delete")
    data = shown_form(asked.get(url))
    refused = asked.post(url, data)
    assert refused.status_code == 200
    assert "deleted" in str(refused.context["reason"].errors)
    assert Strain.objects.filter(pk=strain.pk).exists()
    asked.post(url, data | {"reason_for_change": "entered twice"})
    assert not Strain.objects.filter(pk=strain.pk).exists()
    assert last_reason(strain) == "entered twice"


def test_a_reason_that_is_too_long_is_refused(asked, animals):
    url = url_of(animals[0], "change")
    data = shown_form(asked.get(url)) | {"born_on": "2026-01-06", "reason_for_change": "x" * 501}
    refused = asked.post(url, data)
    assert refused.status_code == 200
    assert "500" in str(refused.context["reason"].errors)
    assert not TrailStatement.objects.filter(reason__startswith="xx").exists()


def test_the_policy_may_be_off(asked, animals, settings):
    settings.LABDB_REASON_POLICY = "off"
    url = url_of(animals[0], "change")
    answer = asked.get(url)
    assert "Reason for change" not in answer.content.decode()
    assert asked.post(url, shown_form(answer) | {"born_on": "2026-01-06"}).status_code == 302
    assert TrailStatement.objects.latest("id").at <= timezone.now()
