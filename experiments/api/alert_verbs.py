"""Alerts: resolved with what was done, and given to somebody else."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from experiments.actions.alerts import assign_alert, resolve_alert
from experiments.api.welfare import Alerts, AlertSerializer
from labdb.base.models import User
from labdb.base.rest.serializers import StrictSerializer, VisibleRelatedField


class ResolutionSerializer(StrictSerializer):
    """What was done."""

    resolution = serializers.CharField(max_length=500)


class OwnerSerializer(StrictSerializer):
    """Who looks after it."""

    owner = VisibleRelatedField(queryset=User.objects.all())


class OwnedAlerts(Alerts):
    __doc__ = Alerts.__doc__

    @extend_schema(request=ResolutionSerializer, responses=AlertSerializer)
    @action(detail=True, methods=["post"])
    def resolve(self, request: Request, pk: Any) -> Response:
        """End the alert with what was done."""
        values = self.input(ResolutionSerializer, request.data)
        return self.answer(resolve_alert(alert=self.found(), by=request.user, **values).pk)

    @extend_schema(request=OwnerSerializer, responses=AlertSerializer)
    @action(detail=True, methods=["post"])
    def assign(self, request: Request, pk: Any) -> Response:
        """Give the alert to somebody, who is mailed."""
        values = self.input(OwnerSerializer, request.data)
        return self.answer(assign_alert(alert=self.found(), by=request.user, **values).pk)
