"""People, experiments, memberships, arms and timepoints."""

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from experiments.actions.studies import add_member, end_membership, open_experiment
from experiments.models import Arm, DataChange, Experiment, Membership, Timepoint
from labdb.base.models import User
from labdb.base.rest.serializers import RecordSerializer, serializers
from labdb.base.rest.views import AddRecords, ChangeRecords, DeleteDrafts, ReadRecords


class PersonSerializer(RecordSerializer):
    class Meta:
        model = User
        fields = ("id", "username", "first_name", "last_name")


class People(ReadRecords):
    """The people of the laboratory."""

    serializer_class = PersonSerializer
    filters = ("username",)
    ordering = ("username",)

    def records(self) -> QuerySet:
        return User.objects.filter(is_active=True)


class ExperimentSerializer(RecordSerializer):
    is_stale = serializers.BooleanField(read_only=True, help_text="Data changed since the last summary.")

    class Meta:
        model = Experiment
        fields = (
            "id", "code", "title", "hypothesis", "masking", "status", "experimental_unit", "day_0_definition",
            "is_simulated", "primary_endpoint", "provenance", "reference", "licence", "ethics_number", "follow_up_days",
            "started_on", "created_at", "is_stale",
        )  # fmt: skip


class ExperimentRecords(ReadRecords, AddRecords, ChangeRecords):
    """Experiments. Whoever opens one is its director; its masking is chosen then."""

    serializer_class = ExperimentSerializer
    filters = ("code", "status", "masking", "is_simulated", "provenance")
    ordering = ("code",)

    def records(self) -> QuerySet:
        changed = DataChange.objects.filter(experiment=OuterRef("pk"))
        return Experiment.objects.annotate(is_stale=Exists(changed))

    def add(self, values: dict[str, Any]) -> Experiment:
        return open_experiment(by=self.request.user, **values)


class MembershipSerializer(RecordSerializer):
    class Meta:
        model = Membership
        fields = ("id", "experiment", "user", "role", "started_at", "ended_at")
        read_only_fields = ("started_at", "ended_at")


class Memberships(ReadRecords, AddRecords):
    """Who takes part in an experiment, as what. A membership is never deleted: ``end`` it."""

    serializer_class = MembershipSerializer
    filters = ("experiment", "user", "role", "ended_at__isnull")
    ordering = ("experiment__code", "user__username")

    def add(self, values: dict[str, Any]) -> Membership:
        return add_member(by=self.request.user, **values)

    @extend_schema(request=None, responses=MembershipSerializer)
    @action(detail=True, methods=["post"])
    def end(self, request: Request, pk: Any) -> Response:
        """From now on the person no longer takes part in this role."""
        ended = end_membership(membership=self.found(), by=request.user)
        return self.answer(ended.pk)


class ArmSerializer(RecordSerializer):
    class Meta:
        model = Arm
        fields = (
            "id", "experiment", "label", "description", "kind", "position", "planned_n", "sample_size_basis", "reference",
            "vehicle_arm", "healthy_arm", "strain",
        )  # fmt: skip


class Arms(ReadRecords, AddRecords, ChangeRecords, DeleteDrafts):
    """Groups of animals that are treated alike."""

    serializer_class = ArmSerializer
    filters = ("experiment", "label", "kind", "reference", "strain")
    ordering = ("experiment__code", "position")


class TimepointSerializer(RecordSerializer):
    class Meta:
        model = Timepoint
        fields = ("id", "experiment", "label", "study_day", "window_before_days", "window_after_days")


class Timepoints(ReadRecords, AddRecords, ChangeRecords, DeleteDrafts):
    """Planned moments of observation."""

    serializer_class = TimepointSerializer
    filters = ("experiment", "label", "study_day", "study_day__gte", "study_day__lte")
    ordering = ("experiment__code", "study_day")
