"""Every list page of REST costs the same number of queries at 10 and at 1,000 rows, and that number is committed.

The lists are found by walking the addresses, and their rows are made from the models' own fields, so a new list is
covered without being listed here: its test fails until its count stands in ``query_counts.json`` (run with
LABDB_WRITE_QUERY_COUNTS=1 to write it, and look at what changed).
"""

import json
import os
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver

from experiments.models import Strain
from labdb.base.models import User
from labdb.base.trail.models import TrailEntry
from tests.contracts.rows import make_rows

COMMITTED = Path(__file__).parent / "query_counts.json"


def list_pages() -> dict[str, type]:
    """Address → view class of every list under ``/api/v1``."""
    found = {}
    for prefix in get_resolver().url_patterns:
        if str(prefix.pattern) == "api/v1/":
            for pattern in prefix.url_patterns:
                actions = getattr(pattern.callback, "actions", None) or {}
                if actions.get("get") == "list":
                    found[f"/api/v1/{str(pattern.pattern).removesuffix('$')}"] = pattern.callback.cls
    return found


PAGES = list_pages()
# The trail's rows are written by the database alone: an entry a row of another table.
MADE_BY = {TrailEntry: Strain}


def queries(client, address: str, rows: int) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        page = client.get(f"{address}?limit=1000")
    assert page.status_code == 200
    assert len(page.json()["results"]) >= rows
    return len(captured)


@pytest.mark.django_db
@pytest.mark.parametrize("address", PAGES)
def test_a_list_costs_the_same_at_10_and_at_1000_rows(address, experiment, animals, admin_user):
    from rest_framework.test import APIClient

    client = APIClient()
    client.force_authenticate(admin_user)  # who sees all rows, also of experiments made here, and what they sent
    model, known = PAGES[address].serializer_class.Meta.model, {User: admin_user}
    model = MADE_BY.get(model, model)
    make_rows(model, 10, known)
    at_10 = queries(client, address, 10)
    make_rows(model, 990, known)
    assert queries(client, address, 1000) == at_10
    if os.environ.get("LABDB_WRITE_QUERY_COUNTS"):
        _write(address, at_10)
    assert _committed().get(address) == at_10


def test_no_list_is_committed_that_is_gone():
    assert set(_committed()) == set(PAGES)


def _committed() -> dict[str, int]:
    return json.loads(COMMITTED.read_text()) if COMMITTED.exists() else {}


def _write(address: str, count: int) -> None:
    counts = {**_committed(), address: count}
    COMMITTED.write_text(json.dumps(dict(sorted(counts.items())), indent=2) + "\n")
