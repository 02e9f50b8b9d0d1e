"""What is done with the stock over REST: verbs of vials, lots and procedures."""

from typing import Any

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from experiments.actions import stock
from experiments.actions.reasons import LONGEST_REASON
from experiments.api.procedures import DoseSerializer
from experiments.api.recorded import RecordedProcedures as ProcedureRecords
from experiments.api.stock import Vials as VialRecords
from experiments.api.stock import VialSerializer
from experiments.models import Dose, StorageBox, Vial
from labdb.base.rest.serializers import (
    ExactNumberField,
    InstantField,
    RecordSerializer,
    StrictSerializer,
    VisibleRelatedField,
    columns_of,
)

DETAILS = (
    "viability_percent", "volume_ul", "vehicle", "route", "site", "needle", "passage_number", "weight_g",
    "thaw_to_injection_min", "co_treatment",
)  # fmt: skip
WARNINGS = serializers.ListField(child=serializers.CharField())
FIELD_NAMES = {"post_thaw_viability_percent": "viability_percent"}


def rows_of(serializer: Any, keys: list[Any]) -> list[dict[str, Any]]:
    """The rows with these keys as ``serializer`` tells them, in the order of the keys."""
    names, joined = columns_of(serializer)
    found = {row["id"]: row for row in serializer.Meta.model.objects.filter(pk__in=keys).values(*names, **joined)}
    return [found[key] for key in keys]


class PlaceSerializer(StrictSerializer):
    """A place in a box, or nothing of it."""

    box = VisibleRelatedField(queryset=StorageBox.objects.all(), required=False, allow_null=True)
    row = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=32767)
    column = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=32767)


class NewVialSerializer(PlaceSerializer):
    """A vial to be made; ``amount`` is in the product's dose unit."""

    code = serializers.CharField(max_length=60)
    amount = ExactNumberField()
    volume_ul = ExactNumberField(required=False, allow_null=True)
    cryoprotectant = serializers.CharField(max_length=40, required=False, allow_blank=True)
    frozen_at = InstantField(required=False, allow_null=True)


class MakeVialsSerializer(StrictSerializer):
    vials: Any = serializers.ListSerializer(child=NewVialSerializer(), allow_empty=False, max_length=2000)
    is_received = serializers.BooleanField(required=False)
    moved_at = InstantField(required=False, allow_null=True)


class ThawSerializer(StrictSerializer):
    thawed_at = InstantField(required=False, allow_null=True)
    viability_percent = ExactNumberField(required=False, allow_null=True)
    keeps_place = serializers.BooleanField(required=False)


class ViabilitySerializer(StrictSerializer):
    viability_percent = ExactNumberField()


class AliquotSerializer(StrictSerializer):
    """A new container: an aliquot, a syringe."""

    code = serializers.CharField(max_length=60)
    volume_ul = ExactNumberField(required=False, allow_null=True)


class TransferSerializer(StrictSerializer):
    """Either into the vial ``target`` or into a ``new`` one."""

    target = VisibleRelatedField(queryset=Vial.objects.all(), required=False)
    new = AliquotSerializer(required=False)
    amount = ExactNumberField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("target" in attrs) == ("new" in attrs):
            raise serializers.ValidationError({"target": ["Name a vial, or a new one: one of them."]})
        if "new" in attrs:
            attrs["target"] = stock.NewVial(amount=attrs["amount"], **attrs.pop("new"))
        return attrs


class WhySerializer(StrictSerializer):
    reason = serializers.CharField(max_length=LONGEST_REASON)


class CountedVialSerializer(WhySerializer):
    counted = ExactNumberField()


class TakeSerializer(StrictSerializer):
    """How much is taken from which vial."""

    vial = VisibleRelatedField(queryset=Vial.objects.all())
    amount = ExactNumberField()


class TakesSerializer(StrictSerializer):
    vials: Any = serializers.ListSerializer(child=TakeSerializer(), allow_empty=False, max_length=100)

    def validate_vials(self, given: list[dict[str, Any]]) -> list[stock.Take]:
        return [stock.Take(**each) for each in given]


class ConsumeSerializer(TakesSerializer):
    moved_at = InstantField(required=False, allow_null=True)


class DetailsSerializer(RecordSerializer):
    """The dose's further fields; where they follow from the vials they may be left out."""

    class Meta:
        model = Dose
        fields = DETAILS
        extra_kwargs = {"route": {"required": False}}


class DispenseSerializer(TakesSerializer):
    details = DetailsSerializer(required=False)


class GivenAnywaySerializer(DispenseSerializer, WhySerializer):
    """As for dispensing, with the reason."""


HANDLED = inline_serializer("HandledVial", {"vial": VialSerializer(), "warnings": WARNINGS})
GIVEN = inline_serializer("GivenDose", {"dose": DoseSerializer(), "warnings": WARNINGS, "deviations": WARNINGS})


class Vials(VialRecords):
    __doc__ = VialRecords.__doc__
    field_names = FIELD_NAMES

    @extend_schema(request=ThawSerializer, responses=HANDLED)
    @action(detail=True, methods=["post"])
    def thaw(self, request: Request, pk: Any) -> Response:
        """Thaw or open the vial, once."""
        return self._handle(stock.thaw_vial, ThawSerializer)

    @extend_schema(request=ViabilitySerializer, responses=HANDLED)
    @action(detail=True, methods=["post"])
    def viability(self, request: Request, pk: Any) -> Response:
        """Record the viability that was counted after thawing, once."""
        return self._handle(stock.record_viability, ViabilitySerializer)

    def _handle(self, verb: Any, serializer: Any) -> Response:
        values = self.input(serializer, self.request.data)
        done = verb(vial=self.found(), by=self.request.user, **values)
        return Response({"vial": rows_of(VialSerializer, [done.vial.pk])[0], "warnings": done.warnings})

    @extend_schema(request=PlaceSerializer, responses=VialSerializer)
    @action(detail=True, methods=["post"])
    def move(self, request: Request, pk: Any) -> Response:
        """Put the vial to another place, or out of its box (an empty object)."""
        place = {"box": None, **self.input(PlaceSerializer, request.data)}
        return self.answer(stock.move_vial(vial=self.found(), by=request.user, **place).pk)

    @extend_schema(request=TransferSerializer, responses=VialSerializer)
    @action(detail=True, methods=["post"])
    def transfer(self, request: Request, pk: Any) -> Response:
        """Take an amount out of the vial into another open one, or into a new one; answers with that one."""
        values = self.input(TransferSerializer, request.data)
        return self.answer(stock.transfer(source=self.found(), by=request.user, **values).pk)

    @extend_schema(request=WhySerializer, responses=VialSerializer)
    @action(detail=True, methods=["post"])
    def discard(self, request: Request, pk: Any) -> Response:
        """Throw the vial away, with a reason."""
        values = self.input(WhySerializer, request.data)
        return self.answer(stock.discard_vial(vial=self.found(), by=request.user, **values).pk)

    @extend_schema(request=CountedVialSerializer, responses=VialSerializer)
    @action(detail=True, methods=["post"])
    def correct(self, request: Request, pk: Any) -> Response:
        """Have the ledger agree with what was counted in the vial, with a reason."""
        values = self.input(CountedVialSerializer, request.data)
        return self.answer(stock.correct_vial(vial=self.found(), by=request.user, **values).pk)


class LotStock:
    """What is done with vials of a lot."""

    @extend_schema(request=MakeVialsSerializer, responses={201: VialSerializer(many=True)}, filters=False)
    @action(detail=True, methods=["post"], url_path="make-vials", pagination_class=None)
    def make_vials(self: Any, request: Request, pk: Any) -> Response:
        """Put new vials of the lot into the stock, with their places: all of them, or none."""
        values = self.input(MakeVialsSerializer, request.data)
        values["vials"] = [stock.NewVial(**each) for each in values["vials"]]
        made = stock.make_vials(lot=self.found(), by=request.user, **values)
        return Response(rows_of(VialSerializer, [vial.pk for vial in made]), status.HTTP_201_CREATED)

    @extend_schema(request=ConsumeSerializer)
    @action(detail=True, methods=["post"])
    def consume(self: Any, request: Request, pk: Any) -> Response:
        """Use up what vials of other lots hold in making this one."""
        values = self.input(ConsumeSerializer, request.data)
        lot = self.found()
        stock.consume(made_lot=lot, takes=values.pop("vials"), by=request.user, **values)
        return self.answer(lot.pk)


class Procedures(ProcedureRecords):
    __doc__ = ProcedureRecords.__doc__

    @extend_schema(request=DispenseSerializer, responses={201: GIVEN})
    @action(detail=True, methods=["post"])
    def dispense(self, request: Request, pk: Any) -> Response:
        """Take from vials what the animal is given: all of it, or nothing where a rule stands against it."""
        return self._give(stock.dispense, DispenseSerializer)

    @extend_schema(request=GivenAnywaySerializer, responses={201: GIVEN})
    @action(detail=True, methods=["post"], url_path="given-anyway")
    def given_anyway(self, request: Request, pk: Any) -> Response:
        """Record that the animal got it although a rule stood against it: with deviation, reason and alert."""
        return self._give(stock.record_dose_given_anyway, GivenAnywaySerializer)

    def _give(self, verb: Any, serializer: Any) -> Response:
        values = self.input(serializer, self.request.data)
        takes, details = values.pop("vials"), values.pop("details", None)
        given = verb(procedure=self.found(), takes=takes, details=details, by=self.request.user, **values)
        told = {"warnings": given.warnings, "deviations": given.deviations}
        return Response({"dose": rows_of(DoseSerializer, [given.dose.pk])[0], **told}, status.HTTP_201_CREATED)
