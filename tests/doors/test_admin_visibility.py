"""A scientist of one experiment sees nothing of another: lists, filters, pages, search, fields, history, forged POSTs."""

from datetime import date

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db import models
from django.urls import reverse

from experiments.models import (
    Animal,
    Cage,
    Enrolment,
    Experiment,
    Housing,
    Litter,
    Membership,
    Observation,
    Specimen,
    Timepoint,
)
from tests.doors.hidden_rows import WORD, make_hidden

pytestmark = pytest.mark.django_db

OF_EXPERIMENTS = [m for m in admin.site._registry if m._meta.app_label == "experiments"]
NAMES = [model.__name__ for model in OF_EXPERIMENTS]
ROW_VIEWS = ("change", "delete", "history", "page", "download")


@pytest.fixture
def hidden(experiment, animals):
    return make_hidden()


@pytest.fixture
def asked(client, scientist):
    client.force_login(scientist)
    return client


def url_of(model: type[models.Model], view: str, *args) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{view}", args=args)


def shows(answer) -> bool:
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return WORD.encode() in content


@pytest.mark.parametrize("model", OF_EXPERIMENTS, ids=NAMES)
def test_lists_and_their_filters_show_nothing(model, hidden, asked):
    asked.raise_request_exception = True
    answer = asked.get(url_of(model, "changelist"), follow=True)
    assert answer.status_code in (200, 403)
    assert not shows(answer)
    assert not shows(asked.get(url_of(model, "changelist"), {"q": WORD.lower()}, follow=True)) or _echoed(asked, model)


def _echoed(client, model) -> bool:
    """The page repeats what was searched for (in lower case here), never a row."""
    return not shows(client.get(url_of(model, "changelist"), {"q": WORD.lower()}, follow=True))


@pytest.mark.parametrize("view", ROW_VIEWS)
def test_direct_addresses_show_nothing(view, hidden, asked):
    reached = 0
    for model, row in hidden.items():
        try:
            url = url_of(model, view, row.pk)
        except Exception:  # noqa: BLE001  (a model without such a view)
            continue
        reached += 1
        answer = asked.get(url)
        assert answer.status_code in (302, 403, 404), (model, answer.status_code)
        assert not shows(asked.get("/admin/")), model  # nor a message about it on the next page
    assert reached


def test_an_administrator_sees_what_is_hidden(hidden, client):
    """The twin: the word really stands on the pages that a member may read."""
    client.force_login(get_user_model().objects.create_superuser("root"))
    seen = [model for model in hidden if shows(client.get(url_of(model, "changelist")))]
    assert set(seen) == set(hidden)
    assert shows(client.get("/admin/"))
    assert shows(client.get(url_of(Experiment, "page", hidden[Experiment].pk)))
    assert shows(client.get(reverse("admin:search"), {"s": WORD}))


def test_home_and_search_show_nothing(hidden, asked):
    assert not shows(asked.get("/admin/"))
    assert not shows(asked.get(reverse("admin:search"), {"s": WORD}))


def autocompletes() -> list[tuple[str, str, str]]:
    found = []
    for model, model_admin in admin.site._registry.items():
        for owner in (model_admin, *(inline(model, admin.site) for inline in model_admin.inlines)):
            found += [(owner.opts.app_label, owner.opts.model_name, name) for name in owner.autocomplete_fields]
    return sorted(set(found))


@pytest.mark.parametrize(("app", "model", "field"), autocompletes())
def test_autocomplete_offers_nothing(app, model, field, hidden, asked, client):
    asked_for = {"app_label": app, "model_name": model, "field_name": field, "term": ""}
    answer = asked.get(reverse("admin:autocomplete"), asked_for)
    assert answer.status_code in (200, 403)
    assert not shows(answer)


def test_autocomplete_offers_it_to_a_member(hidden, client):
    client.force_login(get_user_model().objects.get(username="owner"))
    asked_for = {"app_label": "experiments", "model_name": "housing", "field_name": "animal", "term": ""}
    assert shows(client.get(reverse("admin:autocomplete"), asked_for))


def test_forms_offer_nothing(hidden, asked):
    for model in OF_EXPERIMENTS:
        answer = asked.get(url_of(model, "add"))
        assert answer.status_code in (200, 403)
        told = answer.content.replace(f"{WORD}-owner".encode(), b"")  # a person, whom a director may ask to take part
        assert WORD.encode() not in (told if model is Membership else answer.content), model


FORGED = [
    (Timepoint, "experiment", lambda h: h[Experiment], {"label": "w", "study_day": 3}),
    (Cage, "experiment", lambda h: h[Experiment], {"label": "w"}),
    (Housing, "animal", lambda h: h[Animal], {"started_on": "2026-01-01"}),
    (Housing, "cage", lambda h: h[Cage], {"started_on": "2026-01-01"}),
    (Specimen, "timepoint", lambda h: h[Timepoint], {"code": "w"}),
]


@pytest.mark.parametrize(("model", "field", "row", "rest"), FORGED, ids=lambda v: getattr(v, "__name__", None))
def test_a_forged_post_cannot_refer_to_it(model, field, row, rest, hidden, asked):
    before = model.objects.count()
    answer = asked.post(url_of(model, "add"), {**rest, field: str(row(hidden).pk)})
    assert answer.status_code == 200
    assert "valid choice" in " ".join(answer.context["adminform"].form.errors[field])
    assert model.objects.count() == before
    assert not shows(answer)


def test_rows_of_another_experiment_are_not_counted_where_they_are_in_the_way(hidden, asked):
    """A strain that a hidden animal has is not offered for deletion, and nothing tells why."""
    strain = hidden[Animal].strain
    answer = asked.get(reverse("admin:experiments_strain_delete", args=[strain.pk]))
    assert answer.status_code == 403
    assert not shows(answer)


def test_an_animal_of_two_experiments_shows_one_of_them(hidden, asked, experiment, animals):
    Enrolment(experiment=hidden[Experiment], animal=animals[0], day_0=date(2026, 3, 2)).save()
    page = asked.get(url_of(Animal, "page", animals[0].pk))
    assert page.status_code == 200
    assert experiment.code.encode() in page.content
    assert not shows(page)
    assert not shows(asked.get(url_of(Animal, "changelist")))
    assert not shows(asked.get(url_of(Animal, "change", animals[0].pk)))


def told_of_cage_and_litter(hidden, client, experiment, strain) -> list[str]:
    """Pages that name the hidden cage or litter, of an animal in no experiment and of one in the person's own."""
    found = []
    for lab_id, is_enrolled in (("free", False), ("own", True)):
        animal = Animal(lab_id=lab_id, strain=strain, litter=hidden[Litter], born_on=date(2026, 1, 5))
        animal.save()
        if is_enrolled:
            Enrolment(experiment=experiment, animal=animal).save()
        housing = Housing(animal=animal, cage=hidden[Cage], started_on=date(2026, 2, 1))
        housing.save()
        urls = [url_of(model, "changelist") for model in (Animal, Housing)]
        urls += [url_of(Animal, view, animal.pk) for view in ("page", "change", "history")]
        urls += [url_of(Housing, view, housing.pk) for view in ("change", "history")]
        urls += [f"/api/v1/housings/{housing.pk}"]
        for url in urls:
            told = client.get(url, follow=True).content.decode().replace(f"{WORD}-owner", "")  # people know each other
            if WORD in told or str(hidden[Cage].pk) in told:
                found.append(f"{lab_id}: {url}")
    return found


def test_an_animal_names_neither_cage_nor_litter_of_another_experiment(hidden, asked, experiment, animals):
    assert told_of_cage_and_litter(hidden, asked, experiment, animals[0].strain) == []


def test_a_housing_that_is_seen_without_its_cage_names_it(hidden, asked, experiment, animals, monkeypatch):
    """The twin: the test above would see it."""
    monkeypatch.setattr(Housing, "seen_with", ())
    assert len(told_of_cage_and_litter(hidden, asked, experiment, animals[0].strain)) > 10


def test_the_figure_and_the_verbs_ask_too(hidden, asked):
    experiment = hidden[Experiment]
    for url in (
        reverse("admin:experiments_experiment_figure", args=[experiment.pk, "body_weight", "light"]),
        reverse("admin:experiments_experiment_do", args=[experiment.pk, "summarise"]),
        reverse("admin:experiments_observation_do", args=[hidden[Observation].pk, "correct"]),
    ):
        assert asked.get(url).status_code == 404
        assert asked.post(url, {"reason": "x", "category": "y"}).status_code == 404
    assert Observation.objects.filter(is_current=False).count() == 0
