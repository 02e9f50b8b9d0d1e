"""Strains, litters, cages, animals, and an animal's part in an experiment."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from experiments.actions.cytotoxic import with_cytotoxic_until
from experiments.api.derived import CycleSerializer, told_cycle
from experiments.derived import cycles_of
from experiments.models import (
    Allocation,
    Animal,
    Cage,
    Disposition,
    Enrolment,
    Experiment,
    Housing,
    Litter,
    Procedure,
    Strain,
)
from labdb.base.rest.serializers import RecordSerializer, StrictSerializer, VisibleRelatedField
from labdb.base.rest.views import AddRecords, ChangeRecords, DeleteDrafts, ReadRecords


class StrainSerializer(RecordSerializer):
    class Meta:
        model = Strain
        fields = ("id", "name", "species", "mgi_id", "rrid", "is_unknown")


class Strains(ReadRecords, AddRecords, ChangeRecords, DeleteDrafts):
    """Strains and stocks."""

    serializer_class = StrainSerializer
    filters = ("name", "species", "mgi_id", "rrid", "is_unknown")
    ordering = ("species", "name")


class LitterSerializer(RecordSerializer):
    class Meta:
        model = Litter
        fields = ("id", "experiment", "code", "dam", "born_on")


class Litters(ReadRecords, AddRecords, ChangeRecords, DeleteDrafts):
    """Animals born together of one dam."""

    serializer_class = LitterSerializer
    filters = ("experiment", "code", "born_on__gte", "born_on__lte")
    ordering = ("code",)


class CageSerializer(RecordSerializer):
    cytotoxic_until = serializers.DateField(
        read_only=True, allow_null=True, help_text="Last day on which its waste is handled as cytotoxic."
    )

    class Meta:
        model = Cage
        fields = ("id", "experiment", "label", "cytotoxic_until")


class Cages(ReadRecords, AddRecords, ChangeRecords, DeleteDrafts):
    """Cages. What of them is cytotoxic waste is told to who may know of the doses."""

    serializer_class = CageSerializer
    filters = ("experiment", "label")
    ordering = ("label",)

    def records(self) -> QuerySet:
        return with_cytotoxic_until(super().records(), self.request.user)


class HousingSerializer(RecordSerializer):
    class Meta:
        model = Housing
        fields = ("id", "animal", "cage", "started_on", "ended_on")


class Housings(ReadRecords, AddRecords, ChangeRecords):
    """The days that animals lived in cages."""

    serializer_class = HousingSerializer
    filters = ("animal", "cage", "started_on__gte", "started_on__lte", "ended_on__isnull")
    ordering = ("animal__lab_id", "started_on")


class AnimalSerializer(RecordSerializer):
    class Meta:
        model = Animal
        fields = (
            "id", "lab_id", "strain", "sex", "born_on", "litter", "ear_tag", "transponder", "supplier", "arrived_on",
            "genotype",
        )  # fmt: skip


class InExperimentSerializer(StrictSerializer):
    experiment = VisibleRelatedField(queryset=Experiment.objects.all())


IN_EXPERIMENT = OpenApiParameter("experiment", OpenApiTypes.UUID, required=True)


class Animals(ReadRecords, AddRecords, ChangeRecords, DeleteDrafts):
    """Animals of the experiments that one works on, and those that are in none yet."""

    serializer_class = AnimalSerializer
    filters = (
        "lab_id", "ear_tag", "transponder", "strain", "sex", "litter", "enrolments__experiment", "born_on__gte",
        "born_on__lte",
    )  # fmt: skip
    ordering = ("lab_id",)
    query_parameters = {"cycle": ("experiment",)}

    @extend_schema(parameters=[IN_EXPERIMENT], responses=CycleSerializer, filters=False)
    @action(detail=True)
    def cycle(self, request: Request, pk: Any) -> Response:
        """Figures of the estrous cycle in one experiment, from the stages that were read. Gaps are missing."""
        animal = self.found()
        asked = self.input(InExperimentSerializer, request.query_params.dict())
        enrolments = Enrolment.objects.visible_to(request.user).filter(animal=animal, **asked)
        found = list(cycles_of(list(enrolments), request.user).values())
        if not found:
            raise Http404(
                "No stage of the cycle is recorded in this experiment, or the animal has no day 0 to count from."
            )
        return Response(told_cycle(found[0]))


class EnrolmentSerializer(RecordSerializer):
    class Meta:
        model = Enrolment
        fields = ("id", "experiment", "animal", "day_0", "actual_severity")


class EnrolmentRecords(ReadRecords, AddRecords, ChangeRecords):
    """Animals' parts in experiments, each with its own day 0, which may be set later and then stays."""

    serializer_class = EnrolmentSerializer
    filters = ("experiment", "animal", "day_0__isnull")
    ordering = ("experiment__code", "animal__lab_id")


class AllocationSerializer(RecordSerializer):
    class Meta:
        model = Allocation
        fields = (
            "id", "experiment", "enrolment", "arm", "method", "randomisation", "stratum", "block", "allocated_at"
        )  # fmt: skip


class Allocations(ReadRecords, AddRecords, ChangeRecords):
    """Which arm an animal is in. Those of a blinded experiment are there for its unmasked members only."""

    serializer_class = AllocationSerializer
    filters = ("experiment", "enrolment", "arm")
    ordering = ("experiment__code", "enrolment__animal__lab_id")


class DispositionSerializer(RecordSerializer):
    class Meta:
        model = Disposition
        fields = ("id", "experiment", "enrolment", "kind", "occurred_on", "note")


class Dispositions(ReadRecords, AddRecords, ChangeRecords):
    """How animals' parts in experiments ended."""

    serializer_class = DispositionSerializer
    filters = ("experiment", "enrolment", "kind", "occurred_on__gte", "occurred_on__lte")
    ordering = ("experiment__code", "occurred_on")


class ProcedureSerializer(RecordSerializer):
    class Meta:
        model = Procedure
        fields = (
            "id", "experiment", "enrolment", "planned", "kind", "name", "description", "performed_on", "performed_at",
            "performed_by", "deviation", "deviation_reason",
        )  # fmt: skip


class Procedures(ReadRecords, AddRecords, ChangeRecords):
    """What was done to animals. Those of a blinded experiment are there for its unmasked members only."""

    serializer_class = ProcedureSerializer
    filters = ("experiment", "enrolment", "kind", "name", "performed_on__gte", "performed_on__lte")
    ordering = ("experiment__code", "performed_on")
