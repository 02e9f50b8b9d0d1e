"""What a counter told of a passage fills it in, and overwrites nothing."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from experiments.actions.counts import record_cell_counts
from experiments.models import CellCount
from tests.experiments.stock_world import make_stock

pytestmark = pytest.mark.django_db


@dataclass
class Sample:
    place: str
    total_cells_per_ml: Decimal | None
    viable_cells_per_ml: Decimal | None
    viability_percent: Decimal | None
    name: str = "UC P0"
    counted_at: datetime | None = datetime(2026, 1, 12, 10)  # noqa: DTZ001  (a counter prints no zone)
    utc_offset_hours: Decimal | None = Decimal(2)
    diameter_um: Decimal | None = None
    dilution: Decimal | None = None


TWO = [
    Sample("A2", Decimal(1_000_000), Decimal(900_000), Decimal(90)),
    Sample("A3", Decimal(1_200_000), Decimal(1_104_000), Decimal(92)),
]


@pytest.fixture
def passage(scientist, experiment):
    return make_stock(scientist).passage


def test_the_mean_of_the_counts_fills_in_what_is_empty(passage, scientist):
    made = record_cell_counts(passage=passage, counts=TWO, by=scientist, volume_ml=Decimal(2))
    assert (passage.viability_percent, passage.harvested_cells, passage.viable_cells) == (91, 2_200_000, 2_004_000)
    assert made[0].counted_at == datetime(2026, 1, 12, 8, tzinfo=UTC)
    record_cell_counts(passage=passage, counts=TWO, by=scientist, volume_ml=Decimal(2))
    assert CellCount.objects.count() == 4


def test_nothing_is_overwritten(passage, scientist):
    record_cell_counts(passage=passage, counts=TWO, by=scientist)
    with pytest.raises(ValidationError, match="The passage tells 91, the counts give 90"):
        record_cell_counts(passage=passage, counts=TWO[:1], by=scientist)
    assert CellCount.objects.count() == 2 and passage.harvested_cells is None
