"""Opening an experiment."""

from typing import Any

from django.db import transaction

from experiments.models import Experiment, Membership
from labdb.base.access import require


@transaction.atomic
def open_experiment(*, by: Any, **fields: Any) -> Experiment:
    """Make an experiment of ``fields``; whoever opens it is its first scientist.

    Raises:
        ValidationError: a field is invalid.
        PermissionDenied: ``by`` is neither staff nor a scientist of the laboratory.
    """
    require(by, "add", Experiment)
    experiment = Experiment(**fields)
    experiment.save()
    Membership(experiment=experiment, user=by, role=Membership.Role.SCIENTIST).save()
    return experiment
