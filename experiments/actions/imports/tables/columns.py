"""What a record table is: one type of record, its columns, and how they name related rows. Derived from the model.

``Table("cages", Cage, "experiment label")`` is a whole declaration. Each word is the header of a column and the name of a
field (``header:field`` where they differ). A word that names no field says only where the others are looked up. Kinds,
choices, help, length and whether a value is required come from the field; a related row is named by the ``Key`` of its
model, so a model that other tables refer to declares one (``declared.py``).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils import timezone

from experiments.models import SourceFile
from labdb.base.bulk import bulk_insert

Model = type[models.Model]


class Kind(StrEnum):
    TEXT = "text"
    CHOICE = "choice"
    NUMBER = "number"
    WHOLE = "whole number"
    DAY = "date"
    INSTANT = "date and time"
    MOMENT = "date, or date and time"
    QUALIFIED = "number, or < or > with a limit"
    TRUTH = "yes or no"
    LINK = "name of a record"


UNITS = {"days", "h", "min", "s", "kg", "g", "mg", "ug", "mL", "uL", "ml", "ul", "um", "percent", "C"}
EXAMPLES = {
    Kind.NUMBER: "21.4",
    Kind.WHOLE: "7",
    Kind.DAY: "2026-03-09",
    Kind.INSTANT: "2026-03-09 09:30",
    Kind.MOMENT: "2026-03-09",
    Kind.QUALIFIED: "<0.5",
    Kind.TRUTH: "yes",
}


@dataclass(frozen=True)
class Key:
    """How a sheet names a row of a model: by the field ``name``, among the rows of the experiment in the column
    ``within``. ``missing`` is what is said where there is none, or none that the person may see. ``joined`` are relations
    that ``clean()`` of the rows that refer to it reads."""

    name: str
    within: str = ""
    example: str = ""
    missing: str = ""
    joined: tuple[str, ...] = ()


KEYS: dict[Model, Key] = {}


@dataclass(frozen=True)
class Column:
    """One column. ``field`` is the model's field that it fills, empty where it fills none by itself."""

    header: str
    kind: Kind
    field: str = ""
    target: Model | None = None
    is_required: bool = False
    choices: tuple[str, ...] = ()
    default: str = ""
    longest: int | None = None
    help: str = ""

    @property
    def key(self) -> Key:
        assert self.target is not None
        return KEYS[self.target]

    @property
    def unit(self) -> str:
        """The unit at the end of a header: days of window_before_days."""
        last = self.header.rpartition("_")[2]
        return last if last in UNITS and last != self.header else ""

    @property
    def example(self) -> str:
        if self.choices:
            return self.choices[0]
        return self.key.example if self.target else EXAMPLES.get(self.kind, "")

    @property
    def is_text(self) -> bool:
        """A spreadsheet must keep its cells as they are typed: 007 stays 007."""
        return self.kind in (Kind.TEXT, Kind.LINK, Kind.CHOICE, Kind.QUALIFIED)


@dataclass(frozen=True)
class Rows:
    """Rows of a table ready to be written: values by field, a column at a time, and where each came from."""

    values: dict[str, list[Any]]
    places: list[str]
    file: SourceFile | None = None

    def __len__(self) -> int:
        return len(self.places)

    def only(self, indexes: Sequence[int]) -> "Rows":
        values = {name: [column[i] for i in indexes] for name, column in self.values.items()}
        return Rows(values, [self.places[i] for i in indexes], self.file)


@dataclass(frozen=True)
class Table:
    """One importable type of record. ``once`` names fields that only the program keeps apart, where no constraint does.

    A subclass may prepare and write its rows in another way (observations go through their verb).
    """

    name: str
    model: Model
    headers: str = ""
    once: tuple[str, ...] = ()
    notes: dict[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return str(self.model._meta.verbose_name_plural)

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        return tuple(self._column(*word.partition(":")[::2]) for word in self.headers.split())

    def _column(self, header: str, name: str) -> Column:
        try:
            found: Any = self.model._meta.get_field(name or header)
        except FieldDoesNotExist:
            return SCOPES[header]
        return derived(header, found, self.notes.get(header, ""))

    @cached_property
    def by_field(self) -> dict[str, Column]:
        return {column.field: column for column in self.columns if column.field}

    def column(self, header: str) -> Column:
        return next(column for column in self.columns if column.header == header)

    @cached_property
    def self_links(self) -> tuple[str, ...]:
        """Fields that name other rows of the same table, which the same file may add."""
        return tuple(column.field for column in self.columns if column.target is self.model)

    @cached_property
    def identities(self) -> list[tuple[str, ...]]:
        """Sets of fields that no two rows may share."""
        unique = [(f.name,) for f in self.model._meta.local_concrete_fields if f.unique and f.name in self.by_field]
        rules = [
            tuple(rule.fields)
            for rule in self.model._meta.constraints
            if isinstance(rule, models.UniqueConstraint) and rule.fields and rule.condition is None
        ]
        known = [rule for rule in [*rules, self.once] if rule and set(rule) <= set(self.by_field)]
        return [*unique, *known]

    def prepare(self, values: dict[str, list[Any]], problems: Callable[[int, str, str], None]) -> dict[str, list[Any]]:
        """Values by field from values by header; ``problems`` takes a row's index, a field and what is wrong."""
        return {column.field: values[column.header] for column in self.columns if column.field}

    def write(self, rows: Rows, by: Any) -> None:
        """Write ``rows``. Raises BulkRefused with every row that a rule refuses."""
        values = {"id": rows.values["id"]} | {n: v for n, v in rows.values.items() if n != "id"} | self._now(len(rows))
        later = {name: values[name] for name in self.self_links}
        values |= {name: [None] * len(rows) for name in later}
        bulk_insert(self.model, list(values), list(zip(*values.values(), strict=True)))
        for name, keys in later.items():  # a COPY cannot name rows that are not there yet
            named = [
                self.model(pk=pk, **{f"{name}_id": key}) for pk, key in zip(values["id"], keys, strict=True) if key
            ]
            self.model._default_manager.bulk_update(named, [name])

    def _now(self, count: int) -> dict[str, list[Any]]:
        now = timezone.now()
        fields = self.model._meta.local_concrete_fields
        return {f.name: [now] * count for f in fields if getattr(f, "auto_now_add", False)}

    def written_for(self, experiment: Any) -> Any:
        """What may() is asked about before a file is read: a row of the experiment where rows name theirs."""
        names = {f.name for f in self.model._meta.local_concrete_fields}
        return self.model(experiment=experiment) if experiment is not None and "experiment" in names else self.model


def derived(header: str, found: Any, note: str = "") -> Column:
    """The column of a model's field."""
    has_default = found.has_default() and found.default not in (None, "")
    choices = tuple(str(value) for value, _ in found.choices or ())
    return Column(
        header,
        _kind(found),
        field=found.name,
        target=found.related_model if found.is_relation else None,
        is_required=not (found.null or found.blank or found.has_default()),
        choices=choices,
        default=str(found.default) if has_default and not callable(found.default) else "",
        longest=getattr(found, "max_length", None),
        help=note or str(found.help_text) or _labels(found),
    )


def _labels(found: Any) -> str:
    told = [f"{value}: {label}" for value, label in found.choices or () if _plain(label) != _plain(value)]
    return "; ".join(told) or f"{str(found.verbose_name).capitalize()}."


def _plain(label: Any) -> str:
    return str(label).replace("_", " ").lower()


def _kind(found: Any) -> Kind:
    if found.is_relation:
        return Kind.LINK
    if found.choices:
        return Kind.CHOICE
    for kinds, kind in (
        (models.DateTimeField, Kind.INSTANT),
        (models.DateField, Kind.DAY),
        (models.BooleanField, Kind.TRUTH),
        (models.IntegerField, Kind.WHOLE),
        (models.DecimalField, Kind.NUMBER),
        ((models.CharField, models.TextField), Kind.TEXT),
    ):
        if isinstance(found, kinds):
            return kind
    raise TypeError(f"A sheet holds no {type(found).__name__} ({found}); leave the field out of the table.")


SCOPES: dict[str, Column] = {}  # columns that fill no field, by header
TABLES: dict[str, Table] = {}


def register_table(table: Table) -> Table:
    """Have ``table`` imported. Two tables of one name fail at start-up."""
    if table.name in TABLES:
        raise RuntimeError(f"Two tables are called “{table.name}”: {TABLES[table.name].model} and {table.model}.")
    TABLES[table.name] = table
    return table
