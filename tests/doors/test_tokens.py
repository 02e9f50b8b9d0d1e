"""Personal tokens: what they leave of a person's rights, how long they live, who revokes them, and that they stay secret."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from experiments.models import Experiment
from labdb.base.models import AccessToken
from labdb.base.tokens import LONGEST_DAYS
from tests.doors.invalid_cases import World
from tests.doors.rest_client import rest_client

pytestmark = pytest.mark.django_db
API = "/api/v1"
WITH_PASSWORD = {"username": "scientist", "password": "a-good-passphrase-1"}


def use(secret: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {secret}")
    return client


def issue(client, **wish):
    return client.post(f"{API}/tokens", wish, format="json")


def test_a_token_for_name_and_password_reads_unless_more_is_asked_for(world: World):
    made = issue(APIClient(), **WITH_PASSWORD)
    assert made.status_code == 201, made.json()
    told = made.json()
    assert (told["scope"], told["experiments"], told["last_used_at"], told["name"]) == ("read", None, None, "log-in")
    reader = use(told["token"])
    assert reader.get(f"{API}/arms").json()["count"] == 3
    refused = reader.post(f"{API}/strains", {"name": "BALB/cJ"}, format="json")
    assert (refused.status_code, refused.json()["detail"]) == (403, "This token may read only.")
    place = f"{API}/arms/{world.arms[0].pk}"
    for answer in (
        reader.patch(place, {"description": "x"}, format="json", HTTP_IF_MATCH="*"),
        reader.delete(place, HTTP_IF_MATCH="*"),
        reader.post(f"{API}/experiments/{world.experiment.pk}/summarise"),
        issue(reader, name="another"),
    ):
        assert answer.status_code == 403
    writer = use(issue(APIClient(), **WITH_PASSWORD, scope="write", name="weights").json()["token"])
    assert writer.post(f"{API}/strains", {"name": "BALB/cJ"}, format="json").status_code == 201


def test_a_bound_token_reaches_its_experiments_and_no_other(api, world: World):
    made = issue(api, name="plots", scope="write", experiments=[str(world.experiment.pk)])
    assert made.json()["experiments"] == [str(world.experiment.pk)]
    bound = use(made.json()["token"])
    codes = {row["code"] for row in bound.get(f"{API}/experiments").json()["results"]}
    assert codes == {"POI-1"}
    assert {row["experiment"] for row in bound.get(f"{API}/arms").json()["results"]} == {str(world.experiment.pk)}
    for path in (
        f"arms/{world.other_arm.pk}",
        f"experiments/{world.other.pk}",
        f"experiments/{world.other.pk}/dataset",
    ):
        assert bound.get(f"{API}/{path}").status_code == 404
    own, other = ({"experiment": str(key), "label": "sham 2"} for key in (world.experiment.pk, world.other.pk))
    assert bound.post(f"{API}/arms", own, format="json").status_code == 201
    hidden = bound.post(f"{API}/arms", other, format="json")
    assert (hidden.status_code, list(hidden.json())) == (400, ["experiment"])
    assert bound.post(f"{API}/experiments", {"code": "POI-9", "title": "new"}, format="json").status_code == 403


def test_a_token_makes_none_that_is_wider_or_lives_longer(api, world: World):
    bound = use(
        issue(api, name="plots", scope="write", experiments=[str(world.experiment.pk)], expires_in_days=30).json()[
            "token"
        ]
    )
    same = issue(bound, name="a part", expires_in_days=29)
    assert (same.status_code, same.json()["experiments"]) == (201, [str(world.experiment.pk)])
    wider = issue(bound, name="more", experiments=[str(world.other.pk)], expires_in_days=29)
    assert (wider.status_code, list(wider.json())) == (400, ["experiments"])
    longer = issue(bound, name="for ever", expires_in_days=31)
    assert (longer.status_code, list(longer.json())) == (400, ["expires_in_days"])
    logged_in = issue(bound, **WITH_PASSWORD, scope="write")  # the password is asked for: it is a log-in of its own
    assert (logged_in.status_code, logged_in.json()["experiments"]) == (201, None)


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x", "scope": "admin"}, "scope"),
        ({"name": "x", "experiments": []}, "experiments"),
        ({"name": "x", "experiments": ["00000000-0000-4000-8000-000000000000"]}, "experiments"),
        ({"name": "x", "expires_in_days": 0}, "expires_in_days"),
        ({"name": "x", "expires_in_days": LONGEST_DAYS + 1}, "expires_in_days"),
        ({"name": "x", "can_write": True}, "can_write"),
        ({"username": "scientist"}, "password"),
    ],
)
def test_a_wish_that_cannot_be_is_refused_at_its_field(api, wish, field):
    refused = issue(api, **wish)
    assert (refused.status_code, list(refused.json())) == (400, [field])


def test_who_is_unknown_gets_no_token(world: World):
    assert issue(APIClient(), name="x").status_code == 401
    assert issue(APIClient(), username="scientist", password="wrong").status_code == 401
    assert APIClient().get(f"{API}/tokens").status_code == 401


def test_one_lists_and_revokes_ones_own_and_administrators_everybodys(api, world: World, member):
    colleague = member("scientist", world.experiment)
    theirs = rest_client(colleague)
    token = AccessToken.objects.get(user=colleague)
    listed = api.get(f"{API}/tokens").json()
    assert (listed["count"], set(listed["results"][0])) == (
        1, {"id", "name", "scope", "experiments", "created_at", "expires_at", "last_used_at"},
    )  # fmt: skip
    assert api.delete(f"{API}/tokens/{token.pk}").status_code == 404
    assert theirs.get(f"{API}/arms").status_code == 200
    administrator = member("auditor", world.experiment)
    administrator.is_superuser = True
    administrator.save()
    assert rest_client(administrator).delete(f"{API}/tokens/{token.pk}").status_code == 204
    assert theirs.get(f"{API}/arms").status_code == 401
    own = issue(api, name="soon gone").json()
    assert api.delete(f"{API}/tokens/{own['id']}").status_code == 204
    assert use(own["token"]).get(f"{API}/arms").status_code == 401


def test_a_narrow_token_ends_only_itself(api, world: World):
    reader = issue(api, name="reader").json()
    bystander = AccessToken.objects.get(name="")
    client = use(reader["token"])
    assert client.delete(f"{API}/tokens/{bystander.pk}").status_code == 403
    assert client.delete(f"{API}/tokens/{reader['id']}").status_code == 204
    assert AccessToken.objects.filter(pk=bystander.pk).exists()


def test_an_expired_token_and_one_of_an_inactive_person_are_dead(scientist, experiment):
    client = rest_client(scientist)
    token = AccessToken.objects.filter(user=scientist)
    token.update(expiry=timezone.now() - timedelta(seconds=1))
    assert client.get(f"{API}/arms").status_code == 401
    token.update(expiry=timezone.now() + timedelta(days=1))
    assert client.get(f"{API}/arms").status_code == 200
    scientist.is_active = False
    scientist.save()
    assert client.get(f"{API}/arms").status_code == 401


def test_its_last_use_is_noted_once_a_minute_and_costs_a_list_nothing(api, scientist, experiment):
    token = AccessToken.objects.filter(user=scientist)
    with CaptureQueriesContext(connection) as first:
        api.get(f"{API}/arms")
    noted = token.get().last_used_at
    assert timezone.now() - noted < timedelta(minutes=1)
    with CaptureQueriesContext(connection) as second:
        api.get(f"{API}/arms")
    assert token.get().last_used_at == noted
    assert sum("labdb_accesstoken" in query["sql"] for query in second) == 1
    assert len(second) < len(first)
    token.update(last_used_at=noted - timedelta(minutes=2))
    api.get(f"{API}/arms")
    assert token.get().last_used_at >= noted


def test_the_trail_tells_of_tokens_and_not_their_secret(api, scientist):
    from labdb.base.trail import changes_since

    secret = issue(api, name="plots").json()["token"]
    token = AccessToken.objects.get(name="plots")
    use(secret).get(f"{API}/arms")
    (made,) = changes_since(AccessToken, token.pk, 0)  # its use is no change
    assert made.statement.person == scientist
    assert made.new["name"] == "plots"
    for hidden in (token.digest, token.token_key, secret):
        assert hidden not in str(made.new)


# -- at the admin


@pytest.fixture
def page() -> str:
    return reverse("admin:tokens")


def test_the_page_shows_a_new_token_once_and_it_works(client, scientist, experiment, page):
    client.force_login(scientist)
    assert page in client.get(reverse("admin:index")).content.decode()
    wish = {"name": "plots", "scope": "write", "experiments": [str(experiment.pk)], "days": "30"}
    answer = client.post(page, wish)
    assert "no-store" in answer["Cache-Control"]
    (secret,) = re.findall(r'class="lab-secret">([0-9a-f]{64})<', answer.content.decode())
    token = AccessToken.objects.get()
    assert (token.can_write, token.experiments, token.name) == (True, [experiment.pk], "plots")
    assert timedelta(days=29) < token.expiry - timezone.now() < timedelta(days=30)
    assert use(secret).get(f"{API}/experiments").json()["count"] == 1
    again = client.get(page).content.decode()
    assert "plots" in again
    assert "POI-1" in again
    assert not any(hidden in again for hidden in (secret, token.digest, token.token_key))


@pytest.mark.parametrize(
    "wish",
    [
        {"name": "", "scope": "read", "days": "90"},
        {"name": "x", "scope": "read", "days": str(LONGEST_DAYS + 1)},
        {"name": "x", "scope": "read", "days": "90", "experiments": ["00000000-0000-4000-8000-000000000000"]},
        {"name": "x", "scope": "everything", "days": "90"},
    ],
)
def test_the_page_refuses_what_cannot_be(client, scientist, experiment, page, wish):
    client.force_login(scientist)
    answer = client.post(page, wish)
    assert answer.status_code == 200
    assert not AccessToken.objects.exists()


def test_the_page_offers_only_experiments_that_one_sees(client, scientist, experiment, page):
    hidden = Experiment(code="HIDDEN", title="of someone else")
    hidden.save()
    client.force_login(scientist)
    assert "HIDDEN" not in client.get(page).content.decode()
    answer = client.post(page, {"name": "x", "scope": "read", "days": "90", "experiments": [str(hidden.pk)]})
    assert "HIDDEN" not in answer.content.decode()
    assert not AccessToken.objects.exists()


def test_the_page_revokes_ones_own_and_administrators_see_and_revoke_everybodys(client, world: World, member, page):
    colleague = member("scientist", world.experiment, "colleague")
    rest_client(colleague, name="theirs")
    theirs = AccessToken.objects.get(user=colleague)
    client.force_login(world.person)
    assert "theirs" not in client.get(page).content.decode()
    for key in (str(theirs.pk), "no-uuid", ""):
        assert client.post(page, {"do": "revoke", "token": key}).status_code == 404
    rest_client(world.person, name="a")
    rest_client(world.person, name="b")
    mine = AccessToken.objects.get(name="a")
    assert client.post(page, {"do": "revoke", "token": str(mine.pk)}).status_code == 302
    assert set(AccessToken.objects.values_list("name", flat=True)) == {"b", "theirs"}
    assert client.post(page, {"do": "revoke_all"}).status_code == 302
    assert set(AccessToken.objects.values_list("name", flat=True)) == {"theirs"}
    world.person.is_superuser = True
    world.person.save()
    shown = client.get(page).content.decode()
    assert "theirs" in shown
    assert theirs.digest not in shown
    assert client.post(page, {"do": "revoke", "token": str(theirs.pk)}).status_code == 302
    assert not AccessToken.objects.exists()


@pytest.mark.parametrize("revokes", [True, False])
def test_a_new_password_offers_to_revoke_the_tokens(client, scientist, revokes):
    place = reverse("account_change_password")
    client.force_login(scientist)
    assert "revoke_tokens" not in client.get(place).content.decode()
    rest_client(scientist)
    assert "revoke_tokens" in client.get(place).content.decode()
    new = "another-good-passphrase-2"
    sent = {"oldpassword": "a-good-passphrase-1", "password1": new, "password2": new}
    answer = client.post(place, {**sent, "revoke_tokens": "on"} if revokes else sent)
    assert answer.status_code == 302, answer.content.decode()
    assert AccessToken.objects.exists() != revokes
