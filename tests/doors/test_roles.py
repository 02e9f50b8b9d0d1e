"""What each role may do, as it stands here, through REST and through the admin; who is gone may do nothing."""

from types import SimpleNamespace

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.urls import reverse

from assays.models import AssayRun
from experiments.actions.closing import close_experiment
from experiments.actions.studies import add_member, end_membership
from experiments.models import Animal, Cage, Endpoint, Experiment, Job, Membership, SourceFile, Timepoint
from labdb.base.access import TokenScope, may, require
from labdb.base.models import User
from tests.doors.rest_client import rest_client

pytestmark = pytest.mark.django_db

API = "/api/v1"
MAY = {
    "director": {"manage", "design", "record", "assess", "decide", "analyse"},
    "scientist": {"design", "record", "assess", "decide", "analyse"},
    "technician": {"record", "assess"},
    "assessor": {"assess"},
    "analyst": {"analyse"},
    "auditor": set(),
    "manager": {"manage_members"},
    "administrator": {"manage_members"},
}
UNMASKED, MASKED = ("director", "scientist", "technician", "auditor"), ("assessor", "analyst")


@pytest.fixture
def given(experiment, animals, scientist):
    """A cage that nothing refers to, a run that is not evaluated, and a colleague in no experiment."""
    cage = Cage(experiment=experiment, label="draft")
    cage.save()
    file = SourceFile(experiment=experiment, sha256="a" * 64, name="plate.txt", size_bytes=1, uploaded_by=scientist)
    file.save()
    run = AssayRun(experiment=experiment, endpoint=Endpoint.objects.get(key="e2"), kind="elisa", source_file=file)
    run.uploaded_by = scientist
    run.save()
    colleague = User.objects.create_user("colleague", is_staff=True)
    return SimpleNamespace(experiment=experiment, animal=animals[0], cage=cage, run=run, colleague=colleague)


@pytest.fixture
def person(member, experiment):
    def made(role: str) -> User:
        rights = {"manager": {"is_manager": True}, "administrator": {"is_superuser": True}}
        if role in rights:
            return User.objects.create_user(role, is_staff=True, **rights[role])
        return member(role, experiment)

    return made


def through_rest(api, given) -> dict[str, int]:
    """The status of one request of each duty."""
    key = str(given.experiment.pk)
    colleague = {"experiment": key, "user": str(given.colleague.pk), "role": "auditor"}
    weight = str(Endpoint.objects.get(key="body_weight").pk)
    observation = {
        "experiment": key, "animal": str(given.animal.pk), "endpoint": weight, "value": 20.5,
        "observed_at": "2026-03-09T09:00:00Z",
    }  # fmt: skip
    accept = f"{API}/assay-runs/{given.run.pk}/accept"
    return {
        "manage_members": api.post(f"{API}/memberships", colleague, format="json").status_code,
        "manage": api.remove(f"{API}/cages/{given.cage.pk}").status_code,
        "design": api.change(f"{API}/experiments/{key}", {"title": "another"}).status_code,
        "record": api.post(f"{API}/cages", {"experiment": key, "label": "Z"}, format="json").status_code,
        "assess": api.post(f"{API}/observations", observation, format="json").status_code,
        "decide": api.post(accept, {}, format="json").status_code,
        "analyse": api.post(f"{API}/experiments/{key}/summarise").status_code,
    }


def through_admin(client, given) -> dict[str, int]:
    key = given.experiment.pk
    do = reverse("admin:experiments_experiment_do", args=[key, "summarise"])
    answers = {
        "manage_members": client.post(
            reverse("admin:experiments_membership_add"),
            {"experiment": key, "user": given.colleague.pk, "role": "auditor"},
        ),
        "manage": client.get(reverse("admin:experiments_cage_delete", args=[given.cage.pk])),
        "design": client.post(reverse("admin:experiments_timepoint_add"), timepoint(key)),
        "record": client.post(reverse("admin:experiments_cage_add"), {"experiment": key, "label": "Y"}),
        "decide": client.post(reverse("admin:assays_assayrun_do", args=[given.run.pk, "reject"]), {"reason": "x"}),
        "analyse": client.post(do),
    }
    return {
        "manage_members": 201 if Membership.objects.filter(user=given.colleague).exists() else 403,
        "manage": answers["manage"].status_code,
        "design": 201 if Timepoint.objects.filter(label="admin").exists() else 403,
        "record": 201 if Cage.objects.filter(label="Y").exists() else 403,
        "decide": 201 if AssayRun.objects.get(pk=given.run.pk).state == "rejected" else 403,
        "analyse": 201 if Job.objects.filter(kind="summarise").exists() else 403,
    }


def timepoint(key) -> dict[str, object]:
    return {"experiment": key, "label": "admin", "study_day": 99, "window_before_days": 0, "window_after_days": 0}


def allowed(statuses: dict[str, int]) -> set[str]:
    """Those that were not forbidden. A run that is not evaluated yet is accepted by nobody: 400 for who may."""
    assert all(s in (200, 201, 202, 204, 403) or (d, s) == ("decide", 400) for d, s in statuses.items()), statuses
    return {duty for duty, status in statuses.items() if status != 403}


def expected(role: str) -> set[str]:
    return MAY[role] | ({"manage_members"} if "manage" in MAY[role] else set())


@pytest.mark.parametrize("role", MAY)
def test_duties_over_rest(role, person, given):
    assert allowed(through_rest(rest_client(person(role)), given)) == expected(role)


@pytest.mark.parametrize("role", MAY)
def test_duties_in_the_admin(role, person, given, client):
    client.force_login(person(role))
    assert allowed(through_admin(client, given)) == expected(role) - {"assess"}


def test_managers_and_administrators_see_every_experiment_and_nobody_else_does(person, given, member):
    place = f"{API}/experiments/{given.experiment.pk}"
    for role in MAY:
        assert rest_client(person(role)).get(place).status_code == 200, role
    api = rest_client(given.colleague)
    assert api.get(place).status_code == 404
    assert set(through_rest(api, given).values()) <= {400, 404}


def test_who_opens_an_experiment(person, given):
    """Managers, administrators, and directors and scientists of some experiment; it is theirs then."""
    for role in MAY:
        someone = person(role)
        made = rest_client(someone).post(f"{API}/experiments", {"code": f"new {role}", "title": "t"}, format="json")
        opens = role in ("director", "scientist", "manager", "administrator")
        assert made.status_code == (201 if opens else 403), role
        if opens:
            assert Membership.objects.get(experiment=made.json()["id"]).role == "director"
    assert rest_client(given.colleague).post(f"{API}/experiments", {"code": "x", "title": "t"}).status_code in (
        403,
        415,
    )


def test_rows_of_the_laboratory(person, given):
    """Strains: also technicians. Endpoints: directors and scientists, managers and administrators."""
    endpoint = {"key": "tail", "name": "tail length", "unit": "mm"}
    for role in MAY:
        api = rest_client(person(role))
        strain = api.post(f"{API}/strains", {"name": f"strain of {role}"}, format="json").status_code
        own = api.post(f"{API}/endpoints", {**endpoint, "key": f"tail_{role}"}, format="json").status_code
        assert (strain == 201) == (role not in ("assessor", "analyst", "auditor")), role
        assert (own == 201) == (role in ("director", "scientist", "manager", "administrator")), role


def test_an_ended_membership_gives_nothing(member, given, scientist):
    someone = member("scientist", given.experiment)
    api = rest_client(someone)
    assert api.get(f"{API}/enrolments").json()["count"] == 6
    membership = someone.memberships.get()
    ended = rest_client(scientist).post(f"{API}/memberships/{membership.pk}/end")
    assert (ended.status_code, ended.json()["ended_at"] is None) == (200, False)
    assert api.get(f"{API}/enrolments").json()["count"] == 0
    assert set(through_rest(api, given).values()) <= {400, 403, 404}
    assert not may(someone, "add", Experiment) and not may(someone, "add", Animal)


def test_what_somebody_sent_goes_with_the_membership(member, given, scientist):
    """Their own files and jobs of the experiment too."""
    someone = member("technician", given.experiment)
    SourceFile.objects.update(uploaded_by=someone)
    Job(kind="x", subject_id=given.run.pk, experiment=given.experiment, requested_by=someone, state="done").save()
    seen = lambda: [model.objects.visible_to(someone).count() for model in (SourceFile, Job)]  # noqa: E731
    assert seen() == [1, 1]
    end_membership(membership=someone.memberships.get(), by=scientist)
    assert seen() == [0, 0]


def test_an_inactive_person_may_nothing(member, given):
    someone = member("director", given.experiment)
    someone.is_active = False
    for model in (Experiment, Animal, Membership, Endpoint, User):
        assert not model.objects.visible_to(someone).exists()
    assert not any(may(someone, verb, given.experiment) for verb in ("view", "change", "summarise", "close"))


def test_a_token_narrows_its_owner(member, given, person):
    other = Experiment(code="OTHER", title="other", masking="open_label")
    other.save()
    for someone in (member("director", given.experiment), person("manager")):
        Membership(experiment=other, user=someone, role="director").save()
        someone.token_scope = TokenScope(can_write=False)
        assert Experiment.objects.visible_to(someone).count() == 2
        with pytest.raises(PermissionDenied, match="read only"):
            require(someone, "change", other)
        someone.token_scope = TokenScope(can_write=True, experiments=frozenset({other.pk}))
        assert list(Experiment.objects.visible_to(someone)) == [other]
        assert not Animal.objects.visible_to(someone).exists()
        assert may(someone, "change", other) and may(someone, "add", Membership(experiment=other))
        assert not may(someone, "change", given.experiment) and not may(someone, "add", Endpoint)
        assert not may(someone, "add", Membership(experiment=given.experiment)) and not may(someone, "add", Experiment)


def test_a_closed_experiment_is_read_and_says_why_it_is_not_written(given, scientist):
    AssayRun.objects.all().delete()
    close_experiment(experiment=given.experiment, reason="the last mouse is gone", by=scientist)
    for verb, row in (("change", given.cage), ("add", Timepoint(experiment=given.experiment)), ("delete", given.cage)):
        with pytest.raises(PermissionDenied, match=r"POI-1 is closed; a director can reopen it"):
            require(scientist, verb, row)
    for verb, row in (("summarise", given.experiment), ("report", given.experiment), ("reopen", given.experiment)):
        assert may(scientist, verb, row)
    assert may(scientist, "add", Membership(experiment=given.experiment)) and may(scientist, "view", given.cage)


@pytest.mark.parametrize("first", UNMASKED)
def test_who_has_seen_the_arms_does_not_assess(first, member, given, scientist):
    someone = member(first, given.experiment)
    body = {"experiment": str(given.experiment.pk), "user": str(someone.pk), "role": "assessor"}
    api = rest_client(scientist)
    refused = api.post(f"{API}/memberships", body, format="json")
    assert (refused.status_code, "An assessor is blinded" in str(refused.json())) == (400, True)
    end_membership(membership=someone.memberships.get(), by=scientist)
    assert api.post(f"{API}/memberships", body, format="json").status_code == 400  # seen is seen
    assessor = member("assessor", given.experiment)
    with pytest.raises(ValidationError, match="An assessor is blinded"):
        add_member(experiment=given.experiment, user=assessor, role=first, by=scientist)
    add_member(experiment=given.experiment, user=assessor, role="analyst", by=scientist)


def test_an_experiment_keeps_a_director_and_a_membership_ends_once(member, given, scientist):
    own = scientist.memberships.get(experiment=given.experiment)
    with pytest.raises(ValidationError, match="keeps a director"):
        end_membership(membership=own, by=scientist)
    member("director", given.experiment)
    end_membership(membership=own, by=User.objects.create_user("boss", is_manager=True))
    with pytest.raises(PermissionDenied):
        end_membership(membership=own, by=scientist)
    with pytest.raises(ValidationError, match="ended before"):
        end_membership(membership=own, by=User.objects.create_user("root", is_superuser=True))


def test_the_experiments_page_tells_who_takes_part(member, given, scientist, client):
    someone = member("assessor", given.experiment, "ada")
    page = reverse("admin:experiments_experiment_page", args=[given.experiment.pk])
    end = reverse("admin:experiments_membership_do", args=[someone.memberships.get().pk, "end"])
    client.force_login(scientist)
    shown = client.get(page).content.decode()
    assert "ada" in shown and "assessor, blinded" in shown and end in shown
    client.force_login(someone)
    assert end not in client.get(page).content.decode()
    assert client.post(end).status_code == 403
    client.force_login(scientist)
    client.post(end)
    assert someone.memberships.get().ended_at is not None


def test_the_first_member_became_director(scientist):
    """The statement of the migration, over rows as they were before it."""
    from importlib import import_module

    people = [User.objects.create_user(f"p{number}") for number in range(2)]
    experiments = [Experiment(code=f"OLD-{number}", title="old") for number in range(3)]
    for experiment in experiments:
        experiment.save()
    for experiment, who in ((0, people), (1, people[::-1])):
        for person in who:
            Membership(experiment=experiments[experiment], user=person, role="scientist").save()
    Membership(experiment=experiments[2], user=people[0], role="director").save()
    with connection.cursor() as cursor:
        cursor.execute(import_module("experiments.migrations.0003_roles").FIRST_DIRECTORS)
    told = Membership.objects.order_by("experiment__code", "user__username").values_list("role", flat=True)
    assert list(told) == ["director", "scientist", "scientist", "director", "director"]
