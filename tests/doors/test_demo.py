"""The demo study, loaded over HTTP into a real server with a real worker: what comes out is what was simulated."""

import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from labdb.base.models import User
from labdb.demo import files
from labdb.demo.client import Client
from labdb.demo.load import Loader
from labdb.demo.show import compare_with_truth, dataset, summary_table
from tests.services import ROOT


@pytest.fixture
def address(worker):
    """A real gunicorn over the test's database."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "labdb.wsgi", "--bind", f"127.0.0.1:{port}", "--no-control-socket"]
    server = subprocess.Popen(command, cwd=ROOT)
    try:
        _await(f"http://127.0.0.1:{port}/api/v1/schema")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=30)


def _await(url, seconds=60):
    until = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(url, timeout=10)
        except urllib.error.HTTPError:
            return
        except OSError:
            assert time.monotonic() < until
            time.sleep(0.1)
        else:
            return


def test_the_demo_study_comes_out_as_it_was_simulated(address):
    User.objects.create_user("demo", password="a-good-passphrase-1", is_staff=True, is_manager=True)
    User.objects.create_user("assessor", password="a-good-passphrase-1", is_staff=True)
    said = []
    loader = Loader(Client(address, "demo", "a-good-passphrase-1"), said.append)
    report = loader.load()

    assert [line for line in said if "186" in line] == [
        '    Animals!O18 (d14): "186" — expected a body weight of 5 to 60 g, or empty'
    ]
    rows = dataset(loader)
    living = [mouse for mouse in loader.mice if mouse.died_on_day is None]
    for kit, worst in ((files.E2, 25), (files.AMH, 10)):
        truth = files.plate_run(kit, loader.mice, 0).truth
        deviations, censored = compare_with_truth(rows, kit.endpoint, truth)
        below = sum(true / kit.dilution < min(kit.standards) for true in truth.values())
        assert len(deviations) + censored == len(living)
        assert abs(censored - below) <= 2  # a value at the limit falls to either side
        assert max(deviations) < worst
    weights = {(row["animal"], int(row["study_day"])): row["value"] for row in rows if row["endpoint"] == "body_weight"}
    assert {key: float(value) for key, value in weights.items()} == {
        (mouse.lab_id, day): weight for mouse in loader.mice for day, weight in mouse.weights_g.items() if weight
    }
    counted = {(row["animal"], row["endpoint"]): float(row["value"]) for row in rows if "follicles_" in row["endpoint"]}
    for mouse in living:
        raw = sum(count for _, _, name, count in mouse.tally if name == "primordial")
        assert counted[mouse.lab_id, "follicles_primordial"] == raw * files.EVERY_NTH
    assert len(summary_table(loader.summary())) > 6 * 6
    assert len(report["sha256"]) == 64

    _run_scripts(address, loader, rows)

    for _ in range(2):
        loader.admit("assessor", "assessor")
    assert sorted(m["role"] for m in loader.client.rows("memberships", experiment=loader.id)) == [
        "assessor",
        "director",
    ]

    said.clear()
    again = Loader(loader.client, said.append)
    assert again.load() == report  # a second run finds everything done
    assert said == ["waiting for the worker's outcome summaries"]


def _run_scripts(address, loader, rows):
    """The two scripts of the documentation, as they stand there, find the same means."""
    wanted = []
    for arm in sorted({row["arm"] for row in rows if row["arm"]}):
        e2 = [float(r["value"]) for r in rows if r["arm"] == arm and r["endpoint"] == "e2" and r["value"]]
        wanted.append(f"{arm}: n = {len(e2)}, mean = {statistics.mean(e2):.2f} pg/mL")
    text = (ROOT / "docs" / "scripts.md").read_text()
    programs = {"python": [sys.executable, "-c"], "r": ["Rscript", "-e"]}
    environment = os.environ | {"LABDB_ADDRESS": address, "LABDB_TOKEN": loader.client.token}
    for language, command in programs.items():
        if shutil.which(command[0]) is None:
            continue  # R is a guest: it is tried where it is
        (script,) = re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)
        shown = subprocess.run([*command, script], env=environment, capture_output=True, text=True, check=False)
        assert sorted(shown.stdout.splitlines()) == sorted(wanted), shown.stderr
