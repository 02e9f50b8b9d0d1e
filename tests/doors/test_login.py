"""Log-in as a person meets it: one page, one limiter, a second factor, sessions that end."""

import os
import re
import time
from datetime import timedelta

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.core import mail
from django.db import connection
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from labdb.base.login import devices, limiter
from labdb.base.models import GuessBudget, User

pytestmark = pytest.mark.django_db

PASSWORD = "a-good-passphrase-1"
LOGIN = "/accounts/login/"
TOKENS = "/api/v1/tokens"


@pytest.fixture
def clean_cache():
    from django.core.cache import cache

    cache.clear()


@pytest.fixture
def secret(scientist) -> str:
    """The key of the second factor that ``scientist`` has."""
    made = generate_totp_secret()
    TOTP.activate(scientist, made)
    RecoveryCodes.activate(scientist)
    return made


def code_of(secret: str, steps: int = 0) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))


def log_in(client, username="scientist", password=PASSWORD, **more):
    return client.post(LOGIN, {"login": username, "password": password, **more})


def is_in(client) -> bool:
    return client.get("/admin/").status_code == 200


def ask_token(client, username="scientist", password=PASSWORD, **more):
    return client.post(TOKENS, {"username": username, "password": password, **more}, "application/json")


def in_the_past(**ago) -> None:
    """Every reservation moves into the past."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE labdb_guessbudget SET last_at = last_at - %(ago)s,"
            " spent = ARRAY(SELECT at - %(ago)s FROM unnest(spent) AS at)",
            {"ago": timedelta(**ago)},
        )


# -- one page


def test_every_door_leads_to_the_one_page(client, scientist):
    answer = client.get("/admin/experiments/animal/?q=M001")
    assert answer.url.startswith("/admin/login/?next=")
    answer = client.get(answer.url)
    assert answer.url == f"{LOGIN}?next=/admin/experiments/animal/%3Fq%3DM001"
    answer = client.post(
        LOGIN, {"login": "scientist", "password": PASSWORD, "next": "/admin/experiments/animal/?q=M001"}
    )
    assert answer.url == "/admin/experiments/animal/?q=M001"
    assert is_in(client)


@pytest.mark.parametrize("wanted", ["https://elsewhere.example/", "//elsewhere.example/", "javascript:alert(1)"])
def test_next_leads_nowhere_else(wanted, client, scientist):
    assert client.get("/admin/login/", {"next": wanted}).url == f"{LOGIN}?next=/admin/"
    assert log_in(client, next=wanted).url == "/admin/"


def test_nobody_signs_up(client):
    with pytest.raises(NoReverseMatch):
        reverse("account_signup")
    for path in ("signup/", "email/", "confirm-email/", "login/code/", "password/set/", "social/signup/"):
        assert client.get(f"/accounts/{path}").status_code == 404
        assert client.post(f"/accounts/{path}", {"username": "me", "password1": PASSWORD}).status_code == 404
    assert not User.objects.exists()


def test_who_may_not_use_the_admin_is_not_sent_round_in_circles(client, django_user_model):
    django_user_model.objects.create_user("guest", password=PASSWORD)
    log_in(client, "guest")
    assert client.get("/admin/", follow=True).status_code == 403


# -- guesses


def test_five_guesses_an_account(client, scientist):
    for _ in range(5):
        assert log_in(client, password="wrong").status_code == 200
    refused = log_in(client)
    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 900
    assert "15 minutes" in refused.content.decode()
    assert ask_token(client).status_code == 429
    assert not is_in(client)
    in_the_past(minutes=15)
    assert log_in(client).status_code == 302


def test_no_fifteen_minutes_hold_more(client, scientist):
    """A window that began anew by the clock would allow five more right after it."""
    for _ in range(4):
        log_in(client, password="wrong")
    in_the_past(minutes=14)
    log_in(client, password="wrong")
    assert log_in(client, password="wrong").status_code == 429
    in_the_past(minutes=1)
    for _ in range(4):
        assert log_in(client, password="wrong").status_code == 200
    assert log_in(client, password="wrong").status_code == 429


def test_a_success_gives_back_its_own_guess_only(client, scientist):
    for _ in range(4):
        log_in(client, password="wrong")
    for _ in range(3):
        assert ask_token(client).status_code == 201
    assert log_in(client, password="wrong").status_code == 200
    assert ask_token(client).status_code == 429


def test_who_guesses_cannot_lock_out_a_known_browser(scientist):
    owner, guesser = Client(), Client()
    log_in(owner)
    owner.post("/accounts/logout/")
    for _ in range(6):
        log_in(guesser, password="wrong")
    assert log_in(guesser).status_code == 429
    assert log_in(owner).status_code == 302


def test_a_known_browser_has_a_budget_of_its_own(scientist):
    owner = Client()
    log_in(owner)
    owner.post("/accounts/logout/")
    for _ in range(5):
        assert log_in(owner, password="wrong").status_code == 200
    assert log_in(owner).status_code == 429
    assert log_in(Client()).status_code == 302


def test_the_cookie_counts_for_its_account_and_password_only(scientist, django_user_model):
    other = django_user_model.objects.create_user("other", password=PASSWORD, is_staff=True)
    owner = Client()
    log_in(owner)
    cookie = owner.cookies[devices.COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    for _ in range(5):
        log_in(Client(), "other", "wrong")
    owner.post("/accounts/logout/")
    assert log_in(owner, "other").status_code == 429, "the cookie of one account is none of another"
    limiter.unlock("other")
    log_in(owner, "other")
    request = type("Request", (), {"COOKIES": {devices.COOKIE: owner.cookies[devices.COOKIE].value}})
    assert devices.known(request, scientist), "computers at the bench are shared: the cookie keeps several accounts"
    assert devices.known(request, other)
    scientist.set_password("another-passphrase-2")
    assert devices.known(request, scientist) is None
    request.COOKIES[devices.COOKIE] = request.COOKIES[devices.COOKIE][:-2] + "xx"
    assert devices.known(request, other) is None


def test_an_address_has_a_budget_over_all_accounts(client, scientist, monkeypatch):
    monkeypatch.setattr(limiter, "ADDRESS_GUESSES", 10)
    for number in range(10):
        forged = {"HTTP_X_FORWARDED_FOR": f"10.0.0.{number}"}
        assert client.post(LOGIN, {"login": f"nobody-{number}", "password": "x"}, **forged).status_code == 200
    assert (
        client.post(LOGIN, {"login": "nobody-99", "password": "x"}, HTTP_X_FORWARDED_FOR="10.9.9.9").status_code == 429
    )
    assert log_in(client).status_code == 429
    assert client.post(LOGIN, {"login": "scientist", "password": PASSWORD}, REMOTE_ADDR="192.0.2.9").status_code == 302


@pytest.mark.parametrize(
    ("trusted", "forwarded", "address"),
    [
        (0, "10.0.0.1", "192.0.2.1"),
        (1, "10.0.0.1, 198.51.100.7", "198.51.100.7"),
        (2, "10.0.0.1, 198.51.100.7, 203.0.113.5", "198.51.100.7"),
        (2, "198.51.100.7", "192.0.2.1"),
        (1, "rubbish", "unknown"),
        (1, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        (1, "::ffff:198.51.100.7", "198.51.100.7"),
    ],
)
def test_which_address_counts(trusted, forwarded, address, rf, settings):
    from labdb.base.login.addresses import of_client

    settings.LABDB_TRUSTED_PROXIES = trusted
    assert of_client(rf.get("/", REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR=forwarded)) == address


def test_an_unknown_name_answers_like_a_known_one(scientist, django_user_model):
    django_user_model.objects.create_user("former-x", password=PASSWORD, is_active=False)
    names = ("scientist", "stranger-x", "former-x")
    for path in (LOGIN, TOKENS):
        seen = {name: [_answer(path, name) for _ in range(7)] for name in names}
        assert seen["scientist"] == seen["stranger-x"] == seen["former-x"]
        assert [status for status, _ in seen["stranger-x"]] == [200 if path == LOGIN else 401] * 5 + [429] * 2
        GuessBudget.objects.all().delete()


def _answer(path, name):
    client = Client()
    answer = log_in(client, name, "wrong") if path == LOGIN else ask_token(client, name, "wrong")
    body = answer.content.decode().replace(name, "NAME")
    return answer.status_code, re.sub(r'csrfmiddlewaretoken" value="\w+"|in \d+ (seconds|minutes)', "", body)


def test_a_left_person_with_the_right_password_is_told_nothing(client, django_user_model):
    django_user_model.objects.create_user("left", password=PASSWORD, is_active=False)
    assert "do not belong together" in log_in(client, "left").content.decode()
    assert not is_in(client)


@pytest.mark.parametrize("name", ["scientist", "nobody"])
def test_known_and_unknown_names_cost_one_hash(name, client, scientist, settings):
    from tests import hashers

    settings.PASSWORD_HASHERS = ["tests.hashers.CountingHasher"]
    scientist.set_password(PASSWORD)
    scientist.save()
    before = len(hashers.HASHED)
    log_in(client, name, "wrong")
    assert len(hashers.HASHED) - before == 1


def test_an_administrator_unlocks_an_account(client, scientist):
    from django.core.management import call_command

    for _ in range(6):
        log_in(client, password="wrong")
    assert log_in(client).status_code == 429
    call_command("unlock", "scientist", verbosity=0)
    assert log_in(client).status_code == 302


@pytest.mark.parametrize(
    ("sabotage", "test"),
    [
        ("device cookie ignored", "test_who_guesses_cannot_lock_out_a_known_browser"),
        ("cookie of another account counts", "test_the_cookie_counts_for_its_account_and_password_only"),
        ("X-Forwarded-For believed", "test_an_address_has_a_budget_over_all_accounts"),
        ("guesses of unknown names not counted", "test_an_unknown_name_answers_like_a_known_one"),
        ("success clears all", "test_a_success_gives_back_its_own_guess_only"),
    ],
)
def test_a_guard_taken_away_is_noticed(sabotage, test, request, monkeypatch, client, scientist, django_user_model):
    """The twins of the tests above."""
    spend = limiter.budgets
    everything = {
        "device cookie ignored": (limiter.devices, "known", lambda *a: None),
        "cookie of another account counts": (
            limiter.devices,
            "known",
            lambda request, person: next((entry[1] for entry in devices.entries(request)), None),
        ),
        "X-Forwarded-For believed": (
            limiter.addresses,
            "of_client",
            lambda request: request.META.get("HTTP_X_FORWARDED_FOR", "192.0.2.1").split(",")[0],
        ),
        "guesses of unknown names not counted": (
            limiter,
            "budgets",
            lambda request, secret, username, person=None: spend(request, secret, username, person) if person else [],
        ),
        "success clears all": (
            limiter.Reservation,
            "give_back",
            lambda self: GuessBudget.objects.filter(key__in=[b.key for b, _ in self.spent]).delete(),
        ),
    }
    given = {
        "client": client,
        "scientist": scientist,
        "monkeypatch": monkeypatch,
        "django_user_model": django_user_model,
    }
    function = globals()[test]
    wanted = function.__code__.co_varnames[: function.__code__.co_argcount]
    monkeypatch.setattr(*everything[sabotage])
    with pytest.raises(AssertionError):
        function(**{name: given[name] for name in wanted})


def test_a_lost_second_factor_is_removed(client, scientist, secret):
    from django.core.management import call_command

    call_command("unlock", "scientist", "--remove-second-factor", verbosity=0)
    log_in(client)
    assert is_in(client)


def test_old_rows_are_swept(client, scientist):
    log_in(client, "nobody", "wrong")
    assert limiter.sweep() == 0
    in_the_past(minutes=31)
    assert limiter.sweep() == 2
    assert not GuessBudget.objects.exists()


# -- every other door in front of a password


def test_reauthentication_and_the_old_password_are_limited(client, scientist):
    log_in(client)
    for number in range(5):
        if number % 2:
            body = {"oldpassword": "wrong", "password1": "another-passphrase-2", "password2": "another-passphrase-2"}
            assert client.post("/accounts/password/change/", body).status_code == 200
        else:
            assert client.post("/accounts/reauthenticate/", {"password": "wrong"}).status_code == 200
    assert client.post("/accounts/reauthenticate/", {"password": PASSWORD}).status_code == 429
    body = {"oldpassword": PASSWORD, "password1": "another-passphrase-2", "password2": "another-passphrase-2"}
    assert client.post("/accounts/password/change/", body).status_code == 429
    scientist.refresh_from_db()
    assert scientist.check_password(PASSWORD)


# -- second factor


def test_a_second_factor_is_set_up_and_asked_for(client, scientist, clean_cache):
    log_in(client)
    page = client.get("/accounts/2fa/totp/activate/")
    if page.status_code == 302:
        client.post("/accounts/reauthenticate/", {"password": PASSWORD})
        page = client.get("/accounts/2fa/totp/activate/")
    key = re.search(r"<code>(\w+)</code>", page.content.decode())[1]
    assert client.post("/accounts/2fa/totp/activate/", {"code": "000000"}).status_code == 200
    assert client.post("/accounts/2fa/totp/activate/", {"code": code_of(key)}).status_code == 302
    assert key not in str(Authenticator.objects.values_list("data", flat=True)), "it lies encrypted"
    client.post("/accounts/logout/")
    assert log_in(client).url == "/accounts/2fa/authenticate/"
    assert not is_in(client)
    assert client.post("/accounts/2fa/authenticate/", {"code": code_of(key, 1)}).status_code == 302
    assert is_in(client)


def test_a_code_counts_once(scientist, secret, clean_cache):
    code = code_of(secret)
    for is_first in (True, False):
        from django.core.cache import cache

        cache.clear()  # another process knows nothing of this one's
        client = Client()
        log_in(client)
        client.post("/accounts/2fa/authenticate/", {"code": code})
        assert is_in(client) == is_first


def test_a_recovery_code_counts_once(scientist, secret):
    codes = RecoveryCodes(Authenticator.objects.get(type="recovery_codes")).get_unused_codes()
    for is_first in (True, False):
        client = Client()
        log_in(client)
        client.post("/accounts/2fa/authenticate/", {"code": codes[0]})
        assert is_in(client) == is_first


def test_five_guesses_at_the_code(scientist, secret, clean_cache):
    owner = Client()
    log_in(owner)
    owner.post("/accounts/2fa/authenticate/", {"code": code_of(secret, -1)})
    owner.post("/accounts/logout/")
    guesser = Client()
    log_in(guesser)
    for _ in range(5):
        assert guesser.post("/accounts/2fa/authenticate/", {"code": "000000"}).status_code == 200
    assert guesser.post("/accounts/2fa/authenticate/", {"code": code_of(secret)}).status_code == 429
    log_in(owner)
    assert owner.post("/accounts/2fa/authenticate/", {"code": code_of(secret)}).status_code == 302
    assert is_in(owner)


def test_no_cookie_for_the_password_alone(client, scientist, secret):
    log_in(client)
    assert devices.COOKIE not in client.cookies


def test_rest_asks_for_the_code_too(client, scientist, secret, clean_cache):
    wrong = [ask_token(client), ask_token(client, code="000000"), ask_token(client, password="x", code=code_of(secret))]
    assert {answer.status_code for answer in wrong} == {401}
    assert len({answer.content for answer in wrong}) == 1
    assert ask_token(client, code=code_of(secret)).status_code == 201
    assert [ask_token(client).status_code for _ in range(3)] == [401, 401, 429], "a code left out is a guess as well"


@pytest.mark.parametrize(("policy", "asked"), [("off", ""), ("managers", "ma"), ("everyone", "sma")])
def test_the_laboratory_asks_for_a_second_factor(policy, asked, settings, django_user_model):
    settings.LABDB_REQUIRE_SECOND_FACTOR = policy
    people = {"s": {}, "m": {"is_manager": True}, "a": {"is_superuser": True}}
    for key, fields in people.items():
        django_user_model.objects.create_user(key, password=PASSWORD, is_staff=True, **fields)
        client = Client()
        log_in(client, key)
        answer = client.get("/admin/")
        api = client.get("/api/v1/experiments").status_code
        token = ask_token(Client(), key).status_code
        by_session = client.post(TOKENS, {"name": "script"}, "application/json").status_code
        if key in asked:
            assert answer.url == "/accounts/2fa/totp/activate/"
            assert (api, token, by_session) == (403, 403, 403)
        else:
            assert (answer.status_code, api, token, by_session) == (200, 200, 201, 201)


def test_a_required_second_factor_is_not_removed(client, scientist, secret, settings, clean_cache):
    settings.LABDB_REQUIRE_SECOND_FACTOR = "everyone"
    log_in(client)
    client.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert b"not removed" in client.get("/accounts/2fa/totp/deactivate/").content
    client.post("/accounts/2fa/totp/deactivate/")
    assert Authenticator.objects.filter(type="totp").exists()


def test_secrets_lie_encrypted():
    adapter = get_adapter()
    assert adapter.decrypt(adapter.encrypt("seed")) == "seed"
    assert "seed" not in adapter.encrypt("seed")


# -- sessions


def test_the_session_is_new_after_log_in(client, scientist):
    client.get(LOGIN)
    session = client.session
    session["planted"] = 1
    session.save()
    before = session.session_key
    log_in(client)
    assert client.session.session_key != before


def test_a_changed_password_ends_the_other_sessions(scientist):
    here, there = Client(), Client()
    log_in(here)
    log_in(there)
    body = {"oldpassword": PASSWORD, "password1": "another-passphrase-2", "password2": "another-passphrase-2"}
    assert here.post("/accounts/password/change/", body).status_code == 302
    assert is_in(here)
    assert not is_in(there)


def test_an_idle_session_ends(client, scientist, settings):
    from django.contrib.sessions.models import Session

    log_in(client)
    ends = Session.objects.get().expire_date
    assert ends - timezone.now() <= timedelta(seconds=settings.SESSION_COOKIE_AGE)
    Session.objects.update(expire_date=ends - timedelta(minutes=5))
    assert is_in(client)
    assert Session.objects.get().expire_date >= ends
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert not is_in(client)


# -- passwords


def test_a_short_password_is_refused(client, scientist):
    log_in(client)
    body = {"oldpassword": PASSWORD, "password1": "kurz-und-gut", "password2": "kurz-und-gut"}
    assert client.post("/accounts/password/change/", body).status_code == 302
    body = {"oldpassword": "kurz-und-gut", "password1": "kurzundgut1", "password2": "kurzundgut1"}
    assert b"at least 12 characters" in client.post("/accounts/password/change/", body).content


def test_a_lost_password_is_set_by_mail(client, scientist, settings):
    answers = [
        client.post("/accounts/password/reset/", {"email": email})
        for email in ("nobody@example.org", "scientist@example.org")
    ]
    assert {(answer.status_code, answer.url) for answer in answers} == {(302, "/accounts/password/reset/done/")}
    _mailed(1)
    (letter,) = mail.outbox
    assert letter.to == ["scientist@example.org"]
    link = re.search(r"http://testserver(\S+)", letter.body)[1]
    page = client.get(link, follow=True)
    body = {"password1": "another-passphrase-2", "password2": "another-passphrase-2"}
    assert client.post(page.redirect_chain[-1][0], body).status_code == 302
    assert b"no longer counts" in Client().get(link, follow=True).content
    for _ in range(6):
        log_in(Client(), password="wrong")
    assert log_in(client, password="another-passphrase-2").status_code == 302, "the mailbox's owner is not locked out"


def test_mails_to_one_address_are_few(client, scientist):
    for _ in range(6):
        assert client.post("/accounts/password/reset/", {"email": "scientist@example.org"}).status_code == 302
    _mailed(limiter.MAILS)
    assert len(mail.outbox) == limiter.MAILS


def _mailed(count: int) -> None:
    until = time.monotonic() + 5
    while len(mail.outbox) < count and time.monotonic() < until:
        time.sleep(0.02)


def test_a_person_without_mail_address_logs_in(client):
    from django.core.management import call_command

    os.environ["DJANGO_SUPERUSER_PASSWORD"] = PASSWORD
    call_command("createsuperuser", username="first", email="", interactive=False, verbosity=0)
    assert log_in(client, "first").status_code == 302
    assert is_in(client)
