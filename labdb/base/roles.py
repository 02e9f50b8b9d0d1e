"""What a person can be in an experiment, and what follows from it: the one table that ``may()`` reads.

A verb belongs to one duty, and a duty is held by roles. A model names in ``duty`` the one that adding and changing its
rows belong to; the verbs in ``VERBS`` belong to theirs, whatever row they are asked of.
"""

from enum import StrEnum

from django.db import models


class Role(models.TextChoices):
    """What a membership makes of a person. One may hold several in an experiment."""

    DIRECTOR = "director", "study director"
    SCIENTIST = "scientist"
    TECHNICIAN = "technician"
    ASSESSOR = "assessor", "assessor, blinded"
    ANALYST = "analyst", "analyst, blinded"
    AUDITOR = "auditor"


# Who sees arm, dose and product in a blinded experiment. All others are masked, also who has no role in it at all.
UNMASKED = frozenset({Role.DIRECTOR, Role.SCIENTIST, Role.TECHNICIAN, Role.AUDITOR})


class Duty(StrEnum):
    """Kinds of work in an experiment."""

    MANAGE = "manage"  # memberships, closing and reopening, deleting drafts
    DESIGN = "design"  # the experiment's own fields, arms, timepoints, allocations
    # litters, cages, animals, housing, enrolments, procedures, dispositions, specimens, files, imports
    RECORD = "record"
    ASSESS = "assess"  # observations; assay runs: upload, quantify, mask wells, parameters
    DECIDE = "decide"  # accept, reject or publish a run, exclude a result; release, reject or recall stock
    ANALYSE = "analyse"  # ask for summaries, reports and schedules, and for failed work once more


HELD_BY: dict[Duty, frozenset[Role]] = {
    Duty.MANAGE: frozenset({Role.DIRECTOR}),
    Duty.DESIGN: frozenset({Role.DIRECTOR, Role.SCIENTIST}),
    Duty.RECORD: frozenset({Role.DIRECTOR, Role.SCIENTIST, Role.TECHNICIAN}),
    Duty.ASSESS: frozenset({Role.DIRECTOR, Role.SCIENTIST, Role.TECHNICIAN, Role.ASSESSOR}),
    Duty.DECIDE: frozenset({Role.DIRECTOR, Role.SCIENTIST}),
    Duty.ANALYSE: frozenset({Role.DIRECTOR, Role.SCIENTIST, Role.ANALYST}),
}

VERBS: dict[str, Duty] = {
    "delete": Duty.MANAGE,
    "record": Duty.RECORD,
    "close": Duty.MANAGE,
    "reopen": Duty.MANAGE,
    "note": Duty.ASSESS,
    "accept": Duty.DECIDE,
    "reject": Duty.DECIDE,
    "publish": Duty.DECIDE,
    "exclude": Duty.DECIDE,
    "release": Duty.DECIDE,
    "recall": Duty.DECIDE,
    "lift": Duty.DECIDE,
    "confirm_poi": Duty.DECIDE,
    "summarise": Duty.ANALYSE,
    "report": Duty.ANALYSE,
    "retry": Duty.ANALYSE,
}

# What may still be asked of a closed experiment; its rows stay as they are.
WHILE_CLOSED = frozenset({"reopen", "summarise", "report", "retry"})
