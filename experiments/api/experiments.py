"""An experiment's tidy table, its summary, and asking for it anew."""

from typing import Any

from django.http import StreamingHttpResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from experiments import flow
from experiments.actions.closing import close_experiment, reopen_experiment
from experiments.actions.organ_index import publish_organ_indices
from experiments.actions.summaries import request_summary
from experiments.api.cohort_verbs import CohortVerbs
from experiments.api.grids import GridVerbs
from experiments.api.jobs import Jobs, JobSerializer
from experiments.api.locks import ClosingSerializer, ExperimentLocks, ExperimentLockSerializer
from experiments.api.outcomes import EstimateSerializer, OutcomeSummarySerializer, shown_summaries
from experiments.api.studies import ExperimentRecords, ExperimentSerializer
from experiments.exchange.dataset import stream_csv, stream_json
from experiments.models import Estimate, ExperimentLock
from labdb.base.access import sees_arms
from labdb.base.rest.serializers import columns_of
from labdb.base.rest.wire import Csv, ExactJsonRenderer, FormatFirst

STREAMS = {"json": (stream_json, "application/json"), "csv": (stream_csv, "text/csv; charset=utf-8")}
DATASET_FORMAT = OpenApiParameter("format", str, enum=sorted(STREAMS), description="Or by the Accept header.")


class SummarisedEndpoint(OutcomeSummarySerializer):
    n_excluded = serializers.IntegerField(read_only=True, help_text="Animals that are left out, now.")
    estimates = EstimateSerializer(many=True, read_only=True)

    class Meta(OutcomeSummarySerializer.Meta):
        fields = (*OutcomeSummarySerializer.Meta.fields, "n_excluded", "estimates")


SUMMARY = inline_serializer(
    "ExperimentSummary",
    {"experiment": ExperimentSerializer(), "summaries": SummarisedEndpoint(many=True)},
)

INDICES = inline_serializer(
    "OrganIndices", {"recorded": serializers.IntegerField(), "superseded": serializers.IntegerField()}
)


class Experiments(CohortVerbs, GridVerbs, ExperimentRecords):
    __doc__ = ExperimentRecords.__doc__
    query_parameters = {"dataset": ("format",)}

    @extend_schema(
        parameters=[DATASET_FORMAT],
        responses={
            (200, "application/json"): serializers.ListSerializer(child=serializers.DictField()),
            (200, "text/csv"): OpenApiTypes.STR,
        },
        filters=False,
    )
    @action(detail=True, renderer_classes=[ExactJsonRenderer, Csv], content_negotiation_class=FormatFirst)
    def dataset(self, request: Request, pk: Any) -> StreamingHttpResponse:
        """The tidy table: one row an observation, with its animal's arm for whoever may know it."""
        experiment = self.found()
        kind = request.accepted_renderer.format
        stream, content_type = STREAMS[kind]
        response = StreamingHttpResponse(
            stream(experiment, sees_arms(request.user, experiment)), content_type=content_type
        )
        response["Content-Disposition"] = f'attachment; filename="{_file_name(experiment.code)}.{kind}"'
        return response

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        asked = request.query_params.get("format")
        if self.action == "dataset" and asked and asked not in STREAMS:
            raise ValidationError({"format": [f"“{asked[:40]}” is not one of: {', '.join(sorted(STREAMS))}."]})
        super().initial(request, *args, **kwargs)

    @extend_schema(responses=SUMMARY)
    @action(detail=True)
    def summary(self, request: Request, pk: Any) -> Response:
        """The current summaries with their estimates; ``is_stale`` says where data changed since."""
        experiment = self.found(self.rows(self.get_queryset()))
        names, joined = columns_of(OutcomeSummarySerializer)
        summaries = (
            shown_summaries().visible_to(request.user).filter(experiment=pk, is_current=True).order_by("endpoint__name")
        )
        left_out = flow.excluded_by_endpoint(self.kwargs["pk"])
        told = {
            row["id"]: {**row, "n_excluded": flow.n_excluded(left_out, row["endpoint"]), "estimates": []}
            for row in summaries.values(*names, **joined)
        }
        names, joined = columns_of(EstimateSerializer)
        estimates = (
            Estimate.objects.visible_to(request.user).filter(summary__in=told).order_by(*EstimateSerializer.order)
        )
        for row in estimates.values(*names, **joined):
            told[row["summary"]]["estimates"].append(row)
        return Response({"experiment": experiment, "summaries": list(told.values())})

    @extend_schema(request=None, responses={202: JobSerializer})
    @action(detail=True, methods=["post"])
    def summarise(self, request: Request, pk: Any) -> Response:
        """Ask for the summaries to be brought up to date; poll the job that comes back."""
        job = request_summary(experiment=self.found(), by=request.user)
        place = request.build_absolute_uri(reverse("jobs-detail", args=[job.pk]))
        row = Jobs(request=request, format_kwarg=None).row(job.pk)
        return Response(row, status.HTTP_202_ACCEPTED, headers={"Location": place})

    @extend_schema(request=None, responses=INDICES)
    @action(detail=True, methods=["post"], url_path="organ-indices")
    def organ_indices(self, request: Request, pk: Any) -> Response:
        """Publish ovarian and uterus indices of the days that have the weights; a corrected weight supersedes its index."""
        done = publish_organ_indices(experiment=self.found(), by=request.user)
        return Response({"recorded": done.recorded, "superseded": done.superseded})

    @extend_schema(request=ClosingSerializer, responses=ExperimentLockSerializer)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, pk: Any) -> Response:
        """Close the experiment, with a reason: from then on every change of its rows is a 409."""
        return self._told(close_experiment(**self._asked(request)))

    @extend_schema(request=ClosingSerializer, responses=ExperimentLockSerializer)
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: Any) -> Response:
        """Open the experiment again, with a reason; the closing stays recorded."""
        return self._told(reopen_experiment(**self._asked(request)))

    def _asked(self, request: Request) -> dict[str, Any]:
        return {"experiment": self.found(), "by": request.user, **self.input(ClosingSerializer, request.data)}

    def _told(self, lock: ExperimentLock) -> Response:
        return Response(ExperimentLocks(request=self.request, format_kwarg=None).row(lock.pk))


def _file_name(code: str) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in code) + "-dataset"
