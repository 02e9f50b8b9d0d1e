"""Source files: their metadata, their bytes, and receiving one."""

from typing import Any

from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request

from experiments.actions.files import receive_file
from experiments.models import SourceFile
from labdb.base.rest.serializers import RecordSerializer, serializers
from labdb.base.rest.views import AddRecords, ReadRecords, download
from labdb.base.rest.wire import Download


class SourceFileSerializer(RecordSerializer):
    file = serializers.FileField(write_only=True, allow_empty_file=True, max_length=250)

    class Meta:
        model = SourceFile
        fields = ("id", "experiment", "file", "name", "sha256", "size_bytes", "uploaded_by", "uploaded_at")
        read_only_fields = ("name", "sha256", "size_bytes", "uploaded_by", "uploaded_at")


class SourceFiles(ReadRecords, AddRecords):
    """Files as they came. The same bytes received again in the same place are the same file."""

    serializer_class = SourceFileSerializer
    parser_classes = (MultiPartParser,)
    filters = ("experiment", "sha256", "name", "uploaded_by", "uploaded_at__gte", "uploaded_at__lte")
    ordering = ("-uploaded_at",)

    def add(self, values: dict[str, Any]) -> SourceFile:
        file = values.pop("file")
        return receive_file(data=file.read(), name=file.name, by=self.request.user, **values)

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    @action(detail=True, renderer_classes=[Download])
    def content(self, request: Request, pk: Any) -> FileResponse:
        """The file's bytes, unaltered."""
        file = self.found()
        return download(file.path, file.name, "application/octet-stream")
