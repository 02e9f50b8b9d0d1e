"""Errors of models, verbs and the database as the client's own mistakes: 4xx, at the field to blame."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, RequestDataTooBig, SuspiciousOperation, ValidationError
from django.db import DataError, IntegrityError, OperationalError
from django.db.models import ProtectedError, RestrictedError
from rest_framework import status
from rest_framework.response import Response

from labdb.base.access import ExperimentClosed
from labdb.base.bulk import BulkRefused, RowProblem
from labdb.base.errors import ExperimentLocked, validation_error

WITHOUT_FIELD = "non_field_errors"


def answer_errors(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """The response to ``error``; None where it is the program's own fault.

    Bodies: ``{field: [message, …]}``; for many rows ``{"detail": …, "rows": [{row, field, value, message}, …]}`` with
    rows counted from 1; otherwise ``{"detail": …}``.
    """
    from rest_framework.views import exception_handler

    names = getattr(context.get("view"), "field_names", {})
    if isinstance(error, IntegrityError):
        try:
            error = validation_error(error)
        except IntegrityError:
            return None
    if isinstance(error, ExperimentLocked):  # the database's word
        return _detail(" ".join(error.messages), status.HTTP_409_CONFLICT)
    if isinstance(error, ExperimentClosed):
        return _detail(str(error), status.HTTP_409_CONFLICT)
    if isinstance(error, BulkRefused):
        return Response(refused_rows(error.problems, names), status.HTTP_400_BAD_REQUEST)
    if isinstance(error, ValidationError):
        return Response(field_errors(error, names), status.HTTP_400_BAD_REQUEST)
    if isinstance(error, (ProtectedError, RestrictedError)):
        return _detail("Other rows refer to it.", status.HTTP_409_CONFLICT)
    if isinstance(error, RequestDataTooBig):
        return _detail("The request is too large.", status.HTTP_413_REQUEST_ENTITY_TOO_LARGE)
    if isinstance(error, OperationalError):  # the database restarts, or is too busy: nothing was written
        response = _detail("The database does not answer; try again.", status.HTTP_503_SERVICE_UNAVAILABLE)
        response["Retry-After"] = "5"
        return response
    if isinstance(error, (DataError, SuspiciousOperation, UnicodeError, RecursionError)):
        return _detail("A value of the request cannot be stored.", status.HTTP_400_BAD_REQUEST)
    return exception_handler(error, dict(context))


def field_errors(error: ValidationError, names: Mapping[str, str]) -> dict[str, list[str]]:
    """``{field: messages}``; ``names`` maps a column's name to the one that the client used."""
    if not hasattr(error, "error_dict"):
        return {WITHOUT_FIELD: list(error.messages)}
    told: dict[str, list[str]] = {}
    for field, messages in error.message_dict.items():
        name = WITHOUT_FIELD if field == NON_FIELD_ERRORS else names.get(field, field)
        told.setdefault(name, []).extend(messages)
    return told


def refused_rows(problems: list[RowProblem], names: Mapping[str, str]) -> dict[str, Any]:
    rows = [
        {
            "row": p.row + 1,
            "field": WITHOUT_FIELD if p.field == NON_FIELD_ERRORS else names.get(p.field, p.field),
            "value": p.value,
            "message": p.message,
        }
        for p in problems
    ]
    count = len({p.row for p in problems})
    return {"detail": f"Nothing was written: {count} of the rows cannot be taken.", "rows": rows}


def _detail(message: str, code: int) -> Response:
    return Response({"detail": message}, code)
