"""Every statistic against its reference file under stats_reference/: adding a statistic means adding one such file."""

import csv
import json
import os
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from experiments.stats.base.registry import statistics
from experiments.stats.base.runner import summarise
from experiments.stats.base.sample import Sample, samples_by_arm
from experiments.stats.base.vocabulary import Estimate, Scale

FOLDER = Path(__file__).parent / "stats_reference"
REFERENCES = {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}
CASES = [(key, case) for key, reference in REFERENCES.items() for case in reference["cases"]]


def real_data() -> Path:
    if not (folder := os.environ.get("LABDB_REAL_DATA")):
        pytest.skip("LABDB_REAL_DATA names no folder with the reference data")
    return Path(folder)


@cache
def r_values() -> dict[tuple[str, str], float]:
    with (real_data() / "reference/reference_values.csv").open() as lines:
        return {(row["id"], row["quantity"]): float(row["value"]) for row in csv.DictReader(lines)}


def decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def samples_of(case: dict) -> list[Sample]:
    if "rows" in case:
        return samples_by_arm((arm, decimal(value), sign, decimal(limit)) for arm, value, sign, limit in case["rows"])
    names = case["dataset"]
    with (real_data() / names["file"]).open() as lines:
        rows = list(csv.DictReader(lines))
    censored = names.get("censored")
    return samples_by_arm(
        (r[names["arm"]], Decimal(r[names["value"]]), "<" if censored and r[censored] == "1" else "", None)
        for r in rows
    )


def the_one(estimates: tuple[Estimate, ...], wanted: dict) -> Estimate:
    hits = [e for e in estimates if e.quantity == wanted["quantity"] and e.arm == wanted.get("arm")]
    assert len(hits) == 1, f"{wanted}: {len(hits)} estimates"
    return hits[0]


@pytest.mark.parametrize(("key", "case"), CASES, ids=[f"{key}-{case['source'][:40]}" for key, case in CASES])
def test_agrees_with_its_reference(key: str, case: dict) -> None:
    samples, pairs = samples_of(case), [tuple(pair) for pair in case.get("pairs", [])]
    estimates = summarise(samples, pairs=pairs, scale=Scale(case.get("scale", "identity")), keys=[key])
    for wanted in case["expected"]:
        found = the_one(estimates, wanted)
        value = r_values()[tuple(wanted["r"])] if "r" in wanted else wanted["value"]
        assert found.refused is None, f"{wanted}: {found.refused}"
        assert getattr(found, wanted["field"]) == pytest.approx(value, abs=wanted["tolerance"], rel=0), wanted


@pytest.mark.parametrize("statistic", statistics(), ids=lambda statistic: statistic.method.key)
def test_has_a_reference_for_every_quantity(statistic) -> None:
    method = statistic.method
    assert method.key in REFERENCES, f"stats_reference/{method.key}.json is missing"
    assert REFERENCES[method.key]["method"] == method.key
    checked = {wanted["quantity"] for case in REFERENCES[method.key]["cases"] for wanted in case["expected"]}
    assert checked >= set(method.quantities), f"no reference value for {set(method.quantities) - checked}"


def test_no_reference_without_a_statistic() -> None:
    assert set(REFERENCES) == {statistic.method.key for statistic in statistics()}
