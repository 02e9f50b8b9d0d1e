"""What an invitation to the laboratory brings along: a role in an experiment."""

from typing import Any
from uuid import UUID

from experiments.actions.studies import add_member
from experiments.models import Experiment, Membership
from labdb.base.access import may
from labdb.base.login.invitations import Joining


def _experiments(person: Any) -> list[tuple[UUID, str]]:
    seen = Experiment.objects.visible_to(person).order_by("code")
    return [(row.pk, str(row)) for row in seen if may(person, "add", Membership(experiment=row, user=person))]


def _join(key: UUID, person: Any, role: str, by: Any) -> None:
    add_member(experiment=Experiment.objects.get(pk=key), user=person, role=role, by=by)


JOINING = Joining(_experiments, list(Membership.Role.choices), _join)
