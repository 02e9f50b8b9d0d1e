"""What the tables of a run share."""

from typing import Any

from django.db import models
from django.db.models import Q

from assays.models.runs import AssayRun
from labdb.base.constraints import Check
from labdb.base.models import ValidatedModel
from labdb.base.roles import Duty

FROZEN = "The run is accepted, rejected or published: it no longer changes."


class PartOfRun(ValidatedModel):
    """A row of one run. The database refuses any change of it once the run is accepted, rejected or published."""

    experiment_path = "run__experiment"
    duty = Duty.ASSESS
    database_messages = {"assay_run_frozen": ("run", FROZEN)}

    run = models.ForeignKey(AssayRun, models.PROTECT, related_name="%(class)s_rows")

    class Meta:
        abstract = True

    @property
    def flag_list(self) -> list[str]:
        return str(getattr(self, "flags", "")).split()


def finite(table: str, name: str) -> Check:
    """A CHECK that the float ``name`` is no NaN and no infinity (PostgreSQL sorts NaN above infinity)."""
    bounds = Q(**{f"{name}__gt": float("-inf"), f"{name}__lt": float("inf")})
    condition = Q(**{f"{name}__isnull": True}) | bounds
    return Check(f"{table}_{name}_finite", condition, "This is not a finite number.", name)


def one_of(name: str, column: str, values: Any, message: str) -> Check:
    return Check(name, Q(**{f"{column}__in": list(values)}), message, column)
