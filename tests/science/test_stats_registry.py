"""A statistic is one file: found without an edit elsewhere, refused at start-up where two clash."""

import sys
from decimal import Decimal
from pathlib import Path

import pytest

from experiments.stats.base.registry import PACKAGE, RegistryError, statistics
from experiments.stats.base.runner import method_versions, summarise
from experiments.stats.base.sample import Sample

MODULE = """
from experiments.stats.base.vocabulary import Kind, Method
NAMES = dict(key="{key}", version="{version}", name="range", reference="by hand", quantities=("{quantity}",))
METHOD = Method(kind=Kind("per_arm"), **NAMES)
def compute(sample, *, scale, level):
    return (METHOD.estimate("{quantity}", scale, arm=sample.arm, estimate=float(sample.above_pivot.max())),)
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """An empty package on the path; `add(name, ...)` drops a statistic into it."""
    root = tmp_path / "dropped_statistics"
    root.mkdir()
    (root / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))

    def add(name: str, key: str, quantity: str, version: str = "1") -> str:
        (root / f"{name}.py").write_text(MODULE.format(key=key, quantity=quantity, version=version))
        return root.name

    yield add
    statistics.cache_clear()
    for module in [name for name in sys.modules if name.split(".")[0] == root.name]:
        del sys.modules[module]


def test_one_file_adds_a_statistic(package) -> None:
    name = package("spread", "range", "range", version="7")
    sample = Sample.from_decimals("a", [Decimal("1.5"), Decimal("4.0")])
    (estimate,) = summarise([sample], package=name)
    assert (estimate.quantity, estimate.arm, estimate.estimate, estimate.method_version) == ("range", "a", 2.5, "7")
    assert method_versions(package=name) == {"range": "7"}


def test_two_files_with_one_key_fail(package) -> None:
    package("first", "range", "range")
    name = package("second", "range", "other")
    with pytest.raises(
        RegistryError, match=r"key 'range' is declared by dropped_statistics.first and dropped_statistics.second"
    ):
        statistics(name)


def test_two_files_with_one_quantity_fail(package) -> None:
    package("first", "range", "range")
    with pytest.raises(RegistryError, match="quantity 'range'"):
        statistics(package("second", "other", "range"))


def test_a_file_that_is_no_statistic_fails(package, tmp_path: Path) -> None:
    name = package("spread", "range", "range")
    (tmp_path / name / "stray.py").write_text("NUMBER = 1\n")
    with pytest.raises(RegistryError, match=f"{name}.stray: expected METHOD and compute"):
        statistics(name)


def test_every_module_of_the_house_is_found() -> None:
    folder = Path(sys.modules[PACKAGE].__file__).parent
    files = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert len(statistics()) == len(files) == len(method_versions())
    assert list(method_versions()) == sorted(method_versions())
