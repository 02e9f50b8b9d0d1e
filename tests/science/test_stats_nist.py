"""Classical ANOVA against the certified values of NIST StRD: at least 13 digits in all sets, 13 constant leading
digits included.
"""

import math
import os
import re
from decimal import Decimal
from pathlib import Path

import pytest

from experiments.stats.base.runner import summarise
from experiments.stats.base.sample import samples_by_arm

FOLDER = Path(os.environ.get("LABDB_REAL_DATA", "")) / "nist/anova"
FILES = sorted(FOLDER.glob("*.dat")) if os.environ.get("LABDB_REAL_DATA") else []
LINES = re.compile(r"Data\s+\(lines\s+(\d+) to\s+(\d+)\)")
CERTIFIED = {
    "statistic": re.compile(r"^Between.*\s(\S+)\s*$", re.MULTILINE),
    "eta_squared": re.compile(r"R-Squared\s+(\S+)"),
    "residual_sd": re.compile(r"Standard Deviation\s+(\S+)"),
}


def digits(found: float, certified: float) -> float:
    """Log relative error: the number of digits that agree."""
    return math.inf if found == certified else -math.log10(abs(found - certified) / abs(certified))


def test_all_eleven_sets_are_there() -> None:
    if not os.environ.get("LABDB_REAL_DATA"):
        pytest.skip("LABDB_REAL_DATA names no folder with the NIST sets")
    assert len(FILES) == 11


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_thirteen_digits(path: Path) -> None:
    text = path.read_text()
    first, last = map(int, LINES.search(text).groups())
    lines = text.splitlines()[first - 1 : last]
    samples = samples_by_arm(
        (arm, Decimal(value), "", None) for arm, value in (line.split() for line in lines if line.strip())
    )
    found = {e.quantity: e for e in summarise(samples, keys=["classical_anova"])}
    certified = {name: float(pattern.search(text).group(1)) for name, pattern in CERTIFIED.items()}
    assert digits(found["classical_anova"].statistic, certified["statistic"]) >= 13
    assert digits(found["eta_squared"].estimate, certified["eta_squared"]) >= 13
    assert digits(found["residual_sd"].estimate, certified["residual_sd"]) >= 13
