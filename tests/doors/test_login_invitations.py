"""Invitations: who may invite, and a link that counts once."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from experiments.models import Membership
from labdb.base.models import Invitation, User

pytestmark = pytest.mark.django_db

ADD = "/admin/labdb/invitation/add/"
WHO = {"name": "Ada King Lovelace", "email": "ada@example.org"}
CHOSEN = {"username": "ada", "password1": "a-good-passphrase-1", "password2": "a-good-passphrase-1"}


@pytest.fixture
def director(experiment, scientist):
    client = Client()
    client.force_login(scientist)
    return client


def link_in(answer) -> str:
    return re.search(r"http://testserver(/accounts/invitation/[\w-]+/)", answer.content.decode())[1]


def invited(client, **more) -> str:
    return link_in(client.post(ADD, WHO | more))


def test_an_invited_person_joins(director, experiment, scientist):
    link = invited(director, experiment=str(experiment.pk), role="technician")
    assert link.split("/")[-2] not in str(Invitation.objects.values_list()), "the link is not kept"
    assert mail.outbox[0].to == ["ada@example.org"]
    assert link in mail.outbox[0].body
    client = Client()
    assert b"Welcome, Ada King Lovelace" in client.get(link).content
    assert client.post(link, CHOSEN).url == "/admin/"
    ada = User.objects.get(username="ada")
    assert (ada.first_name, ada.last_name, ada.email) == ("Ada King", "Lovelace", "ada@example.org")
    assert ada.is_staff
    assert not ada.is_superuser
    assert not ada.is_manager
    assert Membership.objects.get(user=ada).role == "technician"
    assert client.get(reverse("admin:index")).status_code == 200
    assert client.get(link).status_code == 404
    assert client.post(link, CHOSEN | {"username": "ada2"}).status_code == 404
    assert not User.objects.filter(username="ada2").exists()


def test_the_trail_tells_who_joined_and_who_let_them_in(director, experiment, scientist):
    from labdb.base.trail.models import TrailEntry

    link = invited(director, experiment=str(experiment.pk), role="technician")
    Client().post(link, CHOSEN)
    ada = User.objects.get(username="ada")
    told = {
        (entry.statement.table_name, entry.statement.action): entry.statement.person_id
        for entry in TrailEntry.objects.select_related("statement").order_by("id")
    }
    assert told["labdb_user", "I"] == ada.pk
    assert told["experiments_membership", "I"] == scientist.pk
    assert told["labdb_invitation", "I"] == scientist.pk


def test_with_a_mail_server_the_link_is_mailed_only(director, settings):
    settings.LABDB_HAS_MAIL = True
    answer = director.post(ADD, WHO)
    assert b"was mailed to ada@example.org" in answer.content
    assert b"/accounts/invitation/" not in answer.content
    assert "/accounts/invitation/" in mail.outbox[0].body


def test_a_mail_server_that_is_away_does_not_lose_the_link(director, settings):
    settings.LABDB_HAS_MAIL = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    assert Client().get(invited(director)).status_code == 200


def test_who_may_invite(experiment, member, django_user_model):
    people = {
        "stranger": django_user_model.objects.create_user("stranger", is_staff=True),
        "technician": member("technician", experiment),
        "auditor": member("auditor", experiment),
        "director": member("director", experiment),
        "manager": django_user_model.objects.create_user("manager", is_staff=True, is_manager=True),
        "administrator": django_user_model.objects.create_user("admin", is_staff=True, is_superuser=True),
    }
    allowed = {name: _status(person) for name, person in people.items()}
    assert allowed == dict.fromkeys(("stranger", "technician", "auditor"), 403) | dict.fromkeys(
        ("director", "manager", "administrator"), 200
    )


def _status(person) -> int:
    client = Client()
    client.force_login(person)
    return client.post(ADD, {"name": str(person), "email": f"{person.pk}@example.org"}).status_code


def test_a_director_invites_to_their_own_experiments_only(director, experiment, django_user_model):
    from experiments.models import Experiment

    other = Experiment(code="POI-2", title="another", masking="open_label")
    other.save()
    answer = director.post(ADD, WHO | {"experiment": str(other.pk), "role": "scientist"})
    assert b"Select a valid choice" in answer.content
    assert not Invitation.objects.exists()


def test_who_has_lost_the_experiment_lets_nobody_in(director, experiment, scientist):
    link = invited(director, experiment=str(experiment.pk), role="technician")
    Membership.objects.filter(user=scientist).update(ended_at=timezone.now())
    assert b"may not do so any more" in Client().post(link, CHOSEN).content
    assert not User.objects.filter(username="ada").exists()


@pytest.mark.parametrize("rights", [{"is_active": False}, {"is_manager": False}])
def test_who_has_left_lets_nobody_in(rights, django_user_model):
    """Not even with an invitation to no experiment."""
    manager = django_user_model.objects.create_user("manager", is_staff=True, is_manager=True)
    client = Client()
    client.force_login(manager)
    link = invited(client)
    django_user_model.objects.filter(pk=manager.pk).update(**rights)
    assert b"may not do so any more" in Client().post(link, CHOSEN).content
    assert not User.objects.filter(username="ada").exists()


def test_revoked_and_expired_links_no_longer_count(director):
    link = invited(director)
    row = Invitation.objects.get()
    page = director.get(reverse("admin:labdb_invitation_changelist")).content.decode()
    assert "ada@example.org" in page
    director.post(reverse("admin:labdb_invitation_do", args=[row.pk, "revoke"]))
    assert Client().post(link, CHOSEN).status_code == 404
    second = invited(director)
    Invitation.objects.filter(revoked_at=None).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert Client().post(second, CHOSEN).status_code == 404
    assert not User.objects.filter(username="ada").exists()


def test_an_outsider_learns_nothing_from_links(director):
    invited(director)
    answers = {Client().get(f"/accounts/invitation/{token}/").content for token in ("a" * 43, "b" * 43, "%00")}
    assert len(answers) == 1


def test_an_address_is_invited_once(director, scientist):
    invited(director)
    assert b"was invited already" in director.post(ADD, WHO).content
    assert b"has a log-in already" in director.post(ADD, WHO | {"email": "SCIENTIST@example.org"}).content


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"username": "scientist"}, "already exists"),
        ({"password2": "another"}, "not the same"),
        ({"password1": "short", "password2": "short"}, "at least 12 characters"),
        ({"password1": "ada@example.org", "password2": "ada@example.org"}, "too similar"),
        ({"username": ""}, "required"),
    ],
)
def test_what_is_chosen_is_checked(wrong, told, director):
    link = invited(director)
    assert told in Client().post(link, CHOSEN | wrong).content.decode()
    assert User.objects.count() == 1
    assert Client().post(link, CHOSEN).status_code == 302
