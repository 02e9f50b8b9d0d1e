"""A real Chromium against a real gunicorn over a database of the test's own."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services import ROOT

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = "no Chromium found: `apt-get install chromium`, or name one in LABDB_CHROMIUM"
START_SECONDS = 60


@pytest.fixture(scope="session")
def chromium_path() -> str:
    found = os.environ.get("LABDB_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        pytest.skip(MISSING)
    return found


@pytest.fixture
def site(committed_db: str, tmp_path: Path) -> Iterator[str]:
    """The address of a gunicorn that serves this test's database, with its static files collected."""
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "labdb.settings", "LABDB_VAR": str(tmp_path / "var")}
    collect = [sys.executable, "-m", "django", "collectstatic", "--noinput", "--verbosity=0"]
    subprocess.run(collect, env=environment, cwd=ROOT, check=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "labdb.wsgi", "--bind", f"127.0.0.1:{port}", "--threads", "4"]
    log = tmp_path / "gunicorn.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=output, stderr=output)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(address, process, log)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait(address: str, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"{address}/admin/login/", timeout=10).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
        else:
            return
    pytest.fail(f"the server did not start: {log.read_text()}")
