"""The table of observations: one value a row, recorded through the verb that every door leads to."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from django.utils import timezone

from experiments.actions.imports.tables.cells import Moment, Qualified
from experiments.actions.imports.tables.columns import Column, Kind, Rows, Table, derived
from experiments.actions.observations import NewObservation, noon, planned_timepoints, record_observations
from experiments.models import Enrolment, Experiment, Observation, Timepoint
from labdb.base.bulk import BulkRefused, RowProblem

LINKS = "experiment animal cage litter endpoint timepoint specimen"
NOTES = {
    "animal": "Id of the animal. One of animal, cage and litter.",
    "cage": "Label of the cage, where the whole cage was observed.",
    "litter": "Code of the litter, where the whole litter was observed.",
    "endpoint": "Key of the endpoint, e.g. body_weight.",
    "timepoint": "Label of the planned timepoint. Empty: the one whose window holds the animal's study day, if any.",
    "specimen": "Code of the specimen that was measured.",
}
AT = "Date, or date and time. Empty: the day of the timepoint, counted from the animal's day 0."
VALUE = "The value in the unit; below or above a limit of quantification < or > before it: <0.5."
SAME = ("animal", "cage", "litter", "side", "reader", "specimen", "ordinal")
FIELDS = {"entered_unit": "unit", "entered_value": "value", "limit": "value", "qualifier": "value"}


def column(header: str) -> Column:
    return derived(header, Observation._meta.get_field(header), NOTES.get(header, ""))


@dataclass(frozen=True)
class ObservationTable(Table):
    """``value`` may carry its qualifier; of timepoint and observed_at one is enough."""

    name: str = "observations"
    model: Any = Observation

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        experiment, animal, cage, litter, endpoint, timepoint, specimen = map(column, LINKS.split())
        return (
            experiment, animal, cage, litter, endpoint, timepoint,
            Column("observed_at", Kind.MOMENT, "observed_at", help=AT),
            Column("value", Kind.QUALIFIED, "value", help=VALUE),
            Column("unit", Kind.TEXT, "unit", longest=30, help="Empty: the endpoint's own unit."),
            column("category"), column("side"), column("reader"), specimen, column("ordinal"),
        )  # fmt: skip

    @cached_property
    def by_field(self) -> dict[str, Column]:
        known = {each.field: each for each in self.columns}
        return known | {name: known[header] for name, header in FIELDS.items()}

    @property
    def identities(self) -> list[tuple[str, ...]]:
        return [("experiment", "endpoint", "timepoint", "moment", *SAME)]

    def prepare(self, values: dict[str, list[Any]], problems: Callable[[int, str, str], None]) -> dict[str, list[Any]]:
        made = {name: list(column) for name, column in values.items()}
        given: list[Qualified | None] = values["value"]
        made["qualifier"] = [each.qualifier if each else "=" for each in given]
        made["number"] = [each.number if each else None for each in given]
        made |= {"is_time_known": [], "observed_at": [], "timepoint": [], "moment": []}
        days = _Days(values)
        for index, moment in enumerate(values["observed_at"]):
            at, timepoint, told = days.of(index, moment)
            if told:
                problems(index, "observed_at", told)
            made["observed_at"].append(at.at if at else None)
            made["is_time_known"].append(at.is_time_known if at else False)
            made["timepoint"].append(timepoint)
            made["moment"].append(None if timepoint else at)
        return made

    def write(self, rows: Rows, by: Any) -> None:
        groups: dict[UUID, list[int]] = defaultdict(list)
        for index, experiment in enumerate(rows.values["experiment"]):
            groups[experiment].append(index)
        problems: list[RowProblem] = []
        for experiment, indexes in groups.items():
            part = rows.only(indexes)
            try:
                record_observations(experiment=Experiment(pk=experiment), observations=_new(part), by=by)
            except BulkRefused as refused:
                problems += [RowProblem(indexes[p.row], p.field, p.value, p.message) for p in refused.problems]
        if problems:
            raise BulkRefused(problems)


TAKEN = ("id", "endpoint", "observed_at", "animal", "cage", "litter", "timepoint", "number", "qualifier") + (
    "category", "is_time_known", "side", "reader", "specimen", "ordinal",
)  # fmt: skip


def _new(rows: Rows) -> list[NewObservation]:
    file = rows.file.pk if rows.file else None
    columns = [rows.values[name] for name in TAKEN]
    made = []
    for place, unit, *values in zip(rows.places, rows.values["unit"], *columns, strict=True):
        given: dict[str, Any] = dict(zip(TAKEN, values, strict=True))
        made.append(NewObservation(**given, unit=unit or "", source_file=file, source_place=place))
    return made


class _Days:
    """Days 0 and planned timepoints of everything that a file names, in a few queries."""

    def __init__(self, values: dict[str, list[Any]]) -> None:
        self.values = values
        experiments = set(values["experiment"]) - {None}
        animals = set(values["animal"]) - {None}
        enrolled = Enrolment.objects.filter(experiment__in=experiments, animal__in=animals)
        self.days_0 = {(e, a): day for e, a, day in enrolled.values_list("experiment", "animal", "day_0")}
        self.planned = {pk: planned_timepoints(Experiment(pk=pk)) for pk in experiments}
        points = Timepoint.objects.filter(experiment__in=experiments)
        self.study_days = dict(points.values_list("pk", "study_day"))

    def of(self, index: int, moment: Moment | None) -> tuple[Moment | None, UUID | None, str]:
        """When it was observed, at which planned timepoint, and what is wrong."""
        experiment, timepoint = self.values["experiment"][index], self.values["timepoint"][index]
        day_0 = self.days_0.get((experiment, self.values["animal"][index]))
        if moment is not None:
            if timepoint is None and day_0 is not None:
                day = timezone.localtime(moment.at).date()
                timepoint = self.planned.get(experiment, {}).get((day - day_0).days)
            return moment, timepoint, ""
        if timepoint is None:
            return None, None, "Say when: give observed_at or the timepoint."
        if day_0 is None:
            return None, timepoint, "Give observed_at: no day 0 is recorded from which the timepoint could be counted."
        return Moment(noon(day_0 + timedelta(self.study_days[timepoint])), False), timepoint, ""
