"""Published studies are recorded through REST in the record's own fields, and read back as they were told."""

import csv
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from tests.doors import designs
from tests.doors.designs import Design, Treated, Values

pytestmark = pytest.mark.django_db

MODELS = {"chemotherapy": "chemotherapy", "autoimmune": "autoimmune", "radiation": "irradiation"}
SOURCES = {
    "adipose": "adipose", "umbilical cord": "umbilical_cord", "bone marrow": "bone_marrow",
    "menstrual blood": "menstrual_blood", "placenta": "placenta",
}  # fmt: skip
OUTCOMES = {
    "LH": "lh", "FSH": "fsh", "E2": "e2", "AMH": "amh", "inhibin B": "inhibin_b", "FSH/LH": "fsh_lh_ratio",
    "estrous cycle": "estrous_stage", "corpora lutea": "corpora_lutea", "number of": "follicles_total",
    **{name: f"follicles_{name}" for name in ("primordial", "primary", "secondary", "antral", "growing", "mature")},
}  # fmt: skip
STEP = {"relative_day": 0, "repeats": 1, "every_days": 1}


def _key(word: str) -> str:
    """The endpoint of an outcome: “primary;secondary follicles” are two, of follicles each."""
    return OUTCOMES[word.removesuffix(" follicles") if word != "number of follicles" else "number of"]


def of_row(told: dict[str, str]) -> Design:
    source = told["cells"].removesuffix(" MSC")
    product = {
        "name": f"{told['cell_species']} {told['cells']}", "kind": "cell_suspension", "dose_unit": "viable cells",
        "tissue_source": SOURCES[source], "cell_type": "msc", "species": told["cell_species"],
    }  # fmt: skip
    dose = {"amount": Decimal(told["cells_per_animal"]), "amount_unit": "viable cells", "route": told["route"], **STEP}
    return Design(
        study=told["study"],
        species=told["species"],
        strain=told["strain"],
        induction=[{"name": "induction", "induction_model": MODELS[told["induction_model"]], **STEP}],
        treated=[Treated(int(told["n_treated"]), product, dose)],
        n_control=int(told["n_control"]),
        vehicle=told["vehicle"],
        follow_up_days=int(told["follow_up_days"]),
        endpoints=frozenset(map(_key, told["outcomes"].split(";"))),
    )


def to_row(design: Design, order: list[str]) -> dict[str, str]:
    """The row of the table, from a design that was read back. ``order`` is that in which the table prints outcomes."""
    (treated,) = design.treated
    (induction,) = design.induction
    product, dose = treated.product, treated.dose
    assert product["cell_type"] == "msc"
    assert dose["amount_unit"] == product["dose_unit"] == "viable cells"
    source = next(word for word, key in SOURCES.items() if key == product["tissue_source"])
    amount = f"{Decimal(dose['amount']).normalize():e}".replace("e+", "e")
    assert {_key(word) for word in order} == set(design.endpoints)
    return {
        "study": design.study,
        "n_treated": str(treated.n),
        "n_control": str(design.n_control),
        "induction_model": next(word for word, key in MODELS.items() if key == induction["induction_model"]),
        "species": design.species,
        "strain": design.strain,
        "cells": f"{source} MSC",
        "cell_species": product["species"],
        "cells_per_animal": amount,
        "vehicle": design.vehicle,
        "route": dose["route"],
        "follow_up_days": str(design.follow_up_days),
        "outcomes": ";".join(word for word in order if _key(word) in design.endpoints),
    }


def test_each_published_design_reads_back_as_it_was_printed(api, world, real_data: Path):
    with (real_data / "literature/published_designs.csv").open(newline="", encoding="utf-8") as file:
        printed = list(csv.DictReader(file))
    assert len(printed) == 13
    keys = [designs.record(api, of_row(told)) for told in printed]
    again = [
        to_row(designs.read(api, key), told["outcomes"].split(";")) for key, told in zip(keys, printed, strict=True)
    ]
    assert again == printed


def cells(name: str, tissue: str, kind: str = "msc", species: str = "human", **more: str) -> Values:
    told = {"name": name, "kind": "cell_suspension", "dose_unit": "viable cells", "tissue_source": tissue}
    return {**told, "cell_type": kind, "species": species, **more}


def given(amount: str, unit: str, route: str, **more) -> Values:
    return {"amount": Decimal(amount), "amount_unit": unit, "route": route, **STEP, **more}


def induced(model: str, agent: str, amount: str, unit: str, route: str = "intraperitoneal", **more) -> Values:
    return {"name": f"{model} {agent}", "induction_model": model, "agent": agent, **given(amount, unit, route, **more)}


CTX = induced("chemotherapy", "cyclophosphamide", "120", "mg/kg", concentration_mg_per_ml=Decimal("12.5"))
BUSULFAN = induced("chemotherapy", "busulfan", "12", "mg/kg")
VESICLES = {
    "name": "EV of human umbilical cord MSC", "kind": "vesicles", "dose_unit": "particles",
    "tissue_source": "umbilical_cord", "cell_type": "msc", "species": "human",
}  # fmt: skip
VESICLES_UG = {**VESICLES, "name": "EV of human adipose MSC", "dose_unit": "µg protein", "tissue_source": "adipose"}
MEDIUM = {
    "name": "medium of human amniotic epithelial cells", "kind": "conditioned_medium", "dose_unit": "mL",
    "tissue_source": "amniotic_membrane", "cell_type": "epithelial", "species": "human",
}  # fmt: skip
CORD = cells("human umbilical cord MSC", "umbilical_cord")
BASE = Design(
    study="A 2024", species="mouse", strain="C57BL/6J", induction=[CTX, BUSULFAN],
    treated=[Treated(12, CORD, given("1e6", "viable cells", "intravenous", site="tail_vein", volume_ul=Decimal(200)))],
    n_control=12, vehicle="PBS", follow_up_days=28, endpoints=frozenset({"fsh", "e2", "amh"}),
)  # fmt: skip


def with_product(study: str, product: Values, dose: Values, **more) -> Design:
    return replace(BASE, study=study, treated=[Treated(10, product, dose)], **more)


OTHERS = [
    replace(
        BASE, study="tripterygium glycosides", species="rat", strain="SD",
        induction=[
            induced("plant_glycosides", "tripterygium_glycosides", "50", "mg/kg", "oral_gavage")
            | {"repeats": 14, "every_days": 1}
        ],
    ),
    replace(BASE, study="Co-60", induction=[induced("irradiation", "co_60", "4", "Gy", "whole_body")]),
    replace(
        BASE, study="repeated injections", induction=[induced("chemotherapy", "cisplatin", "2", "mg/kg") | {"repeats": 10}],
        treated=[
            Treated(8, CORD, given("1e6", "viable cells", "intravenous") | {"relative_day": 7, "repeats": 3, "every_days": 4})
        ],
    ),
    replace(
        BASE, study="two dose arms",
        treated=[
            Treated(8, CORD, given("5e5", "viable cells", "intravenous"), "POI + low dose"),
            Treated(9, CORD, given("2e6", "viable cells", "intravenous"), "POI + high dose"),
        ],
    ),
    with_product(
        "retrograde delivery", CORD, given("2e5", "viable cells", "retrograde_tubal", site="oviduct"),
        own_endpoints=[
            {"key": "cells_homing_per_mm2", "name": "Homing cells", "unit": "/mm²", "value_kind": "quantity"}
        ],
        endpoints=frozenset({"fsh", "cells_homing_per_mm2"}),
    ),
    with_product(
        "amniotic epithelial cells", cells("human amniotic epithelial cells", "amniotic_membrane", "epithelial"),
        given("2e6", "viable cells", "intravenous"),
    ),
    with_product(
        "endometrial cells", cells("human endometrial stem cells", "endometrium", "endometrial_stem"),
        given("1e6", "viable cells", "intravenous"),
    ),
    with_product("EV, IV", VESICLES, given("1e10", "particles", "intravenous", site="tail_vein")),
    with_product("EV, intraovarian", VESICLES, given("1.5e9", "particles", "intraovarian", site="both_ovaries")),
    with_product("EV, IP", VESICLES_UG, given("150", "µg protein", "intraperitoneal", repeats=4, every_days=2)),
    with_product("conditioned medium", MEDIUM, given("0.2", "mL", "intraperitoneal", repeats=7)),
    with_product(
        "in collagen", cells("human cord MSC in collagen", "umbilical_cord", carrier="collagen scaffold"),
        given("1e5", "viable cells", "intraovarian", site="left_ovary", volume_ul=Decimal(5)),
    ),
    with_product(
        "in hydrogel", cells("human adipose MSC in GelMA", "adipose", carrier="GelMA hydrogel"),
        given("5e5", "viable cells", "intraovarian", site="both_ovaries", volume_ul=Decimal(10)),
    ),
    with_product(
        "iPSC-derived", cells("human iPSC-derived granulosa-like cells", "ipsc", "ipsc_derived"),
        given("5e5", "viable cells", "intraovarian", site="both_ovaries"),
    ),
    with_product(
        "ovarian stem cells", cells("mouse ovarian stem cells", "ovary", "ovarian_stem", "mouse"),
        given("1e4", "viable cells", "intraovarian", site="right_ovary"),
    ),
]  # fmt: skip


@pytest.mark.parametrize("design", OTHERS, ids=lambda design: design.study)
def test_other_designs_read_back_equal(api, world, design: Design):
    assert designs.read(api, designs.record(api, design)) == design


def test_an_unknown_strain_is_one_a_species_and_has_no_registry_number(api, world):
    unknown = {"name": "not told", "species": "rabbit", "is_unknown": True}
    assert api.post("/api/v1/strains", {**unknown, "rrid": "RGD_1"}, format="json").status_code == 400
    assert api.post("/api/v1/strains", unknown, format="json").status_code == 201
    twice = api.post("/api/v1/strains", {**unknown, "name": "also not told"}, format="json")
    assert (twice.status_code, "unknown strain" in str(twice.json())) == (400, True)
