"""Sending the requests: each in a savepoint that is rolled back, its answer read as one letter."""

from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

from django.db import transaction
from django.db.models import Max
from django.test import Client

from experiments.models import Experiment
from labdb.base.admin import versions
from labdb.base.models import TrailEntry
from tests.contracts.matrix import MASKED, PEOPLE, ROLES, SITUATIONS
from tests.contracts.matrix.addresses import Address, addresses
from tests.contracts.matrix.bodies import REASON, encoded, form_body, rest_body
from tests.contracts.matrix.outcomes import letter
from tests.contracts.matrix.special import ELSEWHERE, STATE_OF
from tests.contracts.matrix.table import ANY, Cell
from tests.contracts.matrix.world import Situation, World


def situations_of(address: Address, method: str) -> tuple[str, ...]:
    """In which situations the address is asked; one is enough where it concerns no experiment."""
    if not address.has_situations or address.is_sign or method not in address.answered:
        return (ANY,)
    if address.has_row or (method == "GET" and address.is_list):
        return SITUATIONS
    return SITUATIONS if method == "POST" and address.model and address.model not in ELSEWHERE else (ANY,)


def cells(found: Iterable[Address] | None = None, people: Iterable[str] = PEOPLE) -> Iterator[tuple[Address, Cell]]:
    """Every cell that must be declared."""
    for address in addresses() if found is None else found:
        for method in methods_of(address):
            for situation in situations_of(address, method):
                for person in people:
                    yield address, Cell(address.key, method, situation, person)


def methods_of(address: Address) -> tuple[str, ...]:
    """The methods of an address that are executed; ``LEFT_OUT`` says why the others are not."""
    if address.query:
        return ("GET",)
    return ("GET", "POST", "PUT", "PATCH", "DELETE") if address.path.startswith("api/") else ("GET", "POST")


NOBODY = "00000000-0000-4000-8000-000000000000"  # the key of no row
LEFT_OUT = {
    "HEAD": "answered as GET, without its body",
    "OPTIONS": "REST answers 405 to it everywhere, the pages as to GET",
    "PUT, PATCH, DELETE of pages": "Django's pages ask whether a request is a POST, and show themselves otherwise",
}


class _Client(Client):
    """Django's, without its copies of every template's context."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(raise_request_exception=False, **kwargs)

    def request(self, **request: Any) -> Any:
        return self.handler(self._base_environ(**request))


class Execution:
    """Requests of all people in one world. ``leaks`` collects answers that hold another's words."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.leaks: list[str] = []
        self.clients = {name: _Client() for name in PEOPLE}
        for name, person in world.people.items():
            if name in self.clients:
                self.clients[name].force_login(person)
        self._listed: tuple[Any, Any] = (None, None)
        self._forms: dict[tuple[str, str], tuple[str, str]] = {}

    def letter(self, address: Address, cell: Cell) -> str:
        """What the person's request is answered with. Raises AssertionError for a server error."""
        place = self._place(address, cell.situation)
        if address.is_list and cell.method == "GET" and "{word}" not in address.query:
            return self._of_list(address, cell, place)
        key = self.key(address, cell.situation, is_deleting=cell.method == "DELETE")
        url = address.url(key, place.word)
        with transaction.atomic():
            body, kind = self._body(address, cell, place, url)
            before = recorded()
            answer = self._send(address, cell, url, body, kind)
            has_written = recorded() != before
            self.answer = answer
            content = b"".join(answer.streaming_content) if answer.streaming else answer.content
            row = place.rows.get(address.model) if address.model else place.rows.get(Experiment)
            shows = row is not None and str(row.pk).encode() in content
            self._look_for_leaks(cell, content, b"zq" in body or "zq" in url)
            try:
                found = letter(answer, cell.method, is_list=address.is_list, shows_row=shows, has_written=has_written)
            except AssertionError as error:
                found = f"! {error}"
            finally:
                transaction.set_rollback(True)
        refused_but_wrote = has_written and found not in "y"
        return f"{found} (and wrote)" if refused_but_wrote else found

    def _of_list(self, address: Address, cell: Cell, place: Situation) -> str:
        """A list is asked once, and looked through for the rows of every situation."""
        if self._listed[0] != (address.key, cell.person):
            with transaction.atomic():
                answer = self._send(address, cell, address.url("", ""), b"", "application/json")
                self._look_for_leaks(cell, answer.content, is_echo=False)
                self._listed = ((address.key, cell.person), answer)
                transaction.set_rollback(True)
        answer = self._listed[1]
        row = place.rows.get(address.model or Experiment)
        shows = row is not None and str(row.pk).encode() in answer.content
        try:
            return letter(answer, "GET", is_list=True, shows_row=shows, has_written=False)
        except AssertionError as error:
            return f"! {error}"

    def forget(self) -> None:
        """Ask for lists anew."""
        self._listed = (None, None)

    def _place(self, address: Address, situation: str) -> Situation:
        if situation == ANY and address.has_situations and address.model not in ELSEWHERE:
            return self.world.situations["own"]
        return self.world.place(situation)

    def key(self, address: Address, situation: str, *, is_deleting: bool = False) -> Any:
        """The key of the row that the address is asked with."""
        place = self._place(address, situation)
        state = STATE_OF.get(f"{address.name} {address.values.get('name', '')}".strip())
        rows: Any = place.rows
        if is_deleting or address.name.endswith("_delete"):
            rows = {**place.rows, **place.spare}
        row = place.states[state] if state else rows.get(address.model)
        return getattr(row, "pk", NOBODY)

    def _send(self, address: Address, cell: Cell, url: str, body: bytes, kind: str) -> Any:
        if cell.method == "DELETE" and "delete" in (getattr(address.view, "actions", None) or {}):
            url += "?" + urlencode({"reason_for_change": REASON})
        return self.clients[cell.person].generic(cell.method, url, body, content_type=kind, HTTP_IF_MATCH="*")

    def _body(self, address: Address, cell: Cell, place: Situation, url: str) -> tuple[bytes, str]:
        if cell.method in ("GET", "HEAD", "OPTIONS"):
            return b"", "application/json"
        if address.path.startswith("api/"):
            return encoded(rest_body(address, cell.method, place), is_json=True)
        if cell.method != "POST":
            return b"", "application/json"
        if address.name.endswith("_changelist"):
            forged = {"action": "delete_selected", "_selected_action": [str(self.key(address, cell.situation))]}
            return encoded({**forged, "post": "yes"}, is_json=False)
        seen_by, page = self._form(address, cell.situation, url)
        body = form_body(address, page, place)
        if versions.FIELD in body and cell.person in self.world.people:
            sent = body[versions.FIELD]
            signed = sent[-1] if isinstance(sent, list) else sent
            body[versions.FIELD] = self._signed_for(cell.person, seen_by, address, cell.situation, signed)
        return encoded(body, is_json=False)

    def _form(self, address: Address, situation: str, url: str) -> tuple[str, str]:
        """The first person who gets the page with the form, and the page."""
        if (address.key, situation) not in self._forms:
            self._forms[address.key, situation] = ("", "")
            for person in ("director", "administrator"):
                answer = self.clients[person].get(url)
                if answer.status_code == 200 and not answer.streaming:
                    self._forms[address.key, situation] = (person, answer.content.decode())
                    break
        return self._forms[address.key, situation]

    def _signed_for(self, person: str, seen_by: str, address: Address, situation: str, signed: str) -> str:
        """The versions that the page of ``seen_by`` was made from, as ``person`` would have got them signed."""
        model: Any = address.model
        key = self.key(address, situation)
        read: Any = SimpleNamespace(user=self.world.people[seen_by], POST={versions.FIELD: signed})
        known = versions.read(read, model, key)
        assert known is not None, address
        own: Any = SimpleNamespace(user=self.world.people[person])
        return versions.sign(own, model, key, known)

    def _look_for_leaks(self, cell: Cell, content: bytes, is_echo: bool) -> None:
        if cell.method == "GET" and not is_echo:
            found = [word for word in hidden_words(cell.person) if word.encode() in content]
            if found:
                self.leaks.append(f"{cell}: {', '.join(found)}")


def hidden_words(person: str) -> list[str]:
    """What nothing that the person receives may hold."""
    if person in ("outsider", "anonymous"):
        return [f"zq{situation}" for situation in SITUATIONS]
    hidden = [] if person in ("manager", "administrator") else ["zqother"]
    return hidden if person in ROLES and person not in MASKED else [*hidden, "zqblindedarm"]


def recorded() -> int:
    """The last entry of the trail, which misses nothing."""
    return TrailEntry.objects.aggregate(last=Max("id"))["last"] or 0
