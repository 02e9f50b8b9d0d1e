"""A small client of the REST API: what any script of the laboratory could be."""

import json
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Mapping
from typing import Any

JOB_SECONDS = 180
Row = dict[str, Any]
NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Refused(Exception):
    """The server's answer was an error, or a job failed; the text is what it said."""


class Client:
    """Speaks to ``{address}/api/v1`` with a token of its own."""

    def __init__(self, address: str, username: str, password: str) -> None:
        self.root = f"{address.rstrip('/')}/api/v1"
        self.token = ""
        wish = {"username": username, "password": password, "name": "demo", "scope": "write", "expires_in_days": 1}
        self.token = self.post("tokens", wish)["token"]

    def get(self, path: str, **parameters: Any) -> Any:
        query = f"?{urllib.parse.urlencode(parameters)}" if parameters else ""
        return self._ask("GET", path + query)

    def rows(self, path: str, **parameters: Any) -> list[Row]:
        """Every row of a list, page by page."""
        found: list[Row] = []
        while True:
            page = self.get(path, limit=1000, offset=len(found), **parameters)
            found += page["results"]
            if len(found) >= page["count"]:
                return found

    def one(self, path: str, **parameters: Any) -> Row | None:
        return next(iter(self.rows(path, **parameters)), None)

    def post(self, path: str, body: Any = None) -> Any:
        return self._ask("POST", path, json.dumps(body or {}).encode(), "application/json")

    def send(self, path: str, fields: Mapping[str, str], files: Mapping[str, tuple[str, bytes]]) -> Any:
        """POST a multipart form."""
        boundary = uuid.uuid4().hex
        parts = [_part(boundary, f'name="{name}"', value.encode()) for name, value in fields.items()]
        for name, (file_name, data) in files.items():
            parts.append(_part(boundary, f'name="{name}"; filename="{file_name}"', data))
        body = b"".join(parts) + f"--{boundary}--\r\n".encode()
        return self._ask("POST", path, body, f"multipart/form-data; boundary={boundary}")

    def wait_for_job(self, job: str) -> Row:
        """The job when it is done. Raises Refused with the reason of a failed one."""
        until = time.monotonic() + JOB_SECONDS
        while time.monotonic() < until:
            row: Row = self.get(f"jobs/{job}")
            if row["state"] == "failed":
                raise Refused(f"{row['kind']} failed: {row['error']}")
            if row["state"] == "done":
                return row
            time.sleep(0.2)
        raise Refused(f"The job {job} did not end within {JOB_SECONDS} s.")

    def _ask(self, method: str, path: str, body: bytes | None = None, content_type: str = "") -> Any:
        headers = {"Accept": "application/json", "Content-Type": content_type}
        if self.token:
            headers["Authorization"] = f"Token {self.token}"
        request = urllib.request.Request(f"{self.root}/{path}", body, headers, method=method)
        try:
            with NO_PROXY.open(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise Refused(f"{method} {path}: {error.code} {error.read().decode(errors='replace')}") from None


def _part(boundary: str, disposition: str, data: bytes) -> bytes:
    head = f"--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n"
    return head.encode() + data + b"\r\n"
