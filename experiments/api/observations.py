"""Endpoints, specimens, and observations: read as rows, written through their verbs."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema, inline_serializer
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from experiments.actions.observations import correct_observation
from experiments.actions.specimens import reassign_specimen, swap_specimens
from experiments.api.intake import FIELD_NAMES, NewObservationSerializer, take
from experiments.models import Animal, Endpoint, Observation, Specimen
from labdb.base.rest.serializers import (
    ExactNumberField,
    RecordSerializer,
    StrictSerializer,
    VisibleRelatedField,
    serializers,
)
from labdb.base.rest.views import AddRecords, ChangeRecords, ReadRecords
from labdb.base.rest.wire import ExactJsonParser, JsonLinesParser


class EndpointSerializer(RecordSerializer):
    class Meta:
        model = Endpoint
        fields = (
            "id", "key", "name", "unit", "value_kind", "benefit", "default_scale", "plausible_low", "plausible_high",
            "is_built_in",
        )  # fmt: skip


class Endpoints(ReadRecords, AddRecords, ChangeRecords):
    """What can be observed: the program's own endpoints and the laboratory's."""

    serializer_class = EndpointSerializer
    filters = ("key", "value_kind", "is_built_in")
    ordering = ("key",)


class SpecimenSerializer(RecordSerializer):
    class Meta:
        model = Specimen
        fields = (
            "id", "experiment", "animal", "code", "matrix", "organ", "timepoint", "collected_at", "volume_ul",
            "is_haemolysed", "freeze_thaws", "freezer_place", "cycle_stage",
        )  # fmt: skip


class ReassignmentSerializer(StrictSerializer):
    """The animal that a specimen was really taken from."""

    animal = VisibleRelatedField(queryset=Animal.objects.all())
    reason = serializers.CharField(max_length=500)


class SwapSerializer(StrictSerializer):
    """The specimen that was taken for this one."""

    other = VisibleRelatedField(queryset=Specimen.objects.all())
    reason = serializers.CharField(max_length=500)


class Specimens(ReadRecords, AddRecords, ChangeRecords):
    """Samples taken from animals. One that was mixed up is reassigned, or swapped with another; its results move along."""

    serializer_class = SpecimenSerializer
    filters = ("experiment", "animal", "code", "matrix", "timepoint", "collected_at__gte", "collected_at__lte")
    ordering = ("experiment__code", "code")

    @extend_schema(request=ReassignmentSerializer, responses=SpecimenSerializer)
    @action(detail=True, methods=["post"])
    def reassign(self, request: Request, pk: Any) -> Response:
        """Say that the specimen was taken from another animal: its results move there, with the reason."""
        specimen = self.found()
        values = self.input(ReassignmentSerializer, request.data)
        reassign_specimen(specimen=specimen, by=request.user, **values)
        return self.answer(specimen.pk)

    @extend_schema(request=SwapSerializer, responses=SpecimenSerializer)
    @action(detail=True, methods=["post"])
    def swap(self, request: Request, pk: Any) -> Response:
        """Say that this specimen and another were taken for each other: each takes the other's animal, with its results."""
        specimen = self.found()
        values = self.input(SwapSerializer, request.data)
        swap_specimens(specimen=specimen, by=request.user, **values)
        return self.answer(specimen.pk)


class ObservationSerializer(RecordSerializer):
    class Meta:
        model = Observation
        fields = (
            "id", "experiment", "endpoint", "animal", "cage", "litter", "timepoint", "observed_at", "is_time_known",
            "side", "reader", "specimen", "ordinal", "qualifier", "value", "limit", "category", "unit",
            "entered_value", "entered_unit", "source_file", "source_place", "recorded_by", "recorded_at", "is_current",
            "supersedes", "reason",
        )  # fmt: skip
        read_only_fields = fields


class CorrectionSerializer(StrictSerializer):
    """The new value: ``value`` or ``category``, or ``qualifier`` with ``limit``; ``unit`` is the old one unless told."""

    reason = serializers.CharField(max_length=500)
    value = ExactNumberField(required=False, allow_null=True)
    limit = ExactNumberField(required=False, allow_null=True)
    qualifier = serializers.ChoiceField(Observation.Qualifier.choices, default="=")
    category = serializers.CharField(max_length=60, required=False, allow_null=True)
    unit = serializers.CharField(max_length=30, required=False, allow_blank=True, default="")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        used, unused = ("value", "limit") if attrs["qualifier"] == "=" else ("limit", "value")
        if attrs.pop(unused, None) is not None:
            raise serializers.ValidationError({unused: [f"With the qualifier {attrs['qualifier']} give {used}."]})
        number = attrs.pop(used, None)
        return {**attrs, "number": number}


TAKEN = inline_serializer(
    "TakenObservations",
    {"created": serializers.IntegerField(), "ids": serializers.ListField(child=serializers.UUIDField())},
)
NEW = NewObservationSerializer()
ONE: dict[str, Any] = {"$ref": "#/components/schemas/NewObservationRequest"}


class Observations(ReadRecords):
    """What was observed. Nothing is overwritten: ``correct`` adds a newer observation that supersedes the old one."""

    serializer_class = ObservationSerializer
    parser_classes = (ExactJsonParser, JsonLinesParser)
    field_names = FIELD_NAMES
    filters = (
        "experiment", "endpoint", "endpoint__key", "animal", "cage", "litter", "timepoint", "specimen", "side",
        "reader", "category", "qualifier", "is_current", "observed_at__gte", "observed_at__lte", "recorded_at__gte",
        "recorded_at__lte", "value__gte", "value__lte", "source_file",
    )  # fmt: skip
    ordering = ("observed_at",)

    @extend_schema(
        request={"application/json": {"oneOf": [ONE, {"type": "array", "items": ONE}]}, "application/x-ndjson": NEW},
        responses={
            201: OpenApiResponse(ObservationSerializer, "One observation."),
            200: OpenApiResponse(TAKEN, "Of an array, or of JSON lines: the new ids in the order of the rows."),
        },
        description="Record one observation (an object), or many at once (an array of such objects, or JSON lines): all"
        " of them, or none and a list of every row's errors.",
    )
    def create(self, request: Request) -> Response:
        data = request.data
        ids = take(data if isinstance(data, list) else [data], by=request.user, is_bulk=isinstance(data, list))
        if isinstance(data, list):
            return Response({"created": len(ids), "ids": ids}, status.HTTP_200_OK)
        place = request.build_absolute_uri(f"{request.path}/{ids[0]}")
        return self.answer(ids[0], status.HTTP_201_CREATED, {"Location": place})

    @extend_schema(request=CorrectionSerializer, responses={201: ObservationSerializer})
    @action(detail=True, methods=["post"])
    def correct(self, request: Request, pk: Any) -> Response:
        """Replace the observation by a newer one that supersedes it, with a reason; the old row stays, closed."""
        values = self.input(CorrectionSerializer, request.data)
        newer = correct_observation(observation=self.found(), by=request.user, **values)
        return self.answer(newer.pk, status.HTTP_201_CREATED)
