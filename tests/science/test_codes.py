"""Codes of public vocabularies: well formed, keyed by the record's words, and SEND's as the terminology has them."""

import csv
import os
import re
from pathlib import Path

import pytest

from experiments import codes
from experiments.codes import SendTerm
from experiments.endpoints import BUILT_IN
from experiments.units import factor, quantity, spelled

TABLES = {name: table for name, table in vars(codes).items() if name.isupper() and hasattr(table, "items")}
TERMS = [(name, key, term) for name, t in TABLES.items() for key, term in t.items() if isinstance(term, SendTerm)]
CURIE = re.compile(r"(CL:\d{7}|UBERON:\d{7}|MGI:\d+|CHEBI:\d+|DOID:\d+)")


@pytest.fixture(scope="module")
def terminology() -> dict[tuple[str, str], dict[str, str]]:
    folder = os.environ.get("LABDB_REAL_DATA")
    if not folder:
        pytest.skip("LABDB_REAL_DATA is not set")
    with (Path(folder) / "send_ct/SEND_CT_2026-03-27_extract.csv").open(encoding="utf-8-sig", newline="") as file:
        return {(row["codelist"], row["term_code"]): row for row in csv.DictReader(file)}


def test_every_send_term_stands_in_the_terminology(terminology) -> None:
    assert len(TERMS) > 80
    for name, key, term in TERMS:
        found = terminology.get((term.codelist, term.code))
        assert found is not None, (name, key)
        assert found["submission_value"] == term.value, (name, key)


def test_a_unit_that_is_spelled_otherwise_there_is_an_equal_one(terminology) -> None:
    for unit, term in codes.UNIT.items():
        told = terminology["UNIT", term.code]
        same = {spelled(text) for text in (term.value, *told["synonyms"].split("|"))}
        if unit in same or "cells" in unit:
            continue
        theirs = spelled({"HOURS": "h", "DAYS": "days", "WEEKS": "weeks"}.get(term.value, term.value))
        assert quantity(unit) is not None
        assert factor(unit, theirs) == 1, unit


def test_the_codes_that_the_domain_names_are_there() -> None:
    assert codes.cells_code("msc", "adipose") == "CL:0002570"
    assert codes.cells_code("msc", "wharton_jelly") == "CL:0002568"
    assert codes.cells_code("msc", "amniotic_membrane") == "CL:0002537"
    assert codes.cells_code("msc", "menstrual_blood") == "CL:0000134"
    assert codes.cells_code("granulosa", "ovary") is None
    assert codes.ORGAN["ovary"] == "UBERON:0000992"
    assert codes.STRAIN == {"C57BL/6J": "MGI:3028467", "BALB/cJ": "MGI:2159737"}
    assert codes.AGENT["cyclophosphamide"] == "CHEBI:4027"
    assert codes.DISEASE["premature_ovarian_insufficiency"] == "DOID:5426"
    named = {
        "intraovarian": "C38256", "10^6 cells": "C187973", "fsh": "C74783", "lh": "C74790", "e2": "C74782",
        "amh": "C120625", "progesterone": "C74791", "inhibin_a": "C82020", "inhibin_b": "C96681",
    }  # fmt: skip
    tables = codes.ROUTE | codes.UNIT | codes.TEST
    assert {key: tables[key].code for key in named} == named
    assert codes.SPECIMEN["ovary"].code == "C12404"


def test_codes_are_well_formed_and_keys_are_the_records_own() -> None:
    for name, table in TABLES.items():
        for key, code in table.items():
            assert isinstance(code, SendTerm) or CURIE.fullmatch(code), (name, key)
    endpoints = {endpoint.key: endpoint for endpoint in BUILT_IN}
    assert codes.TEST.keys() <= endpoints.keys()
    assert codes.UNIT.keys() <= {spelled(unit) for unit in codes.UNIT if quantity(unit)}
    for endpoint in BUILT_IN:
        assert not endpoint.unit or quantity(endpoint.unit), endpoint.key
