"""What is done with an experiment's animals as a whole: drawn for arms, counted, judged by criteria."""

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from experiments import cohorts, flow
from experiments.actions.poi import confirm_poi
from experiments.actions.randomisation import WEIGHT_CLASSES, randomise
from experiments.api.cohorts import PoiConfirmations, PoiConfirmationSerializer, Randomisations, RandomisationSerializer
from experiments.models import Arm, Enrolment, Randomisation
from experiments.rules.randomisation import Factor
from labdb.base.access import sees_arms
from labdb.base.rest.serializers import StrictSerializer, VisibleRelatedField


class ShareSerializer(StrictSerializer):
    """An arm and its share of the animals."""

    arm = VisibleRelatedField(queryset=Arm.objects.all())
    ratio = serializers.IntegerField(min_value=1, default=1)


class RandomisingSerializer(StrictSerializer):
    """How animals are drawn for arms. The seed is the system's."""

    method = serializers.ChoiceField(Randomisation.Method.choices)
    strata = serializers.ListField(
        child=serializers.ChoiceField([factor.value for factor in Factor]), default=list, help_text="Outer to inner."
    )
    weight_classes = serializers.IntegerField(min_value=2, default=WEIGHT_CLASSES)
    arms = ShareSerializer(many=True, required=False, help_text="Left out: all arms alike.")
    enrolments = serializers.ListField(
        child=VisibleRelatedField(queryset=Enrolment.objects.all()),
        required=False,
        help_text="Left out: every enrolled animal that has no arm.",
    )


class ConfirmingSerializer(StrictSerializer):
    """Which animals are judged."""

    enrolments = serializers.ListField(
        child=VisibleRelatedField(queryset=Enrolment.objects.all()),
        required=False,
        help_text="Left out: every animal in an arm that gets the induction.",
    )


class CountsSerializer(serializers.Serializer):
    """Animals at each stage."""

    def get_fields(self) -> dict[str, serializers.Field]:
        return {name: serializers.IntegerField() for name in flow.COUNTS}


class ArmCountsSerializer(CountsSerializer):
    """Animals of an arm at each stage."""

    def get_fields(self) -> dict[str, serializers.Field]:
        return {"arm": serializers.UUIDField(), "label": serializers.CharField(), **super().get_fields()}


class FlowSerializer(serializers.Serializer):
    """The flow of animals; ``arms`` is empty for who is masked."""

    total = CountsSerializer()
    arms = ArmCountsSerializer(many=True)


class AssessmentSerializer(serializers.Serializer):
    """One criterion of one animal: met, not_met or not_assessable, and why."""

    criterion = serializers.CharField()
    state = serializers.CharField()
    sentence = serializers.CharField()


class EligibilitySerializer(serializers.Serializer):
    """One animal against the criteria; ``is_eligible`` is null where that is not known."""

    enrolment = serializers.UUIDField()
    animal = serializers.CharField()
    is_eligible = serializers.BooleanField(allow_null=True)
    assessments = AssessmentSerializer(many=True)


class CohortVerbs:
    """For the experiments' resource."""

    @extend_schema(request=RandomisingSerializer, responses={201: RandomisationSerializer})
    @action(detail=True, methods=["post"])
    def randomise(self: Any, request: Request, pk: Any) -> Response:
        """Draw arms for animals, from a seed that stays sealed."""
        experiment = self.found()
        asked = self.input(RandomisingSerializer, request.data)
        shares = asked.pop("arms", None)
        made = randomise(
            experiment=experiment,
            by=request.user,
            ratios=None if shares is None else {each["arm"]: each["ratio"] for each in shares},
            animals=asked.pop("enrolments", None),
            **asked,
        )
        return Response(Randomisations(request=request, format_kwarg=None).row(made.pk), status.HTTP_201_CREATED)

    @extend_schema(request=ConfirmingSerializer, responses=PoiConfirmationSerializer(many=True))
    @action(detail=True, methods=["post"], url_path="confirm-poi", pagination_class=None)
    def confirm_poi(self: Any, request: Request, pk: Any) -> Response:
        """Judge animals by the newest locked criteria of POI."""
        asked = self.input(ConfirmingSerializer, request.data)
        made = confirm_poi(experiment=self.found(), by=request.user, **asked)
        view = PoiConfirmations(request=request, format_kwarg=None)
        rows = view.rows(view.records()).filter(pk__in=[row.pk for row in made])
        return Response(list(rows.order_by("enrolment__animal__lab_id")))

    @extend_schema(responses=FlowSerializer, filters=False)
    @action(detail=True)
    def flow(self: Any, request: Request, pk: Any) -> Response:
        """The flow of animals: totals for all, arm by arm for who sees arms."""
        experiment = self.found()
        return Response(flow.flow(experiment, with_arms=sees_arms(request.user, experiment)))

    @extend_schema(responses=EligibilitySerializer(many=True), filters=False)
    @action(detail=True, pagination_class=None)
    def eligibility(self: Any, request: Request, pk: Any) -> Response:
        """Every enrolled animal against the experiment's criteria."""
        return Response([asdict(each) for each in cohorts.eligibility_of(self.found())])
