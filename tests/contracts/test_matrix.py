"""Who may do what at which address: every cell of the declared table is executed, and no address is left out."""

import logging
from collections import Counter, defaultdict
from dataclasses import replace

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import override_settings
from django.urls import clear_url_caches, get_resolver, path

from tests.contracts.matrix import MASKED, PEOPLE, ROLES
from tests.contracts.matrix.addresses import Address, addresses
from tests.contracts.matrix.execution import LEFT_OUT, Execution, cells
from tests.contracts.matrix.table import Cell, read
from tests.contracts.matrix.world import make_world

DECLARED = read()
# Pages for who is not logged in, and those that lead there.
OF_VISITORS = ("accounts/", "admin/login/", "api/v1/schema", "api/v1/docs", "api/v1/tokens")
# What a person does with an account, or a token, of their own.
OWN = ("accounts/", "admin/tokens/", "api/v1/tokens", "admin/login/", "admin/logout/", "admin/password_change/")
SHOWN = "yr"


@pytest.fixture(scope="module")
def execution(django_db_setup, django_db_blocker, tmp_path_factory):
    quick = {"PASSWORD_HASHERS": ["tests.hashers.QuickHasher"], "LABDB_FILES_DIR": tmp_path_factory.mktemp("files")}
    logging.disable(logging.ERROR)  # thousands of refusals, each a line
    with django_db_blocker.unblock(), override_settings(**quick), transaction.atomic():
        yield Execution(make_world())
        transaction.set_rollback(True)
    logging.disable(logging.NOTSET)


def differences(execution: Execution, asked: list[tuple[Address, Cell]]) -> list[str]:
    """Cells whose answer is not the declared one."""
    found: dict[tuple[str, str, str, str], list[str]] = defaultdict(list)
    for address, cell in asked:
        answered, declared = execution.letter(address, cell), DECLARED.get(cell, "undeclared")
        if answered != declared:
            found[cell.address, cell.method, answered, declared].append(f"{cell.situation} {cell.person}")
    return [
        f"{method} {address}: declared {declared}, answered {answered}: {', '.join(cells)}"
        for (address, method, answered, declared), cells in found.items()
    ]


def undeclared() -> set[Cell]:
    return {cell for _, cell in cells()} - set(DECLARED)


def test_every_address_is_declared():
    missing = sorted({(cell.address, cell.method) for cell in undeclared()})
    assert not missing, "say in tests/contracts/matrix/declared who may do it:\n" + "\n".join(map(str, missing))


def test_every_declaration_has_its_address():
    gone = sorted({(cell.address, cell.method) for cell in set(DECLARED) - {cell for _, cell in cells()}})
    assert not gone, "there is no such address or method:\n" + "\n".join(map(str, gone))


def is_rest(address: Address) -> bool:
    return address.path.startswith("api/")


@pytest.mark.parametrize("person", PEOPLE)
def test_every_cell_of_rest_is_answered_as_declared(person, execution):
    check(execution, person, [address for address in addresses() if is_rest(address)])


@pytest.mark.stress
@pytest.mark.parametrize("person", PEOPLE)
def test_every_cell_of_the_pages_is_answered_as_declared(person, execution):
    check(execution, person, [address for address in addresses() if not is_rest(address)])


def check(execution: Execution, person: str, found_addresses: list[Address]) -> None:
    asked = list(cells(found_addresses, people=[person]))
    execution.leaks.clear()
    found = differences(execution, asked)
    print(f"{person}: {len(asked)} cells executed; left out: {LEFT_OUT}")
    assert not found, f"{len(found)} lines differ:\n" + "\n".join(found)
    assert not execution.leaks, "\n".join(execution.leaks)


def of(*people: str) -> list[tuple[Cell, str]]:
    return [(cell, letter) for cell, letter in DECLARED.items() if cell.person in people]


def test_anonymous_visitors_reach_only_the_pages_to_log_in():
    assert not [
        cell for cell, letter in of("anonymous") if letter in "yrce" and not cell.address.startswith(OF_VISITORS)
    ]


def test_nobody_but_the_laboratory_sees_another_experiment():
    people = (*ROLES, "outsider", "anonymous")
    assert not [cell for cell, letter in of(*people) if cell.situation == "other" and letter in SHOWN]
    outside = [cell for cell, letter in of("outsider") if cell.situation in ("own", "locked", "blinded")]
    assert not [cell for cell in outside if DECLARED[cell] in SHOWN]


def test_the_auditor_writes_nothing():
    writing = [cell for cell, letter in of("auditor") if cell.method != "GET" and letter in "yc"]
    assert not [cell for cell in writing if not cell.address.startswith(OWN)]


@pytest.mark.parametrize("person", ["manager", "administrator"])
def test_the_laboratory_writes_no_rows_of_experiments(person):
    written = [c for c, letter in of(person) if c.method != "GET" and letter == "y" and c.situation != "any"]
    assert {cell.address.split("/")[2] for cell in written} <= {"membership", "memberships"}


def test_a_masked_person_reaches_nothing_that_an_assessor_may_not():
    """Whatever is hidden from the assessor of a blinded experiment is hidden from who is no unmasked member of it."""
    hidden = {
        replace(cell, person="")
        for cell, letter in of("assessor")
        if cell.situation == "blinded" and letter in "he" and DECLARED[replace(cell, situation="own")] in "yr"
    }
    assert hidden
    for person in (*MASKED, "manager", "administrator", "outsider"):
        assert not [c for c in hidden if DECLARED[replace(c, person=person)] in SHOWN], person


def test_a_closed_experiment_is_written_by_what_stays_open_alone():
    written = {
        cell.address
        for cell, letter in DECLARED.items()
        if cell.situation == "locked" and cell.method != "GET" and letter == "y"
    }
    words = ("membership", "report", "summarise", "reopen", "again", "job")
    assert not [address for address in written if not any(word in address for word in words)]


def some(found: list[Address], *people: str) -> list[tuple[Address, Cell]]:
    return list(cells(found, people))


def named(*names: str) -> list[Address]:
    found = [address for address in addresses() if address.name in names]
    assert len({address.name for address in found}) == len(names)
    return found


def test_a_view_that_forgets_who_may_see_would_be_seen(execution, monkeypatch):
    from experiments.api.studies import Arms

    asked = some(named("arms-list", "arms-detail"), "outsider", "director")
    assert not differences(execution, asked)
    monkeypatch.setattr(Arms, "get_queryset", lambda self: self.records())
    execution.forget()
    assert differences(execution, asked)


def test_a_verb_that_forgets_who_may_would_be_seen(execution, monkeypatch):
    asked = some(named("wells-mask"), "analyst", "auditor")
    assert not differences(execution, asked)
    monkeypatch.setattr("assays.actions.runs.require", lambda *args: None)
    assert differences(execution, asked)


def test_an_address_that_nobody_declared_would_be_seen(monkeypatch):
    patterns = get_resolver().url_patterns
    assert not undeclared()
    monkeypatch.setattr(
        "labdb.urls.urlpatterns", [*patterns, path("secret/<uuid:pk>", lambda request, pk: HttpResponse())]
    )
    clear_url_caches()
    try:
        assert {cell.address for cell in undeclared()} == {"secret/<uuid:pk>"}
    finally:
        monkeypatch.undo()
        clear_url_caches()


def test_the_table_is_counted():
    told = Counter(cell.person for cell in DECLARED)
    assert len(set(told.values())) == 1
    print(f"{len(DECLARED)} cells declared at {len({cell.address for cell in DECLARED})} addresses")
