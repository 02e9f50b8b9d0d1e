"""Counter files of passages."""

from typing import Any

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from assays.actions.counts import upload_cell_counts
from experiments.api.cells import PassageSerializer
from labdb.base.rest.serializers import StrictSerializer, serializers
from labdb.base.rest.views import ReadRecords


class CounterFileSerializer(StrictSerializer):
    """A cell counter's file, and which of its samples are the passage's."""

    file = serializers.FileField(allow_empty_file=True, max_length=250)
    samples = serializers.ListField(
        child=serializers.CharField(max_length=250), required=False, help_text="Names or places of samples, or “all”."
    )
    volume_ml = serializers.DecimalField(
        max_digits=None, decimal_places=None, required=False, help_text="Of the suspension that was counted, mL."
    )


RECORDED = inline_serializer(
    "RecordedCounts",
    {
        "ids": serializers.ListField(child=serializers.UUIDField()),
        "problems": serializers.ListField(
            child=serializers.DictField(), help_text="Place, value and what was expected."
        ),
    },
)


class PassageCounts(ReadRecords):
    """What a cell counter told of a passage."""

    serializer_class = PassageSerializer
    parser_classes = (MultiPartParser,)

    @extend_schema(request=CounterFileSerializer, responses={201: RECORDED})
    def upload(self, request: Request, pk: Any) -> Response:
        """Record the counts of a counter's file; they fill in the passage's viability and cells where these are empty."""
        given = self.input(CounterFileSerializer, request.data)
        file = given.pop("file")
        done = upload_cell_counts(passage=self.found(), data=file.read(), name=file.name, by=request.user, **given)
        told = {"ids": [row.pk for row in done.counts], "problems": [each.as_dict() for each in done.problems]}
        return Response(told, status.HTTP_201_CREATED)
