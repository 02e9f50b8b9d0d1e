"""Issuing versions of protocols, and making the next one."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from experiments.actions.protocols import issue_version, new_version
from experiments.api.protocols import ProtocolVersions, ProtocolVersionSerializer
from labdb.base.rest.serializers import StrictSerializer


class NewVersionSerializer(StrictSerializer):
    """What is different from the version before."""

    change_note = serializers.CharField(max_length=500)


class IssuedVersions(ProtocolVersions):
    __doc__ = ProtocolVersions.__doc__

    @extend_schema(request=None, responses=ProtocolVersionSerializer)
    @action(detail=True, methods=["post"])
    def issue(self, request: Request, pk: Any) -> Response:
        """Issue the version: arms may be planned by it, and its steps stay as they are."""
        return self.answer(issue_version(version=self.found(), by=request.user).pk)

    @extend_schema(request=NewVersionSerializer, responses={201: ProtocolVersionSerializer})
    @action(detail=True, methods=["post"], url_path="new-version")
    def new_version(self, request: Request, pk: Any) -> Response:
        """Make the next version of the protocol, with copies of the steps of this one."""
        values = self.input(NewVersionSerializer, request.data)
        made = new_version(version=self.found(), by=request.user, **values)
        return self.answer(made.pk, status.HTTP_201_CREATED)
