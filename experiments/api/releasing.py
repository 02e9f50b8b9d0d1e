"""Release, rejection, recall and withdrawal over REST, and where stock came from and went to."""

from typing import Any

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from experiments.actions.reasons import LONGEST_REASON
from experiments.actions.releasing import (
    lift_recall,
    reached_by,
    recall,
    reject,
    release,
    withdraw_consent,
)
from experiments.api import animals, cells, products, quality
from experiments.api.quality import RecallSerializer, ReleaseSerializer
from experiments.api.stock_verbs import LotStock, WhySerializer, rows_of
from experiments.lineage import Node, Reached, doses_of, downstream, reached, upstream
from experiments.models import DoseVial
from labdb.base.rest.serializers import ExactNumberField, InstantField, StrictSerializer


class StatementSerializer(StrictSerializer):
    statement = serializers.CharField(max_length=LONGEST_REASON, help_text="On what the decision rests.")


class WithdrawalSerializer(WhySerializer):
    withdrawn_at = InstantField(required=False, allow_null=True)


NODE = inline_serializer(
    "LineageNode", {"kind": serializers.CharField(), "id": serializers.UUIDField(), "label": serializers.CharField()}
)
GIVEN_TO = inline_serializer(
    "ReachedAnimal",
    {
        "experiment": serializers.UUIDField(),
        "experiment_code": serializers.CharField(),
        "enrolment": serializers.UUIDField(),
        "animal": serializers.UUIDField(),
        "lab_id": serializers.CharField(),
        "n_doses": serializers.IntegerField(),
        "last_given_on": serializers.DateField(allow_null=True),
    },
)
REACHED: dict[str, Any] = {"animals": serializers.ListField(child=GIVEN_TO), "n_others": serializers.IntegerField()}
NODES = serializers.ListField(child=NODE)
LINEAGE = inline_serializer("Lineage", {"upstream": NODES, "downstream": NODES, **REACHED})
RECALLED = inline_serializer("RecalledStock", {"recall": RecallSerializer(), **REACHED})
ANIMAL_DOSE = inline_serializer(
    "AnimalDose",
    {
        "dose": serializers.UUIDField(),
        "procedure": serializers.UUIDField(),
        "experiment": serializers.UUIDField(),
        "product": serializers.UUIDField(),
        "vial": serializers.UUIDField(),
        "lot": serializers.UUIDField(),
        "amount": ExactNumberField(),
        "given_on": serializers.DateField(allow_null=True),
    },
)
ANIMAL_LINEAGE = inline_serializer(
    "AnimalLineage", {"doses": serializers.ListField(child=ANIMAL_DOSE), "upstream": NODES}
)


def _told(found: Reached) -> dict[str, Any]:
    return {"animals": [each._asdict() for each in found.animals], "n_others": found.n_others}


def _nodes(found: list[Node]) -> list[dict[str, Any]]:
    return [each._asdict() for each in found]


class LineageAnswer:
    """``lineage`` of stock. ``starts`` says which batches and lots a row stands for."""

    def starts(self, row: Any) -> dict[str, list[Any]]:
        raise NotImplementedError

    @extend_schema(responses=LINEAGE)
    @action(detail=True)
    def lineage(self: Any, request: Request, pk: Any) -> Response:
        """From the donor up to here, and on to every animal that got something of it; other experiments' are counted."""
        row, user = self.found(), request.user
        starts = self.starts(row)
        nodes = {
            "upstream": _nodes(upstream(starts["lots"], user, batches=starts["batches"])),
            "downstream": _nodes(downstream(user, **starts)),
        }
        return Response({**nodes, **_told(reached(user, **starts))})


class Decided(LineageAnswer):
    """What is released, rejected and recalled."""

    @extend_schema(request=StatementSerializer, responses={201: ReleaseSerializer})
    @action(detail=True, methods=["post"])
    def release(self: Any, request: Request, pk: Any) -> Response:
        """Decide that it may be given."""
        return self._decide(release)

    @extend_schema(request=StatementSerializer, responses={201: ReleaseSerializer})
    @action(detail=True, methods=["post"])
    def reject(self: Any, request: Request, pk: Any) -> Response:
        """Decide that it may not be given."""
        return self._decide(reject)

    def _decide(self: Any, verb: Any) -> Response:
        values = self.input(StatementSerializer, self.request.data)
        made = verb(subject=self.found(), by=self.request.user, **values)
        return Response(rows_of(ReleaseSerializer, [made.pk])[0], status.HTTP_201_CREATED)

    @extend_schema(request=WhySerializer, responses={201: RECALLED})
    @action(detail=True, methods=["post"])
    def recall(self: Any, request: Request, pk: Any) -> Response:
        """Have nothing of it given any more; answers with every animal that got something of it."""
        values = self.input(WhySerializer, request.data)
        made = recall(subject=self.found(), by=request.user, **values)
        row = rows_of(RecallSerializer, [made.recall.pk])[0]
        return Response({"recall": row, **_told(made.reached)}, status.HTTP_201_CREATED)


class IsolationBatches(Decided, cells.IsolationBatches):
    __doc__ = cells.IsolationBatches.__doc__

    def starts(self, row: Any) -> dict[str, list[Any]]:
        return {"batches": [row.pk], "lots": []}


class Lots(LotStock, Decided, products.Lots):
    __doc__ = products.Lots.__doc__

    def starts(self, row: Any) -> dict[str, list[Any]]:
        return {"batches": [], "lots": [row.pk]}


class Recalls(quality.Recalls):
    __doc__ = quality.Recalls.__doc__

    @extend_schema(request=WhySerializer, responses=RecallSerializer)
    @action(detail=True, methods=["post"])
    def lift(self, request: Request, pk: Any) -> Response:
        """End the recall, with a reason; that it stood stays recorded."""
        values = self.input(WhySerializer, request.data)
        return self.answer(lift_recall(recall=self.found(), by=request.user, **values).pk)

    @extend_schema(responses=inline_serializer("ReachedAnimals", REACHED))
    @action(detail=True)
    def reached(self, request: Request, pk: Any) -> Response:
        """Every animal that got something of what was recalled, as of now."""
        return Response(_told(reached_by(self.found(), request.user)))


class Consents(cells.Consents):
    __doc__ = cells.Consents.__doc__

    @extend_schema(request=WithdrawalSerializer, responses=cells.ConsentSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: Any) -> Response:
        """Record that the donor withdrew it: nothing of the tissue is used any more."""
        values = self.input(WithdrawalSerializer, request.data)
        return self.answer(withdraw_consent(consent=self.found(), by=request.user, **values).pk)


class Animals(animals.Animals):
    __doc__ = animals.Animals.__doc__

    @extend_schema(responses=ANIMAL_LINEAGE)
    @action(detail=True)
    def lineage(self, request: Request, pk: Any) -> Response:
        """The vials that the animal's doses came from, and everything behind them back to the donor."""
        rows = list(doses_of(request.user, self.found()))
        lots = {row.vial.lot_id for row in rows}
        return Response({"doses": [_dose(row) for row in rows], "upstream": _nodes(upstream(lots, request.user))})


def _dose(row: DoseVial) -> dict[str, Any]:
    procedure = row.dose.procedure
    return {
        "dose": row.dose_id,
        "procedure": procedure.pk,
        "experiment": procedure.experiment_id,
        "product": row.dose.product_id,
        "vial": row.vial_id,
        "lot": row.vial.lot_id,
        "amount": row.amount,
        "given_on": procedure.performed_on,
    }
