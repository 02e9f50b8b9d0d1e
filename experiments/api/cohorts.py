"""Who comes into an experiment, into which arm, and who is left out."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from experiments import cohorts
from experiments.actions.exclusions import exclude, revoke_exclusion
from experiments.actions.poi import lock_poi_criteria, new_poi_criteria_version
from experiments.api.animals import EnrolmentRecords
from experiments.models import (
    EligibilityCriterion,
    Exclusion,
    PoiConfirmation,
    PoiCriteria,
    PoiCriterion,
    Randomisation,
)
from labdb.base.rest.serializers import RecordSerializer, StrictSerializer
from labdb.base.rest.views import AddRecords, ChangeRecords, DeleteDrafts, ReadRecords


class EligibilityCriterionSerializer(RecordSerializer):
    class Meta:
        model = EligibilityCriterion
        fields = ("id", "experiment", "kind", "lowest", "highest", "text")


class EligibilityCriteria(ReadRecords, AddRecords, ChangeRecords, DeleteDrafts):
    """What animals must fulfil before they are allocated."""

    serializer_class = EligibilityCriterionSerializer
    filters = ("experiment", "kind")
    ordering = ("experiment__code", "kind")


class RandomisationSerializer(RecordSerializer):
    class Meta:
        model = Randomisation
        fields = (
            "id",
            "experiment",
            "method",
            "strata",
            "algorithm",
            "seed_sha256",
            "inputs",
            "balance",
            "drawn_at",
            "drawn_by",
        )
        read_only_fields = fields


class ReproductionSerializer(serializers.Serializer):
    """Whether a draw gives the arms that stand."""

    is_equal = serializers.BooleanField()


class Randomisations(ReadRecords):
    """Draws of arms for animals. The seed stays sealed."""

    serializer_class = RandomisationSerializer
    filters = ("experiment", "method", "drawn_at__gte", "drawn_at__lte", "drawn_by")
    ordering = ("experiment__code", "drawn_at")

    @extend_schema(responses=ReproductionSerializer, filters=False)
    @action(detail=True)
    def reproduce(self, request: Request, pk: Any) -> Response:
        """Make the draw again from its inputs and its sealed seed, and tell whether every arm is the same."""
        return Response({"is_equal": cohorts.reproduce(self.found())})


class ExclusionSerializer(RecordSerializer):
    class Meta:
        model = Exclusion
        fields = (
            "id",
            "enrolment",
            "endpoint",
            "stage",
            "is_prespecified",
            "is_decided_blinded",
            "reason",
            "decided_by",
            "decided_at",
            "revoked_at",
            "revoked_by",
            "revoke_reason",
        )
        read_only_fields = fields


class RevokingSerializer(StrictSerializer):
    """Why."""

    reason = serializers.CharField(max_length=500)


class Exclusions(ReadRecords):
    """Animals that are left out of the analysis, and why."""

    serializer_class = ExclusionSerializer
    filters = (
        "enrolment__experiment",
        "enrolment",
        "endpoint",
        "stage",
        "is_prespecified",
        "is_decided_blinded",
        "decided_by",
        "decided_at__gte",
        "decided_at__lte",
        "revoked_at__gte",
        "revoked_at__lte",
        "revoked_by",
    )
    ordering = ("decided_at",)

    @extend_schema(request=RevokingSerializer, responses=ExclusionSerializer)
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, pk: Any) -> Response:
        """Take the animal in again, with a reason."""
        asked = self.input(RevokingSerializer, request.data)
        return self.answer(revoke_exclusion(exclusion=self.found(), by=request.user, **asked).pk)


class ExcludingSerializer(RecordSerializer):
    """An animal is left out: of one endpoint, or of everything."""

    class Meta:
        model = Exclusion
        fields = ("stage", "reason", "is_prespecified", "endpoint")
        extra_kwargs = {"is_prespecified": {"required": True}}


class Enrolments(EnrolmentRecords):
    __doc__ = EnrolmentRecords.__doc__

    @extend_schema(request=ExcludingSerializer, responses={201: ExclusionSerializer})
    @action(detail=True, methods=["post"])
    def exclude(self, request: Request, pk: Any) -> Response:
        """Leave the animal out of the analysis, with a reason. It and its values stay."""
        enrolment = self.found()
        made = exclude(enrolment=enrolment, by=request.user, **self.input(ExcludingSerializer, request.data))
        return Response(Exclusions(request=request, format_kwarg=None).row(made.pk), status.HTTP_201_CREATED)


class PoiCriteriaSerializer(RecordSerializer):
    class Meta:
        model = PoiCriteria
        fields = ("id", "experiment", "version", "required", "locked_at", "locked_by")
        read_only_fields = ("locked_at", "locked_by")


class PoiCriteriaSets(ReadRecords, AddRecords, ChangeRecords):
    """By which criteria POI is confirmed."""

    serializer_class = PoiCriteriaSerializer
    filters = ("experiment", "locked_at__gte", "locked_at__lte", "locked_by")
    ordering = ("experiment__code", "-version")

    @extend_schema(request=None, responses=PoiCriteriaSerializer)
    @action(detail=True, methods=["post"])
    def lock(self, request: Request, pk: Any) -> Response:
        """From now on the list stays as it is, and animals are judged by it."""
        return self.answer(lock_poi_criteria(criteria=self.found(), by=request.user).pk)

    @extend_schema(request=None, responses={201: PoiCriteriaSerializer})
    @action(detail=True, methods=["post"], url_path="new-version")
    def new_version(self, request: Request, pk: Any) -> Response:
        """An open copy of locked criteria."""
        made = new_poi_criteria_version(criteria=self.found(), by=request.user)
        return self.answer(made.pk, status.HTTP_201_CREATED)


class PoiCriterionSerializer(RecordSerializer):
    class Meta:
        model = PoiCriterion
        fields = ("id", "criteria", "rule", "endpoint", "timepoint", "threshold")


class PoiCriteriaItems(ReadRecords, AddRecords, ChangeRecords, DeleteDrafts):
    """Single criteria."""

    serializer_class = PoiCriterionSerializer
    filters = ("criteria__experiment", "criteria", "rule", "endpoint", "timepoint")
    ordering = ("rule", "endpoint__name")


class PoiConfirmationSerializer(RecordSerializer):
    class Meta:
        model = PoiConfirmation
        fields = ("id", "enrolment", "criteria", "verdict", "findings", "assessed_at", "assessed_by")
        read_only_fields = fields


class PoiConfirmations(ReadRecords):
    """In which animals POI is confirmed."""

    serializer_class = PoiConfirmationSerializer
    filters = (
        "enrolment__experiment",
        "enrolment",
        "criteria",
        "verdict",
        "assessed_at__gte",
        "assessed_at__lte",
        "assessed_by",
    )
    ordering = ("-assessed_at",)
