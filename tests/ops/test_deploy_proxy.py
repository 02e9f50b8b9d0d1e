"""The real nginx with its real configuration in front of the real web server, in production, with a certificate."""

import http.client
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

import pytest

from labdb.supervisor.folders import free_port
from labdb.supervisor.process import wait_until
from labdb.supervisor.state import PROJECT
from tests.conftest import cloned_database
from tests.ops.test_deploy_roles import filled_in
from tests.services import with_database

missing = [name for name in ("nginx", "openssl") if not (shutil.which(name) or shutil.which(name, path="/usr/sbin"))]
pytestmark = pytest.mark.skipif(bool(missing), reason=f"not installed here: {', '.join(missing)}")
HOST = "labdb.example.org"  # what env.example says
FORGED = {
    "X-Forwarded-For": "6.6.6.6",
    "X-Real-IP": "6.6.6.6",
    "Forwarded": "for=6.6.6.6",
    "X-Forwarded-Host": "evil.org",
}


class Site:
    """The proxy's two ports, and what a browser sees there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.http_port, self.https_port = free_port(), free_port()
        self.trust = ssl.create_default_context(cafile=folder / "tls" / "fullchain.pem")
        self.trust.check_hostname = False  # it is asked by its address

    def ask(
        self, path: str, data: dict[str, str] | bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[http.client.HTTPResponse, str]:
        connection = http.client.HTTPSConnection("127.0.0.1", self.https_port, context=self.trust, timeout=30)
        body = urlencode(data).encode() if isinstance(data, dict) else data
        sent = {"Host": HOST, "Referer": f"https://{HOST}/"} | (headers or {})
        if isinstance(data, dict):
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request("GET" if data is None else "POST", path, body, sent)
        answer = connection.getresponse()
        return answer, answer.read().decode(errors="replace")

    def log_in(self, password: str, headers: dict[str, str] | None = None) -> http.client.HTTPResponse:
        page, text = self.ask("/accounts/login/")
        cookies = SimpleCookie(page.headers["Set-Cookie"])
        form = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', text)
        assert form, text
        sent = {"Cookie": "; ".join(f"{name}={one.value}" for name, one in cookies.items())} | (headers or {})
        fields = {"csrfmiddlewaretoken": form[1], "login": "operator", "password": password}
        return self.ask("/accounts/login/", fields, sent)[0]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, django_db_setup: None, django_db_blocker) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    (folder / "tls").mkdir()
    certificate = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    certificate += ["-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}", "-days", "2"]
    certificate += ["-keyout", str(folder / "tls" / "privkey.pem"), "-out", str(folder / "tls" / "fullchain.pem")]
    subprocess.run(certificate, check=True, capture_output=True)
    made = Site(folder)
    with django_db_blocker.unblock(), cloned_database() as name:
        from labdb.base.models import User

        User.objects.create_user("operator", "operator@example.org", "a-good-passphrase-1", is_staff=True)
        given = filled_in(
            DATABASE_URL=with_database(os.environ["DATABASE_URL"], name),
            CELERY_BROKER_URL=os.environ["CELERY_BROKER_URL"],
            LABDB_FILES_DIR=str(folder / "files"),
            LABDB_VAR=str(folder / "var"),
            LABDB_WEB_WORKERS="1",
        )
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("LABDB_", "DATABASE"))}
        environment |= given
        collect = [sys.executable, "manage.py", "collectstatic", "--noinput", "--skip-checks", "-v", "0"]
        subprocess.run(collect, cwd=PROJECT, env=environment, check=True)
        web = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.py", "--bind", f"unix:{folder}/web.sock"]
        nginx = [shutil.which("nginx") or "/usr/sbin/nginx", "-p", str(folder), "-c", configuration(made)]
        tested = subprocess.run([*nginx, "-t"], capture_output=True, text=True, check=False)
        assert tested.returncode == 0, tested.stderr
        assert "warn" not in tested.stderr
        with (
            (folder / "web.log").open("wb") as log,
            subprocess.Popen(web, cwd=PROJECT, env=environment, stdout=log, stderr=log) as gunicorn,
            subprocess.Popen(nginx, stdout=log, stderr=log) as proxy,
        ):
            try:
                assert wait_until(lambda: _answers(folder, environment), 90, 0.5), (folder / "web.log").read_text()
                yield made
            finally:
                proxy.terminate()
                gunicorn.terminate()


def _answers(folder: Path, environment: dict[str, str]) -> bool:
    """As the container engine asks."""
    command = [sys.executable, "deploy/answers.py", f"{folder}/web.sock"]
    return subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, check=False).returncode == 0


def configuration(site: Site) -> str:
    """The delivered file with this test's ports and folders, inside the frame that Debian puts around it."""
    text = (PROJECT / "deploy" / "nginx.conf.template").read_text().replace("${LABDB_BODY_MB}", "101")
    folder = site.folder
    for there, here in (
        ("/etc/labdb/tls", f"{folder}/tls"),
        ("/run/labdb", str(folder)),
        ("/var/www/acme", f"{folder}/acme"),
    ):
        assert there in text
        text = text.replace(there, here)
    text = re.sub(r"\n +listen \[::\][^\n]*", "", text)
    text = text.replace("listen 80 ", f"listen 127.0.0.1:{site.http_port} ")
    text = text.replace("listen 443 ", f"listen 127.0.0.1:{site.https_port} ")
    (folder / "acme" / ".well-known" / "acme-challenge").mkdir(parents=True)
    (folder / "acme" / ".well-known" / "acme-challenge" / "token").write_text("the answer")
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if os.geteuid() == 0 else ""  # nobody may not enter the test's folder
    frame = f"{user} daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}}"
    path = folder / "nginx.conf"
    path.write_text(f"{frame}\nhttp {{ access_log off; {temporary}\n{text}\n}}\n")
    return str(path)


def test_plain_http_is_sent_to_https_except_the_proof_for_a_certificate(site: Site) -> None:
    for path, status, words in (
        ("/admin/?q=1", 301, ""),
        ("/.well-known/acme-challenge/token", 200, "the answer"),
    ):
        connection = http.client.HTTPConnection("127.0.0.1", site.http_port, timeout=10)
        connection.request("GET", path, headers={"Host": HOST})
        answer = connection.getresponse()
        assert answer.status == status
        assert words in answer.read().decode()
        assert answer.headers["Location"] == (f"https://{HOST}/admin/?q=1" if status == 301 else None)


def test_a_person_logs_in_over_tls_with_cookies_that_stay_there(site: Site) -> None:
    page, _ = site.ask("/accounts/login/")
    assert page.status == 200
    assert page.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert page.headers["Server"] == "nginx"
    answer = site.log_in("a-good-passphrase-1")
    assert answer.status == 302, answer.read()
    cookies = {name: one for line in answer.headers.get_all("Set-Cookie") for name, one in SimpleCookie(line).items()}
    session = next(one for name, one in cookies.items() if "session" in name)
    assert all(one["secure"] for one in cookies.values())
    assert session["httponly"]
    home, text = site.ask("/admin/", headers={"Cookie": f"{session.key}={session.value}"})
    assert home.status == 200
    assert "operator" in text
    sheet = re.search(r'href="(/static/labdb/admin\.[0-9a-f]{12}\.css)"', text)
    assert sheet, "the style sheet's name should tell its content"
    style, _ = site.ask(sheet[1])
    assert (style.status, "immutable" in style.headers["Cache-Control"]) == (200, True)


def test_what_a_client_writes_about_itself_reaches_nobody(site: Site) -> None:
    from labdb.base.models import GuessBudget

    for guess in range(3):
        forged = {name: value.replace("6.6.6.6", f"6.6.6.{guess}") for name, value in FORGED.items()}
        assert site.log_in("wrong", forged).status in (200, 400, 429)
    addresses = {key for key in GuessBudget.objects.values_list("key", flat=True) if key.startswith("address:")}
    assert addresses == {"address:127.0.0.1"}
    there, _ = site.ask("/admin/", headers=FORGED)
    assert "evil.org" not in str(there.headers)
    plain, _ = site.ask("/accounts/login/", headers={"X-Forwarded-Proto": "http"})
    assert plain.status == 200  # else it would be sent to https without end
    assert site.ask("/", headers={"Host": "evil.org"})[0].status == 400


def test_bodies_have_an_end(site: Site) -> None:
    assert site.ask("/accounts/login/", b"x" * 70_000)[0].status == 413
    connection = http.client.HTTPSConnection("127.0.0.1", site.https_port, context=site.trust, timeout=30)
    connection.putrequest("POST", "/api/v1/source-files")
    connection.putheader("Content-Length", str(102 * 1024 * 1024))
    connection.endheaders()
    assert connection.getresponse().status == 413


def test_a_refused_body_is_answered_by_its_refusal(site: Site) -> None:
    """Not by the proxy's 502: who sends a large file without a token learns that it is the token that is missing."""
    body = b"x" * 20_000_000
    answer, text = site.ask("/api/v1/source-files", body)
    assert (answer.status, "credentials" in text) == (401, True)
    head = f"POST /api/v1/source-files HTTP/1.0\r\nHost: {HOST}\r\nX-Forwarded-Proto: https\r\n"
    with socket.socket(socket.AF_UNIX) as behind:  # as a proxy that writes everything before it reads
        behind.settimeout(30)
        behind.connect(str(site.folder / "web.sock"))
        behind.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        assert behind.recv(100).split()[1] == b"401"


def test_slow_clients_hold_nobody_up(site: Site) -> None:
    """More of them than the web server has threads; each has sent half a request and waits."""
    page, _ = site.ask("/accounts/login/")
    cookie = page.headers["Set-Cookie"].split(";")[0]  # with it the form is looked for in the body
    head = f"POST /accounts/login/ HTTP/1.1\r\nHost: {HOST}\r\nReferer: https://{HOST}/\r\nCookie: {cookie}\r\n"
    head += "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 50\r\n\r\n"
    slow = []
    for _ in range(12):
        connection = site.trust.wrap_socket(socket.create_connection(("127.0.0.1", site.https_port), timeout=30))
        connection.sendall(f"{head}half".encode())
        slow.append(connection)
    time.sleep(0.5)
    begin = time.monotonic()
    assert site.ask("/accounts/login/")[0].status == 200
    assert time.monotonic() - begin < 10
    for connection in slow:
        connection.close()
