"""The supervisor with real processes: it starts, watches and stops them, and leaves none behind."""

import os
import re
import signal
import socket
import stat
import sys
import time
import urllib.request
from pathlib import Path

import psycopg
import pytest

from labdb.supervisor.process import Identity
from tests.ops.trees import Supervisor, gone, manage, supervisor

PROGRAMS = ("gunicorn labdb.wsgi", "celery -A labdb worker", "celery -A labdb beat", "postgres -D", "valkey.conf")
linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the death signal is Linux's own")


def test_the_whole_tree(var: Path, home: Path) -> None:
    """One folder, killed and started again, and many looks at it, because a whole tree takes seconds to start."""
    with supervisor(var, home, "up", "--port", "0") as tree:
        family = tree.family()
        for words in PROGRAMS:
            assert any(words in one.command for one in family), words
        _look_at_commands(tree, home)
        tree.end(signal.SIGKILL)
        if sys.platform.startswith("linux"):
            assert not gone(family, 30)
    with supervisor(var, home, "up", "--port", "0") as tree:
        family = tree.family()
        login = f"{tree.state['address']}admin/login/"
        web = next(one for one in family if "gunicorn" in one.command)
        os.kill(web.pid, signal.SIGKILL)
        tree.await_ready(lambda one: any(line.startswith("web died") for line in one.lines))
        tree.await_ready(lambda one: _answers(login))
        family += tree.family()
        down = manage(var, home, "down")
        assert down.returncode == 0, down.stderr
        assert tree.process.wait(timeout=30) == 0
        assert not gone(family, 0)
    stopped = [line.removeprefix("stopping ") for line in tree.lines if line.startswith("stopping")]
    assert stopped == ["web", "beat", "worker", "the broker", "PostgreSQL"]
    assert not list(home.rglob("*")), "something was written into the home folder"
    assert stat.S_IMODE(var.stat().st_mode) in (0o700, 0o711)
    assert not (var / "run" / "state.json").exists()
    assert manage(var, home, "down").returncode == 1


def _look_at_commands(tree: Supervisor, home: Path) -> None:
    address = tree.state["address"]
    second = manage(tree.var, home, "up")
    assert second.returncode == 1
    assert f"already running in {tree.var} (pid {tree.process.pid}, {address})" in second.stderr
    who = "from django.db import connection as c; print(c.settings_dict['USER'])"
    role = manage(tree.var, home, "shell", "-v", "0", "-c", who)
    assert role.stdout.strip() == "labdb_app", role.stderr
    migrate = manage(tree.var, home, "migrate", "--check")
    assert migrate.returncode == 0, migrate.stderr


def _answers(page_address: str) -> bool:
    try:
        with urllib.request.urlopen(page_address, timeout=5) as page:
            return bool(page.status == 200)
    except OSError:
        return False


@linux_only
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_however_the_supervisor_ends_no_process_stays(var: Path, home: Path, number: int) -> None:
    with supervisor(var, home) as tree:
        family = tree.family()
        assert len(family) >= 4, family
        tree.end(number)
        left = gone(family, 15)
        for one in left:
            one.kill(signal.SIGKILL)
        assert not left


def test_after_a_kill_the_next_start_has_every_acknowledged_row(var: Path, home: Path) -> None:
    with supervisor(var, home) as tree:
        url = tree.environment["DATABASE_OWNER_URL"]
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept (word integer)")
        connection = psycopg.connect(url, autocommit=True)
        for word in range(200):
            connection.execute("INSERT INTO kept VALUES (%s)", (word,))
        postmaster = next(one for one in tree.family() if "postgres -D" in one.command)
        tree.process.kill()
        os.kill(postmaster.pid, signal.SIGKILL)  # not even its own quick end: the log must be replayed
        tree.process.wait()
        connection.close()
    with supervisor(var, home) as tree, psycopg.connect(tree.environment["DATABASE_URL"]) as again:
        assert again.execute("SELECT count(*) FROM kept").fetchone() == (200,)


def test_two_checkouts_run_side_by_side(tmp_path: Path, home: Path) -> None:
    with supervisor(tmp_path / "one", home) as one, supervisor(tmp_path / "two", home) as two:
        urls = [tree.environment["DATABASE_OWNER_URL"] for tree in (one, two)]
        with psycopg.connect(urls[0]) as connection:
            connection.execute("CREATE TABLE only_here (id integer)")
        with psycopg.connect(urls[1]) as connection:
            assert connection.execute("SELECT to_regclass('only_here')").fetchone() == (None,)


def test_a_server_that_dies_is_started_again(var: Path, home: Path) -> None:
    with supervisor(var, home) as tree:
        for words, name in (("postgres -D", "PostgreSQL"), ("valkey.conf", "the broker")):
            old = next(one for one in tree.family() if words in one.command)
            os.kill(old.pid, signal.SIGKILL)
            tree.await_ready(lambda one, name=name: any(line.startswith(f"{name} died") for line in one.lines))
            tree.await_ready(lambda one, words=words, old=old: _successor(one.family(), words, old))
        deadline = time.monotonic() + 20
        while not _connects(tree.environment["DATABASE_URL"]):
            assert time.monotonic() < deadline
            time.sleep(0.1)


def _successor(family: list[Identity], words: str, old: Identity) -> bool:
    return any(words in one.command and one.pid != old.pid for one in family)


def _connects(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


def test_a_taken_port_is_said_before_anything_is_started(var: Path, home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        answer = manage(var, home, "up", "--port", str(port))
    assert answer.returncode == 1
    assert re.search(rf"port {port} on 127\.0\.0\.1 cannot be used .*--port", answer.stderr), answer.stderr
    assert "starting" not in answer.stdout


def test_a_command_without_servers_says_how_to_start_them(var: Path, home: Path) -> None:
    answer = manage(var, home, "migrate")
    assert answer.returncode == 1
    assert "make up" in answer.stderr
    assert "Traceback" not in answer.stderr
