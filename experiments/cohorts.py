"""What the rules of randomisation, eligibility and POI confirmation are told of an experiment's animals."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import DateField, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from experiments.models import (
    Allocation,
    Arm,
    Cage,
    EligibilityCriterion,
    Enrolment,
    Exclusion,
    Experiment,
    Housing,
    Litter,
    Observation,
    PoiCriteria,
    PoiCriterion,
    Randomisation,
)
from experiments.rules import eligibility, poi_confirmation, randomisation, sealed_seed
from experiments.rules.control_thresholds import Measured
from experiments.rules.quantities import RuleError, State

WEIGHT, STAGE = "body_weight", "estrous_stage"
CYCLE_DAYS = 14  # before day 0, in which regular cycles are looked for


def latest_weight_g(**until: Any) -> Subquery:
    """Of an enrolment: the newest current body weight in g of its animal in its experiment, among those ``until``."""
    rows = Observation.objects.filter(
        animal=OuterRef("animal"),
        experiment=OuterRef("experiment"),
        endpoint__key=WEIGHT,
        is_current=True,
        value__isnull=False,
        **until,
    )
    return Subquery(rows.order_by("-observed_at").values("value")[:1])


def is_excluded(**more: Any) -> Q:
    """Of an enrolment: whether its animal is left out of everything."""
    rows = Exclusion.objects.filter(endpoint=None, revoked_at=None, **more)
    return Q(pk__in=rows.values("enrolment"))


# -- randomisation


def candidates(experiment: Experiment) -> QuerySet:
    """Enrolments that can be drawn: in no arm yet, not excluded, their part not ended."""
    return Enrolment.objects.filter(
        ~is_excluded(), experiment=experiment, allocation=None, disposition=None
    ).select_related("animal")


def drawn_animals(rows: QuerySet) -> dict[str, Any]:
    """The enrolments ``rows`` as they go into a draw: weight, litter and cage of today, by the animal's id."""
    today = timezone.localdate()
    housed = Housing.objects.filter(Q(ended_on=None) | Q(ended_on__gt=today), animal=OuterRef("animal"))
    cage = Subquery(housed.filter(started_on__lte=today).values("cage")[:1])
    read = list(
        rows.annotate(weight_g=latest_weight_g(observed_at__lte=timezone.now()), cage=cage).order_by("animal__lab_id")
    )
    litters = _labels(Litter.objects.filter(pk__in={row.animal.litter_id for row in read}).values_list("pk", "code"))
    cages = _labels(Cage.objects.filter(pk__in={row.cage for row in read}).values_list("pk", "label"))
    return {
        row.animal.lab_id: {
            "enrolment": str(row.pk),
            "weight_g": None if row.weight_g is None else str(row.weight_g),
            "litter": litters.get(row.animal.litter_id),
            "cage": cages.get(row.cage),
        }
        for row in read
    }


def _labels(rows: Iterable[tuple[UUID, str]]) -> dict[UUID | None, str]:
    """Labels by key; one that two rows share is told apart by the key's beginning."""
    known = dict(rows)
    shared = Counter(known.values())
    return {key: label if shared[label] == 1 else f"{label} ({str(key)[:8]})" for key, label in known.items()}


def design_of(inputs: dict[str, Any]) -> tuple[randomisation.Design, list[randomisation.Animal]]:
    """The design and the animals that the inputs of a draw, as they are stored, stand for."""
    arms = tuple(randomisation.Arm(key, told["ratio"]) for key, told in inputs["arms"].items())
    design = randomisation.Design(
        method=randomisation.Method(inputs["method"]),
        arms=arms,
        strata=tuple(randomisation.Factor(factor) for factor in inputs["strata"]),
        weight_classes=inputs["weight_classes"],
    )
    animals = [
        randomisation.Animal(
            key,
            None if told["weight_g"] is None else Decimal(told["weight_g"]),
            told["litter"],
            told["cage"],
        )
        for key, told in inputs["animals"].items()
    ]
    return design, animals


def reproduce(drawn: Randomisation) -> bool:
    """Whether the draw, made again from its stored inputs and seed, puts every animal into the arm that it is in."""
    arm_keys = {told["arm"]: key for key, told in drawn.inputs["arms"].items()}
    animal_keys = {told["enrolment"]: key for key, told in drawn.inputs["animals"].items()}
    rows = Allocation.objects.filter(randomisation=drawn).values_list("enrolment", "arm")
    arm_by_animal = {animal_keys.get(str(e), str(e)): arm_keys.get(str(a), str(a)) for e, a in rows}
    try:
        design, animals = design_of(drawn.inputs)
        sealed_seed.verify(drawn.seed_sha256, drawn.seed, design, animals, arm_by_animal)
    except RuleError:
        return False
    return True


# -- eligibility


@dataclass(frozen=True)
class Eligibility:
    """Of one animal: whether it is eligible (None: not known) and each criterion with its sentence."""

    enrolment: UUID
    animal: str
    is_eligible: bool | None
    assessments: tuple[eligibility.Assessment, ...]


def eligibility_of(experiment: Experiment) -> list[Eligibility]:
    """Every enrolled animal against the experiment's criteria. Age, acclimatisation and cycles count up to day 0, the
    weight is the newest up to the end of that day; where day 0 is not set, the newest of all.
    """
    asked = list(experiment.eligibility_criteria.all())
    if not asked:
        return []
    day = Coalesce(OuterRef("day_0"), Value(timezone.localdate(), DateField()))
    rows = Enrolment.objects.filter(experiment=experiment).select_related("animal__strain")
    rows = rows.annotate(weight_g=latest_weight_g(observed_at__date__lte=day))
    stages = stages_of(experiment) if any(c.kind == EligibilityCriterion.Kind.REGULAR_CYCLES for c in asked) else {}
    return [_eligibility(row, asked, stages.get(row.animal_id)) for row in rows.order_by("animal__lab_id")]


def _eligibility(row: Any, asked: list[EligibilityCriterion], stages: dict[int, str] | None) -> Eligibility:
    animal = row.animal
    sex = None if animal.sex == animal.Sex.UNKNOWN else str(animal.get_sex_display())
    candidate = eligibility.Candidate(
        induction_on=row.day_0, born_on=animal.born_on, arrived_on=animal.arrived_on, weight_g=row.weight_g,
        sex=sex, strain=animal.strain.name, stages=stages,
    )  # fmt: skip
    found = [assessment for each in asked for assessment in _assessed(each, candidate)]
    return Eligibility(row.pk, animal.lab_id, eligibility.is_eligible(found), tuple(found))


def _assessed(criterion: EligibilityCriterion, candidate: eligibility.Candidate) -> list[eligibility.Assessment]:
    Kind = EligibilityCriterion.Kind
    if criterion.kind == Kind.OTHER:
        told = f"{criterion.text or 'This criterion'}: judged by a person, not by the program."
        return [eligibility.Assessment(criterion.kind, State.NOT_ASSESSABLE, told)]
    ends = (criterion.lowest, criterion.highest)
    least = 0 if criterion.lowest is None else int(criterion.lowest)
    asked: dict[str, dict[str, Any]] = {
        Kind.AGE_DAYS: {"age_days": ends},
        Kind.WEIGHT_G: {"weight_g": ends},
        Kind.ACCLIMATISATION_DAYS: {"acclimatisation_days": least},
        Kind.REGULAR_CYCLES: {"regular_cycles": least, "cycle_days": CYCLE_DAYS},
        Kind.SEX: {"sexes": (SEXES.get(criterion.text.strip().casefold(), criterion.text),)},
    }
    try:
        rule = eligibility.Criteria(**{"acclimatisation_days": None, **asked[criterion.kind]})
        return eligibility.assess(rule, candidate)
    except RuleError as refused:  # a value of this animal that no criterion can judge: said, and left open
        return [eligibility.Assessment(criterion.kind, State.NOT_ASSESSABLE, str(refused))]


SEXES = {"f": "female", "female": "female", "m": "male", "male": "male"}


def stages_of(experiment: Experiment) -> dict[UUID, dict[int, str]]:
    """The current estrous stages of every animal by whole days from its day 0; the last of a day counts."""
    rows = Observation.objects.filter(
        experiment=experiment, endpoint__key=STAGE, is_current=True, category__isnull=False, animal__isnull=False
    )
    day_0 = dict(Enrolment.objects.filter(experiment=experiment).values_list("animal", "day_0"))
    found: dict[UUID, dict[int, str]] = defaultdict(dict)
    for animal, at, stage in rows.order_by("observed_at").values_list("animal", "observed_at", "category"):
        first = day_0.get(animal)
        if animal and stage and first:
            found[animal][(timezone.localdate(at) - first).days] = stage
    return found


# -- POI confirmation


def poi_criteria(criteria: PoiCriteria) -> poi_confirmation.Criteria:
    """The stored list as the rule knows it. Raises RuleError for one that cannot be applied."""
    rows = criteria.criteria.select_related("endpoint", "timepoint")
    return poi_confirmation.Criteria(criteria.required, tuple(_poi_criterion(row) for row in rows))


KINDS = {
    PoiCriterion.Rule.PERSISTENT_DIESTRUS_DAYS: poi_confirmation.Kind.PERSISTENT_DIESTRUS,
    PoiCriterion.Rule.ABOVE_CONTROL_SD: poi_confirmation.Kind.ABOVE_CONTROL,
    PoiCriterion.Rule.BELOW_CONTROL_SD: poi_confirmation.Kind.BELOW_CONTROL,
    PoiCriterion.Rule.LOSS_PERCENT: poi_confirmation.Kind.LOSS,
}


def _measure(row: PoiCriterion) -> str:
    return f"{row.endpoint} at {row.timepoint}" if row.timepoint else str(row.endpoint)


def _poi_criterion(row: PoiCriterion) -> poi_confirmation.Criterion:
    kind = KINDS[PoiCriterion.Rule(row.rule)]
    measures = () if kind == poi_confirmation.Kind.PERSISTENT_DIESTRUS else (_measure(row),)
    key = f"{row.get_rule_display()}: {_measure(row)}"
    return poi_confirmation.Criterion(key, kind, row.threshold, measures)


def confirmations(criteria: PoiCriteria, rows: Iterable[Enrolment]) -> list[poi_confirmation.Confirmation]:
    """The verdict on each enrolment of ``rows``, by its key; control values are those of the normal-control animals that
    are not excluded. An endpoint without timepoint counts with its newest value, one with a timepoint with that of it.

    Raises RuleError for criteria or values that the rule cannot work with.
    """
    experiment = criteria.experiment
    rule = poi_criteria(criteria)
    values = _values(criteria)
    allocated = Enrolment.objects.filter(allocation__arm__kind=Arm.Kind.NORMAL_CONTROL, experiment=experiment)
    controls: dict[str, list[Measured]] = defaultdict(list)
    for animal in allocated.filter(~is_excluded()).order_by("animal__lab_id").values_list("animal", flat=True):
        for measure, value in values[animal].items():
            controls[measure].append(value)
    made = poi_confirmation.thresholds(rule, controls)
    stages = stages_of(experiment)
    return [
        poi_confirmation.confirm(
            rule,
            made,
            poi_confirmation.Animal(str(row.pk), values[row.animal_id], _since_day_0(stages.get(row.animal_id))),
        )
        for row in rows
    ]


def _since_day_0(stages: dict[int, str] | None) -> dict[int, str | None]:
    return {day: stage for day, stage in (stages or {}).items() if day >= 0}


def _values(criteria: PoiCriteria) -> dict[UUID, dict[str, Measured]]:
    """What was measured of the whole animal (no side, reader or section), by animal and by what a criterion looks at."""
    found: dict[UUID, dict[str, Measured]] = defaultdict(dict)
    measured = criteria.criteria.exclude(rule=PoiCriterion.Rule.PERSISTENT_DIESTRUS_DAYS)
    for row in measured.select_related("endpoint", "timepoint"):
        at = {"timepoint": row.timepoint} if row.timepoint else {}
        observed = Observation.objects.filter(
            experiment=criteria.experiment, endpoint=row.endpoint, is_current=True, category=None, animal__isnull=False,
            side=None, reader=None, ordinal=None, **at,
        )  # fmt: skip
        told = observed.annotate(number=Coalesce("value", "limit")).order_by("observed_at")
        for animal, qualifier, number in told.values_list("animal", "qualifier", "number"):
            found[animal][_measure(row)] = Measured(number, qualifier)
    return found
