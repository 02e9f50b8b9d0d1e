"""The endpoints that the code owns, written to their table after every migrate."""

from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.db import models


@dataclass(frozen=True)
class BuiltIn:
    """One endpoint of the code. Plausible ranges are the domain's knowledge, kept wide, and warn only.

    ``categories`` are the only ones that may be recorded.
    """

    key: str
    name: str
    unit: str = ""
    value_kind: str = "quantity"
    benefit: str = "none"
    default_scale: str = "identity"
    plausible_low: Decimal | None = None
    plausible_high: Decimal | None = None
    categories: tuple[str, ...] = ()


def _number(
    key: str, name: str, unit: str, benefit: str = "none", low: str = "", high: str = "", scale: str = "identity"
) -> BuiltIn:
    lowest, highest = (Decimal(bound) if bound else None for bound in (low, high))
    return BuiltIn(key, name, unit, "quantity", benefit, scale, lowest, highest)


def _concentration(key: str, name: str, unit: str, benefit: str, low: str, high: str) -> BuiltIn:
    return _number(key, name, unit, benefit, low, high, "log")


def _count(key: str, name: str, benefit: str = "increase", high: str = "") -> BuiltIn:
    return BuiltIn(key, name, "", "count", benefit, "count", Decimal(0), Decimal(high) if high else None)


def _follicles(key: str, name: str, benefit: str = "increase") -> BuiltIn:
    return BuiltIn(f"follicles_{key}", f"{name} follicles", "", "count", benefit, "count")


def _category(key: str, name: str, *categories: str) -> BuiltIn:
    return BuiltIn(key, name, "", "category", categories=categories)


WELFARE = [
    BuiltIn("body_weight", "Body weight", "g", plausible_low=Decimal(5), plausible_high=Decimal(60)),
    BuiltIn("welfare_score", "Welfare score", "", "score", "decrease"),
]
HORMONES = [
    _concentration("e2", "Estradiol (E2)", "pg/mL", "increase", "1", "150"),
    _concentration("amh", "Anti-Müllerian hormone (AMH)", "ng/mL", "increase", "1", "150"),
    _concentration("fsh", "Follicle-stimulating hormone (FSH)", "ng/mL", "decrease", "0.5", "80"),
    _concentration("lh", "Luteinising hormone (LH)", "ng/mL", "decrease", "0.05", "60"),
    _concentration("progesterone", "Progesterone (P4)", "ng/mL", "increase", "0.5", "80"),
    _concentration("testosterone", "Testosterone", "ng/mL", "none", "0.01", "10"),
    _concentration("inhibin_a", "Inhibin A", "pg/mL", "increase", "1", "2000"),
    _concentration("inhibin_b", "Inhibin B", "pg/mL", "increase", "1", "2000"),
    _concentration("fsh_lh_ratio", "FSH/LH ratio", "", "decrease", "0.01", "100"),
]
FOLLICLES = [
    _follicles("primordial", "Primordial"),
    _follicles("primary", "Primary"),
    _follicles("secondary", "Secondary"),
    _follicles("antral", "Antral"),
    _follicles("atretic", "Atretic", "decrease"),
    _follicles("growing", "Growing"),
    _follicles("mature", "Mature"),
    _follicles("total", "All"),
    BuiltIn("corpora_lutea", "Corpora lutea", "", "count", "increase", "count"),
]
# One ovary a row: which one stands in the observation's side. Ranges are wide enough for mouse and rat.
ORGANS = [
    _number("ovary_weight", "Ovary weight", "mg", "increase", "0.5", "200"),
    _number("uterus_weight", "Uterus weight", "mg", "increase", "3", "1500"),
    _number("ovarian_index", "Ovarian index (both ovaries / body weight)", "mg/g", "increase", "0.02", "3"),
    _number("uterus_index", "Uterus index (uterus / body weight)", "mg/g", "increase", "0.1", "20"),
]
CYCLE = [
    _category("estrous_stage", "Estrous stage", "P", "E", "M", "D", "few_cells", "indeterminate"),
    _number("estrous_cycle_length", "Estrous cycle length (estrus to estrus)", "days", "none", "3", "30"),
    _count("estrous_cycles", "Estrous cycles completed", "increase", "50"),
    *(
        _number(f"days_in_{stage}_percent", f"Share of days in {stage}", "%", benefit, "0", "100")
        for stage, benefit in (
            ("proestrus", "increase"), ("estrus", "increase"), ("metestrus", "none"), ("diestrus", "decrease"),
        )
    ),
]  # fmt: skip
# A female that is not pregnant counts as 0 for fecundity and is missing, not 0, for the size of a litter.
FERTILITY = [
    _category("vaginal_plug", "Vaginal plug"),
    _category("pregnancy", "Pregnancy"),
    _count("implantations", "Implantation sites", high="40"),
    _count("fetuses_live", "Live fetuses", high="40"),
    _count("fetuses_dead", "Dead fetuses", "decrease", "40"),
    _count("fetuses_resorbed", "Resorptions", "decrease", "40"),
    _count("litter_size", "Litter size at birth", high="25"),
    _count("pups_male", "Male pups", "none", "25"),
    _count("pups_female", "Female pups", "none", "25"),
    _number("pup_weight", "Pup weight", "g", "increase", "0.5", "30"),
    _number("time_to_litter_days", "Time from mating to litter", "days", "decrease", "17", "120"),
    _count("fecundity", "Pups per female mated (0 where not pregnant)", high="25"),
]
HISTOLOGY = [
    _number("tunel_positive_percent", "TUNEL-positive cells", "%", "decrease", "0", "100"),
    _number("ki67_positive_percent", "Ki67-positive cells", "%", "increase", "0", "100"),
    _number("caspase_3_positive_percent", "Cleaved caspase-3-positive cells", "%", "decrease", "0", "100"),
    _number("gamma_h2ax_positive_percent", "γH2AX-positive cells", "%", "decrease", "0", "100"),
    _number("fibrosis_area_percent", "Fibrosis (Masson or Sirius red), area", "%", "decrease", "0", "100"),
    _number("cd31_vessel_density", "Vessel density (CD31)", "/mm²", "increase", "0", "5000", "log"),
]
SAFETY = [
    _concentration("human_dna", "Human DNA in tissue (of all DNA)", "pg/µg", "none", "0.01", "1000000"),
    _category("tumour", "Tumour"),
    _concentration("alt", "Alanine aminotransferase (ALT)", "U/L", "decrease", "5", "1000"),
    _concentration("ast", "Aspartate aminotransferase (AST)", "U/L", "decrease", "10", "2000"),
    _concentration("creatinine", "Creatinine", "µmol/L", "decrease", "5", "300"),
    _concentration("urea", "Urea", "mmol/L", "decrease", "1", "60"),
]
BUILT_IN: list[BuiltIn] = [
    *WELFARE, *HORMONES, *FOLLICLES, *ORGANS, *CYCLE, *FERTILITY, *HISTOLOGY, *SAFETY,
]  # fmt: skip


def allowed_categories(key: str) -> tuple[str, ...]:
    """What may be recorded of the endpoint ``key``; empty where the code sets no bounds."""
    return next((endpoint.categories for endpoint in BUILT_IN if endpoint.key == key), ())


def sync_endpoints(**kwargs: Any) -> None:
    """Write ``BUILT_IN`` to the table of endpoints (after migrate); the laboratory's own endpoints stay as they are."""
    write_endpoints(BUILT_IN, apps=kwargs.get("apps", apps), using=kwargs["using"])


def write_endpoints(endpoints: list[BuiltIn], *, apps: Any, using: str) -> None:
    """Insert or update ``endpoints`` by key, past the rule that people cannot change them.

    Where the laboratory already has an endpoint of its own under a key, that one stays as it is: its observations
    stand in its unit.

    ``apps`` is the registry of the migration state, which may be an early one.
    """
    try:
        model: type[models.Model] = apps.get_model("experiments", "Endpoint")
    except LookupError:
        return
    for endpoint in endpoints:
        values = {**asdict(endpoint), "is_built_in": True}
        del values["categories"]  # a rule of the code, no column
        rows = model._base_manager.using(using).filter(key=endpoint.key)
        if not rows.filter(is_built_in=True).update(**values) and not rows.exists():
            model._base_manager.using(using).bulk_create([model(**values)])
