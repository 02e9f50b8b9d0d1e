"""The endpoints that the code owns, written to their table after every migrate."""

from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.db import models


@dataclass(frozen=True)
class BuiltIn:
    """One endpoint of the code. Plausible ranges warn only; ``categories`` are the only ones that may be recorded."""

    key: str
    name: str
    unit: str = ""
    value_kind: str = "quantity"
    benefit: str = "none"
    default_scale: str = "identity"
    plausible_low: Decimal | None = None
    plausible_high: Decimal | None = None
    categories: tuple[str, ...] = ()


def _hormone(key: str, name: str, unit: str, benefit: str, low: str, high: str) -> BuiltIn:
    return BuiltIn(key, name, unit, "quantity", benefit, "log", Decimal(low), Decimal(high))


def _follicles(key: str, name: str, benefit: str = "increase") -> BuiltIn:
    return BuiltIn(f"follicles_{key}", f"{name} follicles", "", "count", benefit, "count")


BUILT_IN: list[BuiltIn] = [
    BuiltIn("body_weight", "Body weight", "g", plausible_low=Decimal(5), plausible_high=Decimal(60)),
    BuiltIn("welfare_score", "Welfare score", "", "score", "decrease"),
    BuiltIn(
        "estrous_stage", "Estrous stage", "", "category", categories=("P", "E", "M", "D", "few_cells", "indeterminate")
    ),
    _hormone("e2", "Estradiol (E2)", "pg/mL", "increase", "1", "150"),
    _hormone("amh", "Anti-Müllerian hormone (AMH)", "ng/mL", "increase", "1", "150"),
    _hormone("fsh", "Follicle-stimulating hormone (FSH)", "ng/mL", "decrease", "0.5", "80"),
    _hormone("lh", "Luteinising hormone (LH)", "ng/mL", "decrease", "0.05", "60"),
    _hormone("progesterone", "Progesterone (P4)", "ng/mL", "increase", "0.5", "80"),
    _follicles("primordial", "Primordial"),
    _follicles("primary", "Primary"),
    _follicles("secondary", "Secondary"),
    _follicles("antral", "Antral"),
    _follicles("atretic", "Atretic", "decrease"),
    BuiltIn("corpora_lutea", "Corpora lutea", "", "count", "increase", "count"),
]


def allowed_categories(key: str) -> tuple[str, ...]:
    """What may be recorded of the endpoint ``key``; empty where the code sets no bounds."""
    return next((endpoint.categories for endpoint in BUILT_IN if endpoint.key == key), ())


def sync_endpoints(**kwargs: Any) -> None:
    """Write ``BUILT_IN`` to the table of endpoints (after migrate); the laboratory's own endpoints stay as they are."""
    write_endpoints(BUILT_IN, apps=kwargs.get("apps", apps), using=kwargs["using"])


def write_endpoints(endpoints: list[BuiltIn], *, apps: Any, using: str) -> None:
    """Insert or update ``endpoints`` by key, past the rule that people cannot change them.

    ``apps`` is the registry of the migration state, which may be an early one.
    """
    try:
        model: type[models.Model] = apps.get_model("experiments", "Endpoint")
    except LookupError:
        return
    for endpoint in endpoints:
        values = {**asdict(endpoint), "is_built_in": True}
        del values["categories"]  # a rule of the code, no column
        if not model._base_manager.using(using).filter(key=endpoint.key).update(**values):
            model._base_manager.using(using).bulk_create([model(**values)])
