"""An edit of what changed meanwhile shows both versions; nothing is overwritten unseen, and nothing entered is lost."""

from datetime import date

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db import models
from django.urls import reverse

from experiments.models import Animal, Arm, Cage, Enrolment, Experiment, Housing, Membership, Strain
from labdb.base.access import experiments_of
from labdb.base.acting import acting
from labdb.base.trail.models import TrailEntry
from tests.contracts.rows import make_rows
from tests.doors.browser_forms import shown_form

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(client, scientist):
    client.force_login(scientist)
    return client


@pytest.fixture
def colleague(experiment, member):
    return member("scientist", experiment, "colleague")


def url_of(row, view: str, *more) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{view}", args=[row.pk, *more])


def change(person, row, reason="as the card says", **values) -> None:
    """What a colleague does meanwhile."""
    for name, value in values.items():
        setattr(row, name, value)
    with acting(person=person, door="REST", reason=reason):
        row.save()


def fields_of(answer) -> dict[str, tuple]:
    """Began, now, entered and whether both changed it, by field, over all parts of the page."""
    return {
        each.name: (each.began, each.now, each.entered, each.is_conflict)
        for part in answer.context["parts"]
        for each in part.fields
    }


# -- one row


def test_a_stale_form_shows_what_was_what_stands_and_what_was_entered(asked, animals, colleague):
    url = url_of(animals[0], "change")
    data = shown_form(asked.get(url)) | {"born_on": "2026-01-07", "sex": "M"}
    change(colleague, Animal.objects.get(pk=animals[0].pk), born_on=date(2026, 1, 6), lab_id="M001b")
    answer = asked.post(url, data | {"reason_for_change": "seen at the cage"})
    assert answer.status_code == 409
    assert fields_of(answer) == {
        "lab_id": ("M001", "M001b", "M001", False),
        "born_on": ("2026-01-05", "2026-01-06", "2026-01-07", True),
        "sex": ("female", "female", "male", False),
    }
    page = answer.content.decode()
    assert "colleague" in page
    assert "as the card says" in page
    assert page.count("both changed it") == 1
    animals[0].refresh_from_db()
    assert (animals[0].born_on, animals[0].sex) == (date(2026, 1, 6), "F")


def test_mine_is_saved_over_it_and_theirs_stays_where_i_entered_nothing(asked, animals, colleague, settings):
    settings.LABDB_REASON_GRACE_MINUTES = 0
    url = url_of(animals[0], "change")
    data = shown_form(asked.get(url)) | {"born_on": "2026-01-07"}
    change(colleague, Animal.objects.get(pk=animals[0].pk), born_on=date(2026, 1, 6), lab_id="M001b", sex="M")
    again = shown_form(asked.post(url, data))
    refused = asked.post(url, again | {"reason_for_change": ""})
    assert refused.status_code == 200
    assert refused.context["reason"].errors
    saved = asked.post(url, shown_form(refused) | {"reason_for_change": "seen at the cage"})
    assert saved.status_code == 302
    row = Animal.objects.get(pk=animals[0].pk)
    assert (row.born_on, row.lab_id, row.sex) == (date(2026, 1, 7), "M001b", "M")
    assert TrailEntry.objects.filter(row_id=str(row.pk)).order_by("-id").first().statement.reason == "seen at the cage"


def test_it_may_become_stale_once_more(asked, animals, colleague):
    url = url_of(animals[0], "change")
    data = shown_form(asked.get(url)) | {"sex": "M"}
    change(colleague, Animal.objects.get(pk=animals[0].pk), born_on=date(2026, 1, 6))
    again = shown_form(asked.post(url, data))
    change(colleague, Animal.objects.get(pk=animals[0].pk), sex="U")
    second = asked.post(url, again | {"reason_for_change": "seen"})
    assert second.status_code == 409
    assert fields_of(second)["sex"] == ("female", "unknown", "male", True)


def test_an_invalid_form_keeps_the_version_it_began_with(asked, animals, colleague):
    url = url_of(animals[0], "change")
    data = shown_form(asked.get(url)) | {"born_on": "yesterday"}
    invalid = asked.post(url, data)
    assert invalid.status_code == 200
    change(colleague, Animal.objects.get(pk=animals[0].pk), sex="M")
    answer = asked.post(url, shown_form(invalid) | {"born_on": "2026-01-07", "reason_for_change": "x"})
    assert answer.status_code == 409


def test_a_form_that_does_not_say_what_it_was_made_from_saves_nothing(asked, animals, scientist):
    url = url_of(animals[0], "change")
    data = shown_form(asked.get(url)) | {"sex": "M", "reason_for_change": "x"}
    other = shown_form(asked.get(url_of(animals[1], "change")))["_versions"]
    for forged in ("", "nonsense", other):
        answer = asked.post(url, data | {"_versions": forged})
        assert answer.status_code == 200
        assert "did not say what it was made from" in answer.content.decode()
    animals[0].refresh_from_db()
    assert animals[0].sex == "F"


def test_an_edit_of_what_was_deleted_says_who_did_it(asked, colleague):
    strain = Strain(name="CD1")
    strain.save()
    url = url_of(strain, "change")
    data = shown_form(asked.get(url)) | {"name": "CD-1", "rrid": "IMSR_JAX:1"}
    with acting(person=colleague, reason="entered twice"):
        Strain.objects.get(pk=strain.pk).delete()
    answer = asked.post(url, data)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "deleted" in page
    assert "colleague" in page
    assert "entered twice" in page
    anew = asked.get(answer.context["anew_url"])
    assert shown_form(anew, "name")["name"] == "CD-1"
    assert not Strain.objects.filter(name="CD-1").exists()


def test_a_deletion_of_what_changed_meanwhile_is_shown_first(asked, colleague):
    strain = Strain(name="CD1")
    strain.save()
    url = url_of(strain, "delete")
    data = shown_form(asked.get(url)) | {"reason_for_change": "mistyped"}
    change(colleague, Strain.objects.get(pk=strain.pk), name="CD-1")
    answer = asked.post(url, data)
    assert answer.status_code == 200
    assert "changed while this page was open" in answer.content.decode()
    assert Strain.objects.filter(pk=strain.pk).exists()
    assert asked.post(url, shown_form(answer) | {"reason_for_change": "mistyped"}).status_code == 302
    assert not Strain.objects.filter(pk=strain.pk).exists()


# -- rows inside the form


@pytest.fixture
def planned(experiment):
    Experiment.objects.filter(pk=experiment.pk).update(status="planned")
    experiment.refresh_from_db()
    return experiment


def test_a_row_inside_the_form_that_i_left_alone_is_not_put_back(asked, experiment, colleague):
    """The form would send the old values of every row that it shows."""
    url = url_of(experiment, "change")
    data = shown_form(asked.get(url)) | {"title": "A better title", "reason_for_change": "typo"}
    arm = experiment.arms.get(label="POI + PBS")
    change(colleague, arm, planned_n=12)
    answer = asked.post(url, data)
    assert answer.status_code == 409
    assert fields_of(answer)["planned_n"] == ("–", "12", "–", False)
    assert asked.post(url, shown_form(answer)).status_code == 302
    experiment.refresh_from_db()
    assert experiment.title == "A better title"
    assert Arm.objects.get(pk=arm.pk).planned_n == 12


def test_what_was_entered_in_a_row_that_is_gone_becomes_a_new_row(asked, planned, colleague):
    url = url_of(planned, "change")
    extra = Arm(experiment=planned, label="spare", kind="other", position=8)
    extra.save()
    data = shown_form(asked.get(url))
    place = next(name for name, value in data.items() if value == "spare")
    data |= {place: "spare, renamed", "reason_for_change": "as agreed"}
    with acting(person=colleague, reason="not needed"):
        extra.delete()
    answer = asked.post(url, data)
    assert answer.status_code == 409
    assert "deleted meanwhile" in answer.content.decode()
    saved = asked.post(url, shown_form(answer))
    assert saved.status_code == 302, saved.context["errors"]
    assert sorted(planned.arms.values_list("label", flat=True)) == ["POI + MSC", "POI + PBS", "spare, renamed"]


def test_a_row_that_is_gone_and_was_left_alone_stays_gone(asked, planned, colleague):
    url = url_of(planned, "change")
    extra = Arm(experiment=planned, label="spare", kind="other", position=0)
    extra.save()
    data = shown_form(asked.get(url)) | {"title": "Another", "reason_for_change": "typo"}
    with acting(person=colleague, reason="not needed"):
        extra.delete()
    answer = asked.post(url, data)
    saved = asked.post(url, shown_form(answer))
    assert saved.status_code == 302, saved.context["errors"]
    assert sorted(planned.arms.values_list("label", flat=True)) == ["POI + MSC", "POI + PBS"]


# -- every form


def editable() -> list[type[models.Model]]:
    from labdb.base.admin import VerbOwnedAdmin

    return [m for m, page in admin.site._registry.items() if not isinstance(page, VerbOwnedAdmin)]


@pytest.mark.parametrize("model", editable(), ids=lambda model: model._meta.label)
def test_every_change_form_shows_the_conflict(model, client, experiment, animals, scientist, member):
    root = get_user_model().objects.create_superuser("root", password="a-good-passphrase-1")
    row = make_rows(model, 1, {Experiment: experiment, get_user_model(): member("technician", experiment)})[0]
    for key in experiments_of(row) - {experiment.pk}:
        Membership(experiment_id=key, user=scientist, role="director").save()
    for person in (scientist, root):
        client.force_login(person)
        answer = client.get(url_of(row, "change"))
        if answer.status_code == 200 and answer.context["has_change_permission"]:
            break
    else:
        pytest.skip(f"nobody changes a {model._meta.verbose_name} in a form")
    data = shown_form(answer) | {"reason_for_change": "why not"}
    _write_past_it(row)
    stale = client.post(url_of(row, "change"), data)
    assert stale.status_code == 409
    assert b"Save mine over it" in stale.content
    again = client.post(url_of(row, "change"), shown_form(stale))
    assert again.status_code in (200, 302)  # what the database alone wrote may be invalid together with mine
    assert b"did not say what it was made from" not in again.content


def _write_past_it(row: models.Model) -> None:
    """Another value in a column, by the database alone."""
    for each in row._meta.local_concrete_fields:
        if isinstance(each, models.CharField) and not each.choices and not each.unique and each.max_length > 20:
            changed = f"{getattr(row, each.attname) or ''}x"
            type(row)._base_manager.filter(pk=row.pk).update(**{each.attname: changed})
            return
    for each in row._meta.local_concrete_fields:
        if isinstance(each, models.DateField | models.PositiveSmallIntegerField | models.BooleanField):
            changed = not getattr(row, each.attname) if isinstance(each, models.BooleanField) else _next(row, each)
            type(row)._base_manager.filter(pk=row.pk).update(**{each.attname: changed})
            return
    raise AssertionError(f"no column of {row._meta.label} to change")


def _next(row: models.Model, each: models.Field):
    value = getattr(row, each.attname)
    if isinstance(each, models.DateField):
        return value.replace(month=value.month % 12 + 1) if value else date(2026, 5, 1)
    return (value or 0) + 1


# -- verbs


def test_a_button_of_a_page_that_is_old_does_nothing_and_says_why(asked, experiment, colleague):
    page = asked.get(url_of(experiment, "page"))
    data = shown_form(page)
    change(colleague, Experiment.objects.get(pk=experiment.pk), hypothesis="another one")
    answer = asked.post(url_of(experiment, "do", "summarise"), data, follow=True)
    told = " ".join(str(message) for message in answer.context["messages"])
    assert "Nothing was done" in told
    assert "colleague" in told
    assert "hypothesis" in told.lower()


def test_a_forged_row_inside_the_form_tells_nothing(asked, animals):
    """The key of a row of another experiment in place of one's own."""
    other = Experiment(code="HIDDEN", title="HIDDEN")
    other.save()
    cage = Cage(experiment=other, label="HIDDEN")
    cage.save()
    hidden = Animal(lab_id="HIDDEN", strain=animals[0].strain)
    hidden.save()
    Enrolment(experiment=other, animal=hidden, day_0=date(2026, 3, 2)).save()
    stay = Housing(animal=hidden, cage=cage, started_on=date(2026, 2, 20))
    stay.save()
    url = url_of(animals[0], "change")
    data = shown_form(asked.get(url)) | {
        "housings-TOTAL_FORMS": "1", "housings-INITIAL_FORMS": "1", "housings-0-id": str(stay.pk),
        "housings-0-animal": str(animals[0].pk), "housings-0-started_on": "2026-01-01",
    }  # fmt: skip
    answer = asked.post(url, data)
    assert answer.status_code == 200
    assert "HIDDEN" not in answer.content.decode()
    assert "2026-02-20" not in answer.content.decode()


def test_what_a_hidden_row_was_is_not_told(asked, member, colleague):
    """A row that the person could never see answers as one that does not exist, also when it is gone."""
    other = Experiment(code="HIDDEN", title="HIDDEN")
    other.save()
    cage = Cage(experiment=other, label="HIDDEN")
    cage.save()
    url = url_of(cage, "change")
    with acting(reason="HIDDEN"):
        cage.delete()
    answer = asked.post(url, {"label": "x", "_versions": "x"}, follow=True)
    assert "HIDDEN" not in answer.content.decode()
