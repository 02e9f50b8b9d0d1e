"""Opening an experiment, and who takes part in it."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from experiments.models import Experiment, Membership
from labdb.base.access import require
from labdb.base.verbs import verb


@verb
def open_experiment(*, by: Any, **fields: Any) -> Experiment:
    """Make an experiment of ``fields``; whoever opens it is its director.

    Raises:
        ValidationError: a field is invalid.
        PermissionDenied: ``by`` is no manager, and director or scientist of no experiment.
    """
    require(by, "add", Experiment)
    experiment = Experiment(**fields)
    experiment.save()
    Membership(experiment=experiment, user=by, role=Membership.Role.DIRECTOR).save()
    return experiment


@verb
def add_member(*, experiment: Experiment, user: Any, role: str, by: Any) -> Membership:
    """Give ``user`` a role in ``experiment``, from now on.

    Raises:
        ValidationError: the person holds the role already, has seen the arms that an assessor may not have seen, or is
            no longer active.
        PermissionDenied: ``by`` is neither its director nor a manager.
    """
    membership = Membership(experiment=experiment, user=user, role=role)
    require(by, "add", membership)
    if not user.is_active:
        raise ValidationError({"user": f"{user} is no longer active."})
    membership.save()
    return membership


@verb
def end_membership(*, membership: Membership, by: Any) -> Membership:
    """End what a person is in an experiment; the row stays.

    Raises:
        ValidationError: it has ended before, or nobody would direct the experiment.
        PermissionDenied: ``by`` is neither its director nor a manager.
    """
    require(by, "change", membership)
    # of two directors who end each other's membership at once, the second finds the first one gone
    Experiment.objects.select_for_update(no_key=True).get(pk=membership.experiment_id)
    current = Membership.objects.filter(experiment=membership.experiment_id, ended_at=None)
    directors = current.filter(role=Membership.Role.DIRECTOR)
    if membership.role == Membership.Role.DIRECTOR and not directors.exclude(pk=membership.pk).exists():
        raise ValidationError({"role": "An experiment keeps a director; name another one first."})
    if not current.filter(pk=membership.pk).update(ended_at=timezone.now()):
        raise ValidationError({"ended_at": "This membership has ended before."})
    membership.refresh_from_db()
    return membership
