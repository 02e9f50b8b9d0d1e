"""Limits that come with the program, written to their tables after every migrate where they are missing."""

from decimal import Decimal
from typing import Any

from django.apps import apps

from experiments.rules.dosing import DRUG_LIMITS_MG_PER_KG

SOURCE = "Came with labdb: the range of one dose in published mouse models. The laboratory may set its own."
HUMANE_ENDPOINT: dict[str, Any] = {
    "kind": "weight_loss_percent",
    "reference": "day_0",
    "threshold": Decimal(20),
    "is_humane_endpoint": True,
    "action": "Humane endpoint: examine the animal today and decide with the study director.",
}


def write_limits(**kwargs: Any) -> None:
    """Add the limits of doses, and a rule of welfare for a laboratory that has none; what is there stays as it is."""
    known, using = kwargs.get("apps", apps), kwargs["using"]
    try:
        limits, rules = (known.get_model("experiments", name)._base_manager for name in ("DoseLimit", "WelfareRule"))
    except LookupError:  # a migration state from before the tables
        return
    for (species, agent), limit in DRUG_LIMITS_MG_PER_KG.items():
        values = {"lowest": limit.lowest, "highest": limit.highest, "source": SOURCE}
        limits.using(using).get_or_create(species=species, agent=agent, unit="mg/kg", defaults=values)
    if not rules.using(using).exists():
        rules.using(using).create(**HUMANE_ENDPOINT)
