"""Assay runs: uploading a file, polling its evaluation, deciding, publishing."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from assays.actions import (
    accept_run,
    change_parameters,
    exclude_result,
    mask_well,
    publish_run,
    quantify_again,
    reject_run,
    unmask_well,
    upload_plate_file,
)
from assays.api.parts import ResultRows, ResultSerializer, WellRows
from assays.models import AssayRun
from labdb.base.rest.serializers import JsonField, RecordSerializer, StrictSerializer, serializers
from labdb.base.rest.views import AddRecords, ReadRecords
from labdb.base.rest.wire import ExactJsonParser


class AssayRunSerializer(RecordSerializer):
    file = serializers.FileField(write_only=True, allow_empty_file=True, max_length=250)
    layout = serializers.FileField(
        write_only=True,
        required=False,
        max_length=250,
        help_text="CSV with the columns well, role and perhaps plate, sample, concentration, unit, dilution.",
    )
    kind = serializers.CharField(max_length=60, help_text="e.g. elisa, follicle_count")
    parameters = JsonField(required=False, help_text="How the run is evaluated: an object, as JSON text.")
    kit_lloq = serializers.DecimalField(max_digits=None, decimal_places=None, required=False, allow_null=True)

    class Meta:
        model = AssayRun
        fields = (
            "id", "experiment", "endpoint", "timepoint", "kind", "file", "layout", "source_file", "layout_file",
            "reader", "software_version", "parameters", "kit_name", "kit_lot", "kit_lloq", "kit_lloq_unit", "state",
            "job", "uploaded_by", "uploaded_at", "quantified_at", "decided_by", "decided_at", "decision_reason",
            "published_by", "published_at",
        )  # fmt: skip
        read_only_fields = (
            "source_file", "layout_file", "reader", "software_version", "state", "job", "uploaded_by", "uploaded_at",
            "quantified_at", "decided_by", "decided_at", "decision_reason", "published_by", "published_at",
        )  # fmt: skip


class ReasonSerializer(StrictSerializer):
    reason = serializers.CharField(max_length=500)


class AcceptanceSerializer(StrictSerializer):
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


class EvaluationSerializer(StrictSerializer):
    """``parameters`` replace those of the run by name, for a ``reason``; without any it is evaluated as before."""

    parameters = JsonField(required=False)
    reason = serializers.CharField(max_length=500, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "parameters" not in attrs:
            attrs.pop("reason", None)  # nothing changes that was recorded
        elif "reason" not in attrs:
            raise serializers.ValidationError({"reason": ["Say why the run is evaluated by other parameters."]})
        return attrs


PUBLISHED = inline_serializer("PublishedRun", {"run": AssayRunSerializer(), "observations": serializers.IntegerField()})
JSON = [ExactJsonParser]


class AssayRuns(ReadRecords, AddRecords):
    """Files that were uploaded as assays. POST a file as multipart form, then poll its ``job`` under ``jobs``."""

    serializer_class = AssayRunSerializer
    parser_classes = (MultiPartParser,)
    filters = (
        "experiment", "endpoint", "kind", "state", "source_file", "uploaded_by", "uploaded_at__gte", "uploaded_at__lte",
    )  # fmt: skip
    ordering = ("-uploaded_at",)
    field_names = {"source_file": "file"}

    def add(self, values: dict[str, Any]) -> AssayRun:
        file, layout = values.pop("file"), values.pop("layout", None)
        if layout is not None:
            values |= {"layout_csv": layout.read(), "layout_name": layout.name}
        given = {"endpoint": None, **values}
        return upload_plate_file(data=file.read(), name=file.name, by=self.request.user, **given)

    def _do(self, verb: Callable[..., Any], serializer: type, code: int = status.HTTP_200_OK) -> Response:
        given = self.input(serializer, self.request.data)
        run = self.found()
        verb(run=run, by=self.request.user, **given)
        return self.answer(run.pk, code)

    @extend_schema(request=AcceptanceSerializer, responses=AssayRunSerializer)
    @action(detail=True, methods=["post"], parser_classes=JSON)
    def accept(self, request: Request, pk: Any) -> Response:
        """A person stands for the quantified run; it no longer changes."""
        return self._do(accept_run, AcceptanceSerializer)

    @extend_schema(request=ReasonSerializer, responses=AssayRunSerializer)
    @action(detail=True, methods=["post"], parser_classes=JSON)
    def reject(self, request: Request, pk: Any) -> Response:
        """The run is kept and never published."""
        return self._do(reject_run, ReasonSerializer)

    @extend_schema(request=EvaluationSerializer, responses={202: AssayRunSerializer})
    @action(detail=True, methods=["post"], parser_classes=JSON)
    def quantify(self, request: Request, pk: Any) -> Response:
        """Evaluate the run once more; poll its job."""
        changed = "parameters" in request.data
        return self._do(
            change_parameters if changed else quantify_again, EvaluationSerializer, status.HTTP_202_ACCEPTED
        )

    @extend_schema(request=None, responses=PUBLISHED)
    @action(detail=True, methods=["post"], parser_classes=JSON)
    def publish(self, request: Request, pk: Any) -> Response:
        """Record one observation a specimen and endpoint."""
        run = self.found()
        published = publish_run(run=run, by=request.user)
        return Response({"run": self.row(run.pk), "observations": published})


class Wells(WellRows):
    __doc__ = WellRows.__doc__

    @extend_schema(request=ReasonSerializer, responses={202: AssayRunSerializer})
    @action(detail=True, methods=["post"])
    def mask(self, request: Request, pk: Any) -> Response:
        """Leave the well out, with a reason; its run is evaluated once more: poll the job of the run that comes back."""
        given = self.input(ReasonSerializer, request.data)
        return self._told(mask_well(well=self.found(), by=request.user, **given))

    @extend_schema(request=ReasonSerializer, responses={202: AssayRunSerializer})
    @action(detail=True, methods=["post"])
    def unmask(self, request: Request, pk: Any) -> Response:
        """Take the well back in, with a reason."""
        given = self.input(ReasonSerializer, request.data)
        return self._told(unmask_well(well=self.found(), by=request.user, **given))

    def _told(self, run: AssayRun) -> Response:
        row = AssayRuns(request=self.request, format_kwarg=None).row(run.pk)
        return Response(row, status.HTTP_202_ACCEPTED)


class Results(ResultRows):
    __doc__ = ResultRows.__doc__

    @extend_schema(request=ReasonSerializer, responses=ResultSerializer)
    @action(detail=True, methods=["post"])
    def exclude(self, request: Request, pk: Any) -> Response:
        """Keep the result from being published, with a reason."""
        given = self.input(ReasonSerializer, request.data)
        result = exclude_result(result=self.found(), by=request.user, **given)
        return self.answer(result.pk)
