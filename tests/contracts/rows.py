"""Many valid rows of any model, made from its own fields: no model is listed that follows the ordinary rules.

Texts, numbers, days and instants differ from row to row. A related row is one shared row a model, or as many as there are
rows where a uniqueness rule says so: then the last relation of the rule is the one that differs.
"""

import itertools
import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.postgres.constraints import ExclusionConstraint
from django.db import models

from assays.models import AssayRun, Plate, Publication, Reading
from experiments.models import (
    AnalysisPlan,
    Animal,
    Arm,
    Dose,
    DoseLimit,
    EligibilityCriterion,
    Estimate,
    Experiment,
    IdentityTest,
    ImportRun,
    ImportTemplate,
    IsolationBatch,
    Job,
    Lot,
    LotSource,
    MarkerResult,
    Medication,
    Note,
    NoteMention,
    Observation,
    Passage,
    PlannedComparison,
    PlannedProcedure,
    PoiCriteria,
    Product,
    ProtocolStep,
    Randomisation,
    Recall,
    Release,
    ReportSchedule,
    SafetyTest,
    Specimen,
    StockMovement,
    StockUse,
    VesicleCharacterisation,
    Vial,
)
from experiments.vocabulary import BUILT_IN

_numbers = itertools.count(1)
DAY = date(2026, 1, 8)
# What a CHECK or a composite key asks for beyond the fields' own types.
GIVEN: dict[type[models.Model], dict[str, Any]] = {
    Observation: {"value": 1, "animal": lambda known: _enrolled(known)},
    Specimen: {"animal": lambda known: _enrolled(known)},
    Estimate: {"estimate": 1.0},
    ReportSchedule: {"weekday": 0},
    Plate: {"rows": 8, "columns": 12},
    Reading: {"value": 1},
    Job: {"requested_by": lambda known: _shared(get_user_model(), known)},
    ImportRun: {"template": lambda known: _shared(ImportTemplate, known)},
    Publication: {"run": lambda known: _accepted(known)},
    IdentityTest: {"rule_set": "isct_2006 1"},
    MarkerResult: {"percent": 97},
    Randomisation: {
        "inputs": {"method": "block", "strata": [], "weight_classes": 3, "arms": {}, "animals": {}},
        "balance": {"arms": [], "largest_standardised_difference": None, "between": None, "warnings": []},
    },
    SafetyTest: {"batch": lambda known: _shared(IsolationBatch, known)},
    Release: {"batch": lambda known: _shared(IsolationBatch, known)},
    Recall: {"batch": lambda known: make_rows(IsolationBatch, 1, known)[0]},
    LotSource: {"source_passage": lambda known: make_rows(Passage, 1, known)[0], "amount": 5},
    VesicleCharacterisation: {
        "lot": lambda known: _vesicle_lot(), "particles_per_ml": 1e9, "protein_ug_per_ml": 20,
    },
    StockUse: {"lot": lambda known: make_rows(Lot, 1, known)[0]},
    Vial: {"amount_left": 5},
    StockMovement: {
        "kind": "dispensed", "amount": -1, "dose": lambda known: _shared(Dose, known),
        "experiment": lambda known: _shared(Experiment, known),
    },
    DoseLimit: {"unit": lambda known: f"unit {next(_numbers)}", "lowest": 1, "highest": 2},
    ProtocolStep: {"kind": "other"},
    PlannedProcedure: {
        "repeat": lambda known: next(_numbers) % 30_000, "due_on": DAY, "earliest_on": DAY, "latest_on": DAY,
    },
    PoiCriteria: {"version": lambda known: 1000 + next(_numbers) % 30_000},
    AnalysisPlan: {"version": lambda known: 1000 + next(_numbers) % 30_000, "change_note": "row"},
    PlannedComparison: {"reference": lambda known: make_rows(Arm, 1, known)[0]},
    EligibilityCriterion: {"text": lambda known: f"row-{next(_numbers)}"},
    Medication: {"given_at": datetime(2026, 1, 1, tzinfo=UTC)},
    Note: {"experiment": lambda known: _shared(Experiment, known)},
    NoteMention: {"seen_at": datetime(2026, 1, 1, tzinfo=UTC)},
}  # fmt: skip
# Of these a value above differs from row to row, as their uniqueness asks.
GIVEN_ANEW = (
    *(Recall, StockUse, LotSource, DoseLimit, PlannedProcedure, PoiCriteria, AnalysisPlan, PlannedComparison),
    EligibilityCriterion,
)
Known = dict[type[models.Model], models.Model]


def make_rows(model: type[models.Model], count: int, known: Known) -> list[models.Model]:
    """Write ``count`` rows of ``model``. ``known`` holds the shared related rows; existing ones are taken first."""
    return model._base_manager.bulk_create([model(**values) for values in make_values(model, count, known)])


def make_values(
    model: type[models.Model], count: int, known: Known, *, all_shared: bool = False
) -> list[dict[str, Any]]:
    """What ``count`` new rows of ``model`` may hold. The rows that they refer to are written, they themselves are not.

    ``all_shared``: every related row is the shared one, as suits the first row of its kind.
    """
    differing = set() if all_shared else _differing_relations(model)
    related = {f.name: make_rows(f.related_model, count, known) for f in _fields(model) if f.name in differing}
    made = []
    for index in range(count):
        number = next(_numbers)
        values = {name: rows_of[index] for name, rows_of in related.items()}
        for field in _fields(model):
            if field.name not in values:
                values |= _value(model, field, number, known)
        made.append(values)
    return made


def _fields(model: type[models.Model]) -> list[Any]:
    return [f for f in model._meta.local_concrete_fields if not f.primary_key]


def _differing_relations(model: type[models.Model]) -> set[str]:
    required = {f.name for f in _fields(model) if f.is_relation and not f.null}
    found = {f.name for f in _fields(model) if f.is_relation and f.unique and f.name in required}
    found -= set(GIVEN.get(model, {}))  # made anew for each row
    for rule in model._meta.constraints:
        if isinstance(rule, ExclusionConstraint):
            found |= {e[0] for e in rule.expressions if isinstance(e[0], str)} & required
        elif isinstance(rule, models.UniqueConstraint) and not any(_differs(model, name) for name in rule.fields):
            if model in GIVEN_ANEW:
                continue
            found |= set([name for name in rule.fields if name in required][-1:])
    for names in model._meta.unique_together:  # tables of many-to-many relations
        if not any(_differs(model, name) for name in names):
            found |= set([name for name in names if name in required][-1:])
    return found


def _differs(model: type[models.Model], name: str) -> bool:
    field: Any = model._meta.get_field(name)
    if field.is_relation or field.choices or isinstance(field, models.BooleanField):
        return False
    return not field.blank  # what may be left out is left out, so it is the same everywhere


def _value(model: type[models.Model], field: Any, number: int, known: Known) -> dict[str, Any]:
    if field.name in GIVEN.get(model, {}):
        given = GIVEN[model][field.name]
        return {field.name: given(known) if callable(given) else given}
    if hasattr(field, "vocabulary"):
        return {} if field.blank else {field.name: next(iter(BUILT_IN[field.vocabulary]))}
    if field.is_relation:
        return {} if field.null else {field.name: _shared(field.related_model, known)}
    if field.unique:
        return {field.name: _plain(field, number)}
    if field.null or field.blank or field.has_default() or getattr(field, "auto_now_add", False):
        return {}
    return {field.name: field.choices[0][0] if field.choices else _plain(field, number)}


def _plain(field: Any, number: int) -> Any:
    instant = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number)
    if isinstance(field, models.DateTimeField):
        return instant
    if isinstance(field, models.DateField):
        return date(2026, 1, 1) + timedelta(days=number % 9000)
    if isinstance(field, models.TimeField):
        return instant.time()
    if isinstance(field, models.UUIDField):
        return uuid.uuid4()
    if isinstance(field, models.JSONField):
        return {"row": number}
    if isinstance(field, (models.CharField, models.TextField)):
        # 64 characters are digests
        return f"{number:064x}" if field.max_length == 64 else f"row-{number}"[: field.max_length]
    if isinstance(field, models.BooleanField):
        return True
    if isinstance(field, (models.SmallIntegerField, models.PositiveSmallIntegerField)):
        return 1000 + number % 30_000  # above the study days of the fixtures; a long run counts past 32,767
    return number


def _shared(model: type[models.Model], known: Known) -> models.Model:
    if model not in known:
        known[model] = model._base_manager.order_by("pk").first() or make_rows(model, 1, known)[0]
    return known[model]


def _vesicle_lot() -> models.Model:
    number = next(_numbers)
    product = Product(name=f"row-{number}", kind="vesicles", dose_unit="particles")
    return Lot._base_manager.bulk_create(
        [Lot(code=f"row-{number}", product=Product._base_manager.bulk_create([product])[0], made_on=DAY)]
    )[0]


def _enrolled(known: Known) -> models.Model:
    return known.setdefault(Animal, Animal.objects.filter(enrolments__isnull=False).order_by("pk").first())


def _accepted(known: Known) -> models.Model:
    """The shared run, brought on to where it may be published."""
    run = _shared(AssayRun, known)
    user, now = _shared(get_user_model(), known), datetime(2026, 3, 2, tzinfo=UTC)
    rows = AssayRun.objects.filter(pk=run.pk)
    rows.filter(state="draft").update(state="quantified", quantified_at=now, reader="row")
    rows.filter(state="quantified").update(state="accepted", decided_by=user, decided_at=now)
    return run
