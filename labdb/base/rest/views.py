"""Base views: strict requests, rows that are read by ``.values()``, writes that end in a model's save or a verb."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import models, transaction
from django.db.models import QuerySet
from django.http import FileResponse, Http404
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.exceptions import APIException, NotFound
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from labdb.base.access import require
from labdb.base.acting import acting, current
from labdb.base.rest.filters import DeclaredFilters, refuse_unknown
from labdb.base.rest.paging import Pages
from labdb.base.rest.serializers import REASON, REASON_HELP, DeletionSerializer, RecordSerializer, columns_of
from labdb.base.rest.versions import (
    ANY,
    NotConditional,
    Stale,
    current_version,
    tag_of,
    tags_in,
    told_changes,
    versions_in,
)
from labdb.base.rest.wire import ExactJsonRenderer

logger = logging.getLogger(__name__)

MARGIN = 1024**2  # bytes of a multipart request around its file


class TooLarge(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The request is too large."


class Referred(APIException):
    """409: the row is no draft, so it stays."""

    status_code = status.HTTP_409_CONFLICT

    def __init__(self, record: Any) -> None:
        super().__init__()
        count = record.count_referring()
        rows = "1 row refers" if count == 1 else f"{count} rows refer"
        told = f"It was not deleted: {rows} to it." if count else "It was not deleted: its experiment has begun."
        self.detail: Any = {"detail": told, "referring": count}


class StrictRequest:
    """Refuses unknown query parameters and oversized bodies before anything else is asked.

    ``query_parameters`` maps an action's name to the parameters that it knows.
    """

    query_parameters: ClassVar[dict[str, tuple[str, ...]]] = {}

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        refuse_unknown(request, self.known_parameters())
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdecimal() and int(length) > settings.LABDB_MAX_UPLOAD_BYTES + MARGIN:
            raise TooLarge
        super().initial(request, *args, **kwargs)  # type: ignore[misc]
        current().person = request.user  # known by now, also where a token and not the session says who it is

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        if getattr(response, "exception", False):  # a refusal is JSON, whatever was asked for
            request.accepted_renderer, request.accepted_media_type = ExactJsonRenderer(), "application/json"
        return super().finalize_response(request, response, *args, **kwargs)  # type: ignore[misc]

    def known_parameters(self) -> tuple[str, ...]:
        name = getattr(self, "action", None) or self.request.method.lower()  # type: ignore[attr-defined]
        return self.query_parameters.get(name, ())


class StrictView(StrictRequest, APIView):
    """An endpoint that is no resource."""


class ReadRecords(StrictRequest, GenericViewSet):
    """List and detail of the rows that ``visible_to`` shows; a detail carries its version as ``ETag``.

    ``filters`` names the query parameters of the list (paths of model fields, see ``labdb.base.rest.filters``),
    ``ordering`` its order, to which the primary key is added so that pages never repeat a row.
    ``field_names`` maps a column's name in a verb's error to the request's.
    """

    serializer_class: type[RecordSerializer]
    filters: ClassVar[tuple[str, ...]] = ()
    ordering: ClassVar[tuple[str, ...]] = ()
    field_names: ClassVar[dict[str, str]] = {}
    filter_backends: Sequence[type[BaseFilterBackend]] = (DeclaredFilters,)
    pagination_class = Pages

    @property
    def model(self) -> type[models.Model]:
        return self.serializer_class.Meta.model

    def known_parameters(self) -> tuple[str, ...]:
        known = {"list": ("limit", "offset", *self.filters), "destroy": (REASON,)}
        return known[self.action] if self.action in known else super().known_parameters()

    def records(self) -> QuerySet:
        """Every row, with the annotations that the serializer's computed fields need."""
        return self.model._default_manager.all()

    def get_queryset(self) -> QuerySet:
        return self.records().visible_to(self.request.user)  # type: ignore[attr-defined]

    def rows(self, queryset: QuerySet) -> QuerySet:
        """``queryset`` as dictionaries of the serializer's fields."""
        names, joined = columns_of(self.serializer_class)
        return queryset.values(*names, **joined)

    def row(self, key: Any) -> dict[str, Any]:
        return self.rows(self.records()).get(pk=key)

    def answer(self, key: Any, code: int = status.HTTP_200_OK, headers: dict[str, str] | None = None) -> Response:
        """The row ``key`` as the answer to a write, with its version."""
        version = current_version(self.model, key)  # asked before the row: it may be older, never newer
        row = self.row(key)
        return Response(row, code, headers={**(headers or {}), "ETag": tag_of(self.model, row, version)})

    def found(self, queryset: QuerySet | None = None) -> Any:
        """The row of the address, or 404. Where a verb's request says ``If-Match``, it is held and must match."""
        rows = self.get_queryset() if queryset is None else queryset
        is_conditional = queryset is None and self.is_conditional_verb(self.request)
        if is_conditional:
            rows = rows.select_for_update(of=("self",), no_key=True)
        try:
            found = rows.get(pk=self.kwargs["pk"])
        except ObjectDoesNotExist:
            raise Http404(f"There is no such {self.model._meta.verbose_name}.") from None
        if is_conditional:
            self.match(found)
        return found

    def match(self, record: models.Model) -> None:
        """Refuses a request that was made from another version of ``record``, which is held by now.

        Raises:
            NotConditional: the request does not say from which.
            Stale: the row changed since; with everything that did.
        """
        header = self.request.headers.get("If-Match")
        if header is None:
            raise NotConditional
        expected = versions_in(header)
        version = current_version(self.model, record.pk)
        if expected is None or version in expected:
            return
        seen = max((each for each in expected if each < version), default=version)
        now = self.row(record.pk)
        raise Stale(version, told_changes(record, now, seen, self.request.data, self.request.user))

    def is_conditional_verb(self, request: Any) -> bool:
        return request.method == "POST" and "pk" in self.kwargs and "If-Match" in request.headers

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """A verb under ``If-Match`` runs in the transaction that holds its row."""
        self.kwargs = kwargs
        if not self.is_conditional_verb(request):
            return super().dispatch(request, *args, **kwargs)
        with transaction.atomic():
            response = super().dispatch(request, *args, **kwargs)
            if response.status_code >= status.HTTP_400_BAD_REQUEST:
                transaction.set_rollback(True)
        return response

    def list(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        queryset = self.filter_queryset(self.get_queryset()).order_by(*self.ordering, "pk")
        page = self.paginate_queryset(self.rows(queryset))
        return self.get_paginated_response(page)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        version = current_version(self.model, self.kwargs["pk"])  # before the row: it may be older, never newer
        row = self.found(self.rows(self.get_queryset()))
        tag = tag_of(self.model, row, version)
        known = tags_in(request.headers.get("If-None-Match", '""'), "If-None-Match")
        if tag.strip('"') in known or known == [ANY]:
            return Response(status=status.HTTP_304_NOT_MODIFIED, headers={"ETag": tag})
        return Response(row, headers={"ETag": tag})

    def input(self, serializer_class: type, data: Any) -> dict[str, Any]:
        """The validated input of a verb."""
        serializer = serializer_class(data=data, context=self.get_serializer_context())
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data


class AddRecords:
    """POST on the list makes one row."""

    def create(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        with transaction.atomic():
            added = self.add(serializer.validated_data)
        place = request.build_absolute_uri(f"{request.path}/{added.pk}")
        return self.answer(added.pk, status.HTTP_201_CREATED, {"Location": place})

    def add(self: Any, values: dict[str, Any]) -> models.Model:
        """Make the row of ``values``. Override it where a verb makes it."""
        made = self.model(**values)
        require(self.request.user, "add", made)
        made.save()
        return made


class ChangeRecords:
    """PATCH on a detail changes the given fields of the version that ``If-Match`` names."""

    def partial_update(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        with transaction.atomic():
            record = self.found(self.get_queryset().select_for_update(of=("self",), no_key=True))
            require(request.user, "change", record)
            self.match(record)
            serializer = self.get_serializer(record, data=request.data, partial=True)
            serializer.is_valid(raise_exception=True)
            values = dict(serializer.validated_data)
            with acting(reason=values.pop(REASON, None)):
                self.change(record, values)
            return self.answer(record.pk)

    def change(self: Any, record: models.Model, values: dict[str, Any]) -> None:
        """Set ``values`` on ``record``. Override it where a verb does."""
        for name, value in values.items():
            setattr(record, name, value)
        require(self.request.user, "change", record)
        record.save()


class DeleteDrafts:
    """DELETE on a detail takes a draft away: a row that nothing refers to, in the version that ``If-Match`` names."""

    @extend_schema(parameters=[OpenApiParameter(REASON, str, description=REASON_HELP)])
    def destroy(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        given = {name: value for name, value in request.query_params.items() if name == REASON}
        told = self.input(DeletionSerializer, given)
        with transaction.atomic():
            record = self.found(self.get_queryset().select_for_update(of=("self",)))
            require(request.user, "delete", record)
            self.match(record)
            if not record.is_draft():
                raise Referred(record)
            with acting(reason=told.get(REASON)):
                record.delete()
        return Response(status=status.HTTP_204_NO_CONTENT)


class ApiRouter(SimpleRouter):
    """Plural nouns without trailing slash, details by UUID."""

    def __init__(self) -> None:
        super().__init__(trailing_slash=False, use_regex_path=False)

    def get_lookup_regex(self, viewset: Any, lookup_prefix: str = "") -> str:
        return f"<uuid:{lookup_prefix}pk>"


def download(path: Path, name: str, content_type: str) -> FileResponse:
    """The file at ``path`` as an attachment. Raises NotFound where its bytes are gone."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        logger.error("the bytes of “%s” are not at %s", name, path)
        raise NotFound("The bytes of this file are missing from the file store.") from None
    return FileResponse(file, as_attachment=True, filename=name, content_type=content_type)
