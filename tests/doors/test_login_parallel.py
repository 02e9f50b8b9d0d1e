"""Guesses in parallel at a real gunicorn, from many forged addresses: how many reach the hasher."""

import http.client
import json
import os
import random
import re
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest

from labdb.base.login.limiter import ADDRESS_GUESSES, GUESSES
from tests.services import ROOT

PASSWORD = "a-good-passphrase-1"  # of the fixture ``scientist``
AT_ONCE = 40
FORGED = [f"10.{n % 7}.{n // 250}.{n % 250}" for n in range(500)]


class Served:
    """A gunicorn of three processes with eight threads each, and the hashes that its processes computed."""

    def __init__(self, port: int, hashed: Path) -> None:
        self.port, self.hashed = port, hashed

    def count(self) -> int:
        return self.hashed.stat().st_size

    def send(self, method: str, path: str, body: str = "", **headers: str) -> tuple[int, dict[str, str], str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            cookies = [value for name, value in answer.getheaders() if name.lower() == "set-cookie"]
            jar = dict(re.match(r"([^=]+)=([^;]*)", cookie).groups() for cookie in cookies)
            return answer.status, jar, answer.read().decode()
        finally:
            connection.close()

    def form(self) -> tuple[str, str]:
        """Cookie and token of the log-in page."""
        _, jar, page = self.send("GET", "/accounts/login/")
        return f"csrftoken={jar['csrftoken']}", re.search(r'csrfmiddlewaretoken" value="(\w+)"', page)[1]

    def try_page(
        self, form: tuple[str, str], username: str, password: str, cookie: str = "", address: str = ""
    ) -> tuple:
        body = urlencode({"login": username, "password": password, "csrfmiddlewaretoken": form[1]})
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": f"{form[0]}; {cookie}"}
        return self.send("POST", "/accounts/login/", body, **headers, **{"X-Forwarded-For": address})

    def try_rest(self, username: str, password: str, address: str) -> tuple:
        body = json.dumps({"username": username, "password": password})
        return self.send(
            "POST", "/api/v1/tokens", body, **{"Content-Type": "application/json", "X-Forwarded-For": address}
        )


@contextmanager
def served(folder: Path, sabotage: str = "") -> Iterator[Served]:
    hashed = folder / "hashed"
    hashed.touch()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {"DJANGO_SETTINGS_MODULE": "tests.doors.guessing", "LABDB_TEST_HASHED": str(hashed)}
    command = [sys.executable, "-m", "gunicorn", "tests.doors.guessing_wsgi", "--bind", f"127.0.0.1:{port}"]
    command += ["--workers", "3", "--threads", "8"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command,
            env=os.environ | environment | {"LABDB_TEST_SABOTAGE": sabotage},
            cwd=ROOT,
            stdout=log,
            stderr=log,
        )
    server = Served(port, hashed)
    try:
        _wait(server, process, folder / "log")
        yield server
    finally:
        process.terminate()
        process.wait(timeout=60)


def _wait(server: Served, process: subprocess.Popen, log: Path) -> None:
    until = time.monotonic() + 90
    while time.monotonic() < until and process.poll() is None:
        try:
            server.form()
        except OSError:
            time.sleep(0.2)
        else:
            return
    pytest.fail(f"the server did not start: {log.read_text()}")


def guess(server: Served, times: int) -> Counter:
    """``times`` wrong passwords of one account through both doors at once; how the server answered."""
    form = server.form()

    def one(number: int) -> int:
        address = random.choice(FORGED)
        if number % 2:
            return server.try_page(form, "scientist", f"wrong-{number}", address=address)[0]
        return server.try_rest("scientist", f"wrong-{number}", address)[0]

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return Counter(pool.map(one, range(times)))


@pytest.mark.parametrize("times", [100, pytest.param(1000, marks=pytest.mark.stress)])
def test_five_guesses_reach_the_hasher(times, committed_db, scientist, tmp_path):
    with served(tmp_path) as server:
        form = server.form()
        status, jar, _ = server.try_page(form, "scientist", PASSWORD)
        assert status == 302
        device = f"labdb_device={jar['labdb_device']}"
        before = server.count()
        started = time.monotonic()
        answers = guess(server, times)
        reached, seconds = server.count() - before, time.monotonic() - started
        print(f"{reached} of {times} guesses reached the hasher in {seconds:.1f} s: {dict(answers)}")
        assert 1 <= reached <= GUESSES
        assert set(answers) <= {200, 401, 429}
        assert answers[429] == times - reached
        assert server.try_page(form, "scientist", PASSWORD)[0] == 429, "a stranger's right password is refused too"
        assert server.try_page(form, "scientist", PASSWORD, device)[0] == 302, "the owner's browser is let in"


@pytest.mark.stress
@pytest.mark.parametrize("sabotage", ["no limiter", "read, then write"])
def test_without_the_limiter_more_reach_it(sabotage, committed_db, scientist, tmp_path):
    """The twins: the test above would see it."""
    with served(tmp_path, sabotage) as server:
        before = server.count()
        guess(server, 300)
        reached = server.count() - before
    print(f"{sabotage}: {reached} of 300 guesses reached the hasher")
    assert reached > GUESSES


@pytest.mark.stress
def test_an_address_is_limited_over_all_names(committed_db, scientist, tmp_path):
    """500 names from one address under 500 forged ones."""
    with served(tmp_path) as server, ThreadPoolExecutor(AT_ONCE) as pool:
        wanted = [(f"name-{number}", "password", address) for number, address in enumerate(FORGED)]
        answers = Counter(status for status, _, _ in pool.map(lambda one: server.try_rest(*one), wanted))
        print(f"{server.count()} of 500 guesses at 500 names reached the hasher: {dict(answers)}")
        assert server.count() == ADDRESS_GUESSES
