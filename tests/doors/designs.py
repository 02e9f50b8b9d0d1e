"""Designs of published studies: written through REST, and read back from REST alone."""

import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.doors.rest_client import RestClient

API = "/api/v1"
Values = dict[str, Any]


@dataclass(frozen=True)
class Treated:
    """An arm that gets a product: what, how much each time, how."""

    n: int
    product: Values
    dose: Values
    label: str = "POI + product"


@dataclass(frozen=True)
class Design:
    """A study as its publication tells it. ``induction`` are the steps that make the model; doses follow the last one."""

    study: str
    species: str
    strain: str  # empty where it is not told
    induction: list[Values]
    treated: list[Treated]
    n_control: int
    vehicle: str
    follow_up_days: int
    endpoints: frozenset[str]
    own_endpoints: list[Values] = field(default_factory=list)


def post(api: RestClient, noun: str, **values: Any) -> str:
    """Make a row and return its key."""
    made = api.post(f"{API}/{noun}", json.dumps(values, default=float), content_type="application/json")
    assert made.status_code == 201, (noun, values, made.json())
    return made.json()["id"]


def rows(api: RestClient, noun: str, **asked: Any) -> list[Values]:
    answer = api.get(f"{API}/{noun}", {**asked, "limit": 200})
    assert answer.status_code == 200, (noun, asked, answer.json())
    found = json.loads(answer.content, parse_float=Decimal)
    assert found["next"] is None, f"{noun}: more than a page"
    return found["results"]


def row(api: RestClient, noun: str, key: str) -> Values:
    return json.loads(api.get(f"{API}/{noun}/{key}").content, parse_float=Decimal)


def _known(api: RestClient, noun: str, asked: Values, **more: Any) -> str:
    found = rows(api, noun, **asked)
    return found[0]["id"] if found else post(api, noun, **asked, **more)


def record(api: RestClient, design: Design) -> str:
    """Record ``design`` as a registered study and return its key."""
    code = design.study.replace(" ", "-")
    study = post(
        api, "experiments", code=code, title=design.study, masking="open_label", provenance="registered",
        reference=design.study, follow_up_days=design.follow_up_days,
    )  # fmt: skip
    strain = _strain(api, design)
    vehicle = _known(api, "products", {"name": design.vehicle, "kind": "vehicle", "dose_unit": "mL"})
    common = {"experiment": study, "strain": strain}
    control = post(api, "arms", **common, label="POI + vehicle", kind="vehicle", planned_n=design.n_control)
    first = design.treated[0].dose
    how = {name: first[name] for name in ("route", "site") if name in first}
    _follow(api, f"{code} vehicle", control, [*design.induction, {"product": vehicle, "name": "vehicle", **how}])
    for place, treated in enumerate(design.treated, 1):
        product = _known(api, "products", {"name": treated.product["name"]}, **_without_name(treated.product))
        arm = post(
            api, "arms", **common, label=treated.label, kind="product", planned_n=treated.n, position=place,
            reference=control, vehicle_arm=control,
        )  # fmt: skip
        given = {"product": product, "name": "treatment", "vehicle": design.vehicle, **treated.dose}
        _follow(api, f"{code} {treated.label}", arm, [*design.induction, given])
    for own in design.own_endpoints:
        _known(api, "endpoints", {"key": own["key"]}, **{k: v for k, v in own.items() if k != "key"})
    for key in design.endpoints:
        post(api, "planned-endpoints", experiment=study, endpoint=rows(api, "endpoints", key=key)[0]["id"])
    return study


def _without_name(product: Values) -> Values:
    return {name: value for name, value in product.items() if name != "name"}


def _strain(api: RestClient, design: Design) -> str:
    if design.strain:
        return _known(api, "strains", {"name": design.strain, "species": design.species})
    return _known(api, "strains", {"species": design.species, "is_unknown": True}, name=f"{design.species}, unknown")


def _follow(api: RestClient, name: str, arm: str, steps: list[Values]) -> None:
    """The arm follows a protocol of ``steps``, each after the one before."""
    protocol = post(api, "protocols", name=name)
    version = post(api, "protocol-versions", protocol=protocol, number=1)
    before = None
    for place, step in enumerate(steps):
        kind = "induction" if "induction_model" in step else "transplantation"
        before = post(
            api, "protocol-steps", **{"name": f"step {place + 1}", **step}, version=version, position=place, kind=kind,
            after=before,
        )  # fmt: skip
    post(api, "arm-protocols", arm=arm, version=version)


def read(api: RestClient, study: str) -> Design:
    """The design of the registered study ``study``, from what REST tells."""
    experiment = row(api, "experiments", study)
    assert experiment["provenance"] == "registered"
    arms = rows(api, "arms", experiment=study)
    control = next(arm for arm in arms if arm["kind"] == "vehicle")
    strains = {arm["strain"] for arm in arms}
    assert len(strains) == 1
    strain = row(api, "strains", strains.pop())
    *induction, vehicle = _steps(api, control)
    products = [arm for arm in arms if arm["kind"] == "product"]
    assert all(arm["vehicle_arm"] == control["id"] for arm in products)
    found = [_treated(api, arm, induction) for arm in products]
    treated = [each for each, _ in found]
    told = row(api, "products", vehicle["product"])
    assert told["kind"] == "vehicle"
    assert {vehicle_of_dose for _, vehicle_of_dose in found} == {told["name"]}
    assert {each.dose["route"] for each in treated} == {vehicle["route"]}
    planned = [row(api, "endpoints", each["endpoint"]) for each in rows(api, "planned-endpoints", experiment=study)]
    own = [
        {name: each[name] for name in ("key", "name", "unit", "value_kind")}
        for each in planned
        if not each["is_built_in"]
    ]
    return Design(
        study=experiment["reference"],
        species=strain["species"],
        strain="" if strain["is_unknown"] else strain["name"],
        induction=induction,
        treated=treated,
        n_control=control["planned_n"],
        vehicle=told["name"],
        follow_up_days=experiment["follow_up_days"],
        endpoints=frozenset(each["key"] for each in planned),
        own_endpoints=sorted(own, key=lambda each: each["key"]),
    )


STATED = ("after", "id", "version", "position", "kind", "window_before_days", "window_after_days")


def _steps(api: RestClient, arm: Values) -> list[Values]:
    """The arm's steps in their order, without what is not told."""
    followed = rows(api, "arm-protocols", arm=arm["id"])
    assert len(followed) == 1
    steps = sorted(rows(api, "protocol-steps", version=followed[0]["version"]), key=lambda step: step["position"])
    assert [step["after"] for step in steps] == [None, *(step["id"] for step in steps[:-1])]
    return [
        {name: value for name, value in step.items() if name not in STATED and value not in (None, "")}
        for step in steps
    ]


def _treated(api: RestClient, arm: Values, induction: list[Values]) -> tuple[Treated, str]:
    """What the arm gets, and in which vehicle."""
    *before, dose = _steps(api, arm)
    assert before == induction, "treated and control animals are made ill alike"
    product = row(api, "products", dose.pop("product"))
    told = {name: value for name, value in product.items() if name != "id" and value not in (None, "")}
    assert dose.pop("name") == "treatment"
    vehicle = dose.pop("vehicle")
    return Treated(arm["planned_n"], told, dose, arm["label"]), vehicle
