"""What can be seen in the container file, the compose file and the units without an engine or an init system."""

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import yaml

from labdb.supervisor.binaries import valkey_server
from labdb.supervisor.folders import free_port
from labdb.supervisor.process import wait_until
from labdb.supervisor.state import PROJECT

DEPLOY = PROJECT / "deploy"
UNITS = DEPLOY / "systemd"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
PROGRAM = {"migrate", "web", "worker", "beat"}
SECRETS = {"POSTGRES_PASSWORD", "LABDB_OWNER_PASSWORD", "LABDB_APP_PASSWORD", "BROKER_PASSWORD"}
INSTALLED = {"gunicorn", "celery", "python"}  # commands that the image's environment brings


def explained() -> dict[str, str]:
    """Each variable of env.example with the text above it."""
    found, above = {}, ""
    for line in (DEPLOY / "env.example").read_text().splitlines():
        name = re.match(r"#?([A-Z][A-Z_]+)=", line)
        if name:
            found[name[1]] = above
        elif line.startswith("#"):
            above += line
        else:
            above = ""
    return found


def words(value: Any) -> Iterator[str]:
    """Every text in a part of the compose file."""
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list):
        for part in value:
            yield from words(part)
    elif value is not None:
        yield str(value)


def test_every_variable_of_the_compose_file_is_explained_and_every_explained_one_is_used() -> None:
    used = {name for text in words(COMPOSE) for name in re.findall(r"(?<!\$)\$\{?([A-Z][A-Z_]+)", text)}
    only_here = {name for name, above in explained().items() if "COMPOSE" in above}
    assert used <= set(explained()), f"not in deploy/env.example: {sorted(used - set(explained()))}"
    assert only_here == SECRETS | {"LABDB_TLS_DIR"}
    assert only_here <= used, f"explained and not used: {sorted(only_here - used)}"


def test_the_compose_file_holds_no_secret_and_refuses_to_start_without_one() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    for name in SECRETS | {"LABDB_TLS_DIR"}:
        assert f"${{{name}:?}}" in text
        assert not re.search(rf"\$\{{?{name}(?!:\?)", text), f"{name} is used where it may be missing"
    assert not re.findall(r"(?i)(?:password|requirepass)[\"']?[:=]\s*[\"']?[a-z0-9]+", text)


@pytest.mark.parametrize("name", sorted(PROGRAM))
def test_a_program_that_is_broken_into_knows_only_its_own_passwords(name: str) -> None:
    """The whole of .env reaches it, so what it must not know is overwritten with nothing."""
    environment = SERVICES[name]["environment"]
    assert SERVICES[name]["env_file"] == [".env"]
    assert all(environment[secret] == "" for secret in SECRETS)
    assert bool(environment["DATABASE_OWNER_URL"]) == (name == "migrate")
    told = " ".join(words(SERVICES[name]))
    assert ("LABDB_OWNER_PASSWORD:?" in told) == (name == "migrate")
    assert "POSTGRES_PASSWORD:?" not in told


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_each_container_can_do_little(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert set(service.get("cap_add", ())) <= {"CHOWN", "NET_BIND_SERVICE", "SETGID", "SETUID"}
    assert name == "proxy" or "cap_add" not in service
    assert not {"privileged", "network_mode", "pid", "ipc", "devices"} & set(service)
    assert not any("docker.sock" in word for word in words(service))
    assert service["restart"] == ("no" if name == "migrate" else "unless-stopped")
    assert ("healthcheck" in service) == (name not in ("migrate", "beat"))


@pytest.mark.parametrize("name", sorted(set(SERVICES) - PROGRAM))
def test_foreign_images_are_pinned_to_a_major_version(name: str) -> None:
    assert re.fullmatch(r"[a-z/]+:\d+", SERVICES[name]["image"])


def test_only_the_proxy_is_reached_from_outside() -> None:
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"proxy"}
    assert COMPOSE["networks"]["inside"]["internal"] is True
    assert SERVICES["database"]["networks"] == SERVICES["broker"]["networks"] == ["inside"]
    assert "inside" not in SERVICES["proxy"]["networks"]


def test_what_must_stay_lies_in_volumes_that_web_and_worker_share() -> None:
    shared = {"files:/srv/labdb/files", "var:/srv/labdb/var"}
    assert all(shared <= set(SERVICES[name]["volumes"]) for name in PROGRAM)
    environment = SERVICES["web"]["environment"]
    assert (environment["LABDB_FILES_DIR"], environment["LABDB_VAR"]) == ("/srv/labdb/files", "/srv/labdb/var")
    assert "run:/run/labdb" in SERVICES["web"]["volumes"]
    assert "run:/run/labdb:ro" in SERVICES["proxy"]["volumes"]
    named = {text.split(":")[0] for s in SERVICES.values() for text in s["volumes"] if text[0] not in "./$"}
    assert named == set(COMPOSE["volumes"])
    binds = [text.split(":")[0] for s in SERVICES.values() for text in s["volumes"] if text.startswith("./")]
    assert binds
    assert all((DEPLOY / path).is_file() for path in binds)


def test_the_broker_writes_its_queue_down() -> None:
    script = SERVICES["broker"]["command"][2]
    assert "--appendonly yes" in script
    assert "--maxmemory-policy noeviction" in script
    assert "--requirepass" not in script


def test_nothing_starts_before_what_it_stands_on() -> None:
    assert {name: one["condition"] for name, one in SERVICES["migrate"]["depends_on"].items()} == {
        "database": "service_healthy",
        "broker": "service_healthy",
    }
    for name in PROGRAM - {"migrate"}:
        assert SERVICES[name]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    assert SERVICES["proxy"]["depends_on"] == {"web": {"condition": "service_healthy"}}


def test_the_brokers_command_starts_a_broker_with_a_password_and_its_file(tmp_path: Path) -> None:
    """The very words of the compose file, with the program of this environment."""
    port = free_port()
    script = SERVICES["broker"]["command"][2].replace("$$", "$").replace("/tmp/", f"{tmp_path}/")
    script = script.replace("valkey-server", f"{valkey_server()}", 1).replace("--dir /data", f"--dir {tmp_path}")
    shell = ["sh", "-c", f"{script} --port {port} --bind 127.0.0.1"]
    with subprocess.Popen(shell, env={"REDISCLI_AUTH": "s3cret", "PATH": "/usr/bin:/bin"}) as broker:
        try:
            client = redis.Redis(port=port, password="s3cret", decode_responses=True)
            assert wait_until(lambda: _pings(client), 10, 0.05)
            assert client.config_get("appendonly") == {"appendonly": "yes"}
            with pytest.raises(redis.AuthenticationError):
                redis.Redis(port=port).ping()
            assert "s3cret" not in Path(f"/proc/{broker.pid}/cmdline").read_text()
            assert (tmp_path / "appendonlydir").is_dir()
        finally:
            broker.terminate()
            assert broker.wait(10) == 0, "the signal did not reach the broker"


def _pings(client: Any) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


# --- the container file ---------------------------------------------------------------------------------------------


def stages() -> list[list[tuple[str, str]]]:
    text = re.sub(r"\\\n\s*", " ", (DEPLOY / "Containerfile").read_text())
    found: list[list[tuple[str, str]]] = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        instruction, _, rest = line.partition(" ")
        if instruction == "FROM":
            found.append([])
        found[-1].append((instruction, rest.strip()))
    return found


def copied() -> list[str]:
    sources = []
    for instruction, rest in (one for stage in stages() for one in stage):
        parts = shlex.split(rest)
        if instruction in ("COPY", "ADD") and not parts[0].startswith("--from="):
            sources += parts[:-1]
    return sources


def test_the_final_image_runs_as_nobody_in_particular_and_builds_nothing() -> None:
    build, final = stages()
    assert re.fullmatch(r"python:3\.1\d-slim AS build", build[0][1])
    assert final[0][1] == build[0][1].removesuffix(" AS build")
    installs = " ".join(rest for instruction, rest in build if instruction == "RUN")
    assert "--require-hashes" in installs
    assert "-c /build/requirements.lock" in installs
    commands = " ".join(rest for instruction, rest in final if instruction == "RUN")
    assert not re.search(r"apt-get|uv |pip install|gcc|curl", commands)
    assert "pip uninstall" in commands
    assert [rest for instruction, rest in final if instruction == "USER"] == ["labdb"]
    assert final.index(("USER", "labdb")) > max(i for i, (word, _) in enumerate(final) if word in ("COPY", "RUN"))


def test_the_image_gets_the_program_and_nothing_else(tmp_path: Path) -> None:
    """What the COPY lines and .dockerignore let through is enough to start, and holds neither data nor secrets."""
    lines = (PROJECT / ".dockerignore").read_text().splitlines()
    assert lines[1] == "*", "everything stays outside that is not named"
    let_in = {line[1:] for line in lines if line.startswith("!")}
    assert set(copied()) <= let_in | {"deploy/"}
    assert set(copied()) == let_in
    for source in copied():
        assert (PROJECT / source).exists(), source
    for source in ("manage.py", "labdb", "experiments", "assays", "deploy/gunicorn.py"):
        target = tmp_path / source
        target.parent.mkdir(exist_ok=True)
        ignore = shutil.ignore_patterns("__pycache__", "*.pyc")
        if (PROJECT / source).is_dir():
            shutil.copytree(PROJECT / source, target, ignore=ignore)
        else:
            shutil.copy(PROJECT / source, target)
    # the packages that only tests and tools need must not be asked for
    tools = sorted(tools_only())
    assert {"pytest", "playwright", "mypy", "ruff"} <= set(tools)
    guard = f"import sys; sys.modules.update(dict.fromkeys({tools!r}))"
    start = "import labdb.wsgi, labdb.celery, labdb.urls, experiments.tasks, django.core.management as m"
    check = "m.call_command('check', '--fail-level', 'ERROR')"
    answer = subprocess.run(
        [sys.executable, "-c", f"{guard}\n{start}\n{check}"],
        cwd=tmp_path,
        env={"LABDB_VAR": str(tmp_path / "var"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr


def tools_only() -> set[str]:
    """Modules of the packages that pyproject.toml names for the group dev alone."""
    group = tomllib.loads((PROJECT / "pyproject.toml").read_text())["dependency-groups"]["dev"]
    names = [re.match(r"[a-z-]+", line) for line in group]
    return {name[0].replace("-", "_") for name in names if name} | {"_pytest", "xdist"}


# --- the units ------------------------------------------------------------------------------------------------------


def settings_of(path: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in path.read_text().splitlines():
        if line and line[0] not in "#[":
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


COMMON = settings_of(UNITS / "labdb-.service.d" / "common.conf")


def test_every_unit_runs_as_the_services_user_without_powers() -> None:
    assert COMMON["User"] == ["labdb"]
    assert COMMON["ProtectSystem"] == ["strict"]
    assert COMMON["CapabilityBoundingSet"] == [""]
    on = ("NoNewPrivileges", "ProtectHome", "PrivateTmp", "PrivateDevices", "ProtectKernelTunables", "RestrictSUIDSGID")
    assert all(COMMON[name] == ["yes"] for name in on)
    assert COMMON["UMask"] == ["0077"]
    assert COMMON["PartOf"] == ["labdb.target"]
    for unit in UNITS.glob("*.service"):
        own = settings_of(unit)
        assert not set(own) & {"User", "Group", "AmbientCapabilities", "ReadWritePaths", *on}, unit.name


def test_only_the_migration_knows_the_owners_password() -> None:
    files = {unit.stem: settings_of(unit).get("EnvironmentFile", []) for unit in UNITS.glob("*.service")}
    assert COMMON["EnvironmentFile"] == ["/etc/labdb/env"]
    assert {name: found for name, found in files.items() if found} == {"labdb-migrate": ["/etc/labdb/owner.env"]}


def test_programs_start_after_the_migration_and_with_the_target() -> None:
    wanted = settings_of(UNITS / "labdb.target")["Wants"][0].split()
    assert set(wanted) == {"labdb-web.service", "labdb-worker.service", "labdb-beat.service"}
    for name in wanted:
        own = settings_of(UNITS / name)
        assert "labdb-migrate.service" in own["Requires"][0].split()
        assert "labdb-migrate.service" in own["After"][0].split()
        assert own["Restart"] == ["always"]


def test_containers_and_units_start_the_same_commands() -> None:
    for name in ("web", "worker", "beat"):
        unit = shlex.split(settings_of(UNITS / f"labdb-{name}.service")["ExecStart"][0])
        container = [str(word) for word in SERVICES[name]["command"]]
        assert {_option(word) for word in unit[1:]} == {_option(word) for word in container[1:] if word}
        assert Path(unit[0]).name == container[0]
        assert container[0] in INSTALLED


def _option(word: str) -> str:
    """The word without what differs between the two: folders, and how a default is written."""
    return re.sub(r"^\$\{.*\}$", "N", re.sub(r"/.*/", "", word)).removesuffix("=")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze to verify the units with")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    folder = tmp_path / "units"
    shutil.copytree(UNITS, folder)
    for unit in folder.glob("*.service"):  # the programs are not installed there
        unit.write_text(unit.read_text().replace("/opt/labdb/.venv/bin/", "/usr/bin/env "))
    names = [str(unit) for unit in folder.glob("labdb*") if unit.is_file()]
    environment = {"SYSTEMD_UNIT_PATH": f"{folder}:", "PATH": "/usr/bin:/bin"}
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *names], env=environment, capture_output=True, text=True, check=False
    )
    assert (verified.returncode, verified.stderr) == (0, "")
    for name in ("web", "worker", "beat", "migrate"):
        judged = subprocess.run(
            ["systemd-analyze", "security", "--offline=yes", "--threshold=20", "--no-pager", f"labdb-{name}.service"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert judged.returncode == 0, judged.stdout[-300:] + judged.stderr
