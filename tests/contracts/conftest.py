"""Rows of these tests are made up one table at a time, so vials hold what no movement tells: the ledger is not asked."""

import pytest
from django.db import connection

FOREIGN_KEYS = "SELECT string_agg(quote_ident(conname), ', ') FROM pg_constraint WHERE contype = 'f' AND condeferrable"


def check_foreign_keys(table_names: object = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(FOREIGN_KEYS)
        (names,) = cursor.fetchone()
        cursor.execute(f"SET CONSTRAINTS {names} IMMEDIATE")
        cursor.execute(f"SET CONSTRAINTS {names} DEFERRED")


@pytest.fixture(autouse=True)
def made_up_stock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "check_constraints", check_foreign_keys)
