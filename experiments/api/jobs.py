"""Background work: how far it is, and its result or the reason why it failed."""

from experiments.models import Job
from labdb.base.rest.serializers import RecordSerializer
from labdb.base.rest.views import ReadRecords


class JobSerializer(RecordSerializer):
    class Meta:
        model = Job
        fields = (
            "id", "kind", "subject_id", "experiment", "state", "requested_by", "requested_at", "started_at",
            "finished_at", "attempts", "progress_done", "progress_total", "progress_note", "result", "error",
        )  # fmt: skip
        read_only_fields = fields


class Jobs(ReadRecords):
    """Background work."""

    serializer_class = JobSerializer
    filters = ("experiment", "kind", "subject_id", "state", "requested_by")
    ordering = ("-requested_at",)
