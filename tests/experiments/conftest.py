"""People who may send a sheet that opens experiments: scientists of some other one."""

import pytest

from tests.experiments.sheet_imports import works_elsewhere


@pytest.fixture
def scientist(scientist):
    return works_elsewhere(scientist)
