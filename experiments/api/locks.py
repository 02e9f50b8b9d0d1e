"""Closings of experiments, past and present."""

from experiments.actions.reasons import LONGEST_REASON
from experiments.models import ExperimentLock
from labdb.base.rest.serializers import RecordSerializer, StrictSerializer, serializers
from labdb.base.rest.views import ReadRecords


class ExperimentLockSerializer(RecordSerializer):
    class Meta:
        model = ExperimentLock
        fields = (
            "id", "experiment", "closed_by", "closed_at", "reason", "reopened_by", "reopened_at", "reopen_reason",
        )  # fmt: skip
        read_only_fields = fields


class ClosingSerializer(StrictSerializer):
    """Why."""

    reason = serializers.CharField(max_length=LONGEST_REASON)


class ExperimentLocks(ReadRecords):
    """Who closed an experiment, when and why, and who opened it again; the one without ``reopened_at`` stands."""

    serializer_class = ExperimentLockSerializer
    filters = ("experiment", "closed_by", "reopened_at__isnull")
    ordering = ("experiment__code", "closed_at")
