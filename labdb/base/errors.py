"""What the database refuses, said as the model's own message at the model's own field."""

from typing import Any

from django.apps import apps
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError, connection, models
from psycopg.pq import TransactionStatus

from labdb.base.access import sees_experiment
from labdb.base.acting import current

NOT_NULL, FOREIGN_KEY, UNIQUE, EXCLUSION = "23502", "23503", "23505", "23P01"
LOCKED = "experiment_locked"
KEPT = "A closed experiment keeps this row as it is."


class ExperimentLocked(ValidationError):
    """The database refused a change because the experiment with the key ``experiment`` is closed.

    The message says who closed it, when and why; to a person who does not see the experiment and only shares a strain,
    an endpoint or an animal with it, nothing but that there is one.
    """

    def __init__(self, diagnosis: Any) -> None:
        self.experiment: str = diagnosis.message_detail or ""
        told = (diagnosis.message_primary, diagnosis.message_hint) if _may_know(self.experiment) else (KEPT,)
        super().__init__([text for text in told if text])


def _may_know(experiment: str) -> bool:
    """Where nobody is known to act (a command, the database's own roles), nobody is kept from it."""
    person = current().person
    if person is None:
        return True
    if connection.connection and connection.connection.info.transaction_status == TransactionStatus.INERROR:
        return False  # the transaction answers nothing any more
    return bool(experiment) and sees_experiment(person, experiment)


def validation_error(error: IntegrityError) -> ValidationError:
    """The ValidationError that says what ``error`` means.

    Raises:
        IntegrityError: ``error`` itself, where it does not come from a rule of ours.
    """
    diagnosis = getattr(error.__cause__, "diag", None)
    model = _model_of(diagnosis.table_name) if diagnosis else None
    if diagnosis is not None and diagnosis.constraint_name == LOCKED:
        return ExperimentLocked(diagnosis)
    if diagnosis is None or model is None:
        raise error
    field, message = explain(model, diagnosis)
    return ValidationError({field: [message]}, code=diagnosis.sqlstate)


def explain(model: type[models.Model], diagnosis: Any) -> tuple[str, str]:
    """Field name (``__all__`` where no single one is to blame) and message of a refused row."""
    if diagnosis.sqlstate == NOT_NULL:
        return _field_of_column(model, diagnosis.column_name), "This field cannot be empty."
    return message_of(model, diagnosis.constraint_name or "", diagnosis.sqlstate, diagnosis.message_primary)


def message_of(model: type[models.Model], name: str, sqlstate: str, fallback: str) -> tuple[str, str]:
    """Field and message of the constraint ``name`` of ``model``'s table."""
    told = getattr(model, "database_messages", {}).get(name)
    if told:
        return told
    for constraint in model._meta.constraints:
        if constraint.name == name:
            return _field_of_constraint(constraint), str(constraint.get_violation_error_message())
    for field in model._meta.local_concrete_fields:
        if name == f"{model._meta.db_table}_{field.column}_check":
            return field.name, "This is not a finite number."
        if name.startswith(f"{model._meta.db_table}_{field.column}_") and sqlstate == UNIQUE:
            return (
                field.name,
                f"{str(model._meta.verbose_name).capitalize()} with this {field.verbose_name} already exists.",
            )
        if name.startswith(f"{model._meta.db_table}_{field.column}_") and sqlstate == FOREIGN_KEY:
            return (field.name, f"There is no such {field.verbose_name}, or something still refers to it.")
    return NON_FIELD_ERRORS, fallback


def _model_of(table: str | None) -> type[models.Model] | None:
    return next((model for model in apps.get_models() if model._meta.db_table == table), None)


def _field_of_column(model: type[models.Model], column: str) -> str:
    return next((f.name for f in model._meta.local_concrete_fields if f.column == column), NON_FIELD_ERRORS)


def _field_of_constraint(constraint: Any) -> str:
    named: str | None = getattr(constraint, "field", None)
    fields: tuple[str, ...] = getattr(constraint, "fields", ())
    return named or (fields[0] if len(fields) == 1 else NON_FIELD_ERRORS)
