"""People and the rows of the four experiments: one row of every model, valid values for one more, and rows in the
states that verbs ask for. Every text of a situation's rows begins with its word, so that a leak is seen in any answer.
"""

from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import models

from experiments.models import Endpoint, Experiment, ExperimentLock, ImportTemplate, Membership, Strain
from labdb.base.models import User
from tests.contracts.matrix import PEOPLE, ROLES, SITUATIONS
from tests.contracts.matrix.addresses import is_of_experiments
from tests.contracts.matrix.special import ELSEWHERE, EMPTY, GIVEN, NEW, STATES, close
from tests.contracts.rows import Known, make_values

Model = type[models.Model]


@dataclass
class Situation:
    """One experiment: ``rows`` by model, ``spare`` ones that nothing
    refers to, ``new`` values of a further row, ``states`` by their name."""

    word: str
    rows: Known = field(default_factory=dict)
    new: dict[Model, dict[str, Any]] = field(default_factory=dict)
    spare: dict[Model, models.Model] = field(default_factory=dict)
    states: dict[str, models.Model] = field(default_factory=dict)

    @property
    def masked_word(self) -> str:
        """What texts of rows begin with that tell the arm."""
        return f"{self.word}arm"


@dataclass
class World:
    people: dict[str, User]
    situations: dict[str, Situation]
    elsewhere: Situation  # rows of the whole laboratory

    def place(self, situation: str) -> Situation:
        return self.situations.get(situation, self.elsewhere)


def make_world() -> World:
    people = {name: _person(name) for name in PEOPLE if name != "anonymous"}
    people["owner"] = _person("owner")
    shared = _lab_wide_rows()
    situations = {name: _situation(name, people, shared) for name in SITUATIONS}
    outside = Experiment(code="ELSEWHERE", title="of the outsider", masking="open_label")
    outside.save()
    _join(outside, {"outsider": people["outsider"]}, "scientist")
    elsewhere = Situation("zqlab", dict(shared))
    elsewhere.rows[User] = people["owner"]
    for model in ELSEWHERE:
        elsewhere.new[model] = values_of(model, elsewhere, all_shared=False)
        elsewhere.rows.setdefault(model, _written(model, elsewhere))
    elsewhere.rows[Strain] = Strain(name="zqlab strain of no animal")
    elsewhere.rows[Strain].save()
    locked = situations["locked"].rows
    locked[ExperimentLock] = close(locked[Experiment], people["director"])
    return World(people, situations, elsewhere)


def _person(name: str) -> User:
    rights = {"is_manager": name == "manager", "is_superuser": name == "administrator"}
    return User.objects.create_user(name, f"{name}@example.org", f"{name}-of-the-laboratory", is_staff=True, **rights)


def _lab_wide_rows() -> Known:
    strain = Strain(name="zqlab strain")
    endpoint = Endpoint(key="zqlab-endpoint", name="zqlab endpoint", unit="mg")
    template = ImportTemplate.objects.first()
    assert template is not None
    template = ImportTemplate(name="zqlab template", kind=template.kind, mapping=template.mapping)
    for row in (strain, endpoint, template):
        row.save()
    return {Strain: strain, Endpoint: endpoint, ImportTemplate: template}


def _situation(name: str, people: dict[str, User], shared: Known) -> Situation:
    made = Situation(f"zq{name}", dict(shared))
    masking = "blinded" if name == "blinded" else "open_label"
    experiment = Experiment(code=f"{made.word}-1", title=f"{made.word} title", masking=masking)
    experiment.save()
    made.rows |= {Experiment: experiment, User: people["owner"]}
    _join(experiment, {"owner": people["owner"]}, "director")
    if name != "other":
        for role in ROLES:
            _join(experiment, {role: people[role]}, role)
    made.rows[Membership] = experiment.memberships.get(user=people["owner"])
    for model in _in_order():
        if model not in made.rows:
            made.rows[model] = _written(model, made)
    for model in _in_order():
        made.new[model] = values_of(model, made, all_shared=False) | NEW.get(model, lambda _: {})(made)
        if model not in ELSEWHERE:
            made.spare[model] = model._base_manager.bulk_create([model(**values_of(model, made, all_shared=False))])[0]
    for state, make in STATES.items():
        made.states[state] = make(made)
    return made


def _join(experiment: Experiment, people: dict[str, User], role: str) -> None:
    for person in people.values():
        Membership(experiment=experiment, user=person, role=role).save()


def _in_order() -> list[Model]:
    """Every model whose rows belong to an experiment, each after those that its rows refer to."""
    wanted = {m for m in apps.get_models() if is_of_experiments(m)} - set(EMPTY)
    ordered: list[Model] = []
    while wanted:
        ready = {m for m in wanted if not _referred(m) & (wanted - {m})}
        assert ready, f"these models refer to each other: {wanted}"
        ordered += sorted(ready, key=lambda m: m._meta.label)
        wanted -= ready
    return ordered


def _referred(model: Model) -> set[Model]:
    return {f.related_model for f in model._meta.local_concrete_fields if f.is_relation}  # type: ignore[misc]


def _written(model: Model, place: Situation) -> models.Model:
    return model._base_manager.bulk_create([model(**values_of(model, place, all_shared=True))])[0]


def values_of(model: Model, place: Situation, *, all_shared: bool) -> dict[str, Any]:
    values = make_values(model, 1, place.rows, all_shared=all_shared)[0]
    word = place.masked_word if getattr(model, "hidden_while_masked", False) else place.word
    for column in model._meta.local_concrete_fields:
        name = column.name
        text = values.get(name)
        if isinstance(text, str) and text.startswith("row-"):
            values[name] = f"{word}-{text}"[: column.max_length]
        related: Any = column.related_model
        is_left_out = name not in values and column.is_relation and related is not model
        if is_left_out and related in place.rows and related is not User:
            values[name] = place.rows[related]
    return values | GIVEN.get(model, lambda _: {})(place)
