"""What is done with an experiment's animals at its page: drawing arms, judging POI; and what the page says of them."""

from typing import Any

from django import forms
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from experiments import cohorts, flow
from experiments.actions.poi import confirm_poi
from experiments.actions.randomisation import WEIGHT_CLASSES, randomise
from experiments.admin.links import page_url
from experiments.models import AnalysisPlan, Experiment, PoiConfirmation, Randomisation
from experiments.rules.quantities import State, listed
from labdb.base.access import may, sees_arms
from labdb.base.admin import Verb
from labdb.base.panels import Panel, register_panel

PAGE = "experiment"
NAMED = 20  # animals that the page names before it only counts
STRATA = {"": "none", "weight": "weight", "litter": "litter", "cage": "cage"} | {
    " ".join(pair): f"{pair[0]}, then {pair[1]}" for pair in (("weight", "litter"), ("weight", "cage"), ("litter", "weight"))
}  # fmt: skip


def randomising_form(request: HttpRequest, experiment: Experiment) -> type[forms.Form]:
    """Method, strata and, of each arm, its share."""
    fields: dict[str, Any] = {
        "method": forms.ChoiceField(choices=Randomisation.Method.choices, widget=UnfoldAdminSelectWidget),
        "strata": forms.ChoiceField(
            choices=STRATA.items(), required=False, widget=UnfoldAdminSelectWidget, help_text="For a stratified draw."
        ),
        "weight_classes": forms.IntegerField(
            min_value=2, initial=WEIGHT_CLASSES, widget=UnfoldAdminTextInputWidget, help_text="Of equal size."
        ),
    }
    for arm in experiment.arms.all():
        fields[f"share_{arm.pk}"] = forms.IntegerField(
            label=f"Share of {arm}", min_value=0, initial=1, widget=UnfoldAdminTextInputWidget, help_text="0: none."
        )
    return type("RandomisingForm", (forms.Form,), fields)


def _randomise(request: HttpRequest, experiment: Experiment, answers: dict[str, Any]) -> str:
    shares = {arm: answers[f"share_{arm.pk}"] for arm in experiment.arms.all() if answers.get(f"share_{arm.pk}")}
    made = randomise(
        experiment=experiment,
        method=answers["method"],
        strata=answers["strata"].split(),
        weight_classes=answers["weight_classes"],
        ratios=shares,
        by=request.user,
    )
    return f"{made.allocations.count()} animals are drawn for {len(shares)} arms; the seed stays sealed."


def _confirm(request: HttpRequest, experiment: Experiment, answers: dict[str, Any]) -> str:
    made = confirm_poi(experiment=experiment, by=request.user)
    confirmed = sum(row.verdict == PoiConfirmation.Verdict.CONFIRMED for row in made)
    return f"{len(made)} animals are judged; POI is confirmed in {confirmed}."


VERBS = (
    Verb(
        "randomise",
        "Randomise",
        _randomise,
        icon="shuffle",
        asks="randomise",
        form=randomising_form,
        explanation="Every enrolled animal without an arm, not excluded and not ended, is drawn for one. The system draws"
        " the seed; it stays sealed until unblinding, and the draw can be checked at any time.",
    ),
    Verb("confirm-poi", "Confirm POI", _confirm, icon="fact_check", asks="confirm_poi"),
)

FLOW = {
    "n_enrolled": "Enrolled", "n_not_eligible": "Not eligible", "n_allocated": "Allocated",
    "n_induction_failed": "Induction failed", "n_excluded": "Excluded", "n_died": "Died",
    "n_humane_endpoint": "Humane endpoint", "n_analysed": "Analysed",
}  # fmt: skip


def animals_flow(request: HttpRequest, experiment: Experiment) -> dict[str, Any] | None:
    """How many animals came, went and count, arm by arm for who sees arms."""
    told = flow.flow(experiment, with_arms=sees_arms(request.user, experiment))
    if not told["total"]["n_enrolled"]:
        return None
    columns = [*told["arms"], {"label": "All animals", **told["total"]}]
    rows = [{"label": label, "numbers": [each[name] for each in columns]} for name, label in FLOW.items()]
    return {"columns": [each["label"] for each in columns], "rows": rows}


def eligible(request: HttpRequest, experiment: Experiment) -> dict[str, Any] | None:
    """Who fulfils the criteria, and why who does not."""
    found = cohorts.eligibility_of(experiment)
    if not found:
        return None
    counts = {state: sum(each.is_eligible is state for each in found) for state in (True, False, None)}
    doubtful = [
        {"animal": each.animal, "is_out": each.is_eligible is False, "sentences": _against(each)}
        for each in sorted(found, key=lambda each: (each.is_eligible is None, each.animal))
        if not each.is_eligible
    ]
    return {
        "n_met": counts[True], "n_not_met": counts[False], "n_open": counts[None], "rows": doubtful[:NAMED],
        "n_more": max(0, len(doubtful) - NAMED),
    }  # fmt: skip


def _against(found: cohorts.Eligibility) -> list[str]:
    wanted = State.NOT_MET if found.is_eligible is False else State.NOT_ASSESSABLE
    return [a.sentence for a in found.assessments if a.state == wanted]


def balance(request: HttpRequest, experiment: Experiment) -> dict[str, Any] | None:
    """The balance of the experiment's last draw."""
    made = Randomisation.objects.visible_to(request.user).filter(experiment=experiment)
    last = made.select_related("drawn_by", "experiment").order_by("-drawn_at").first()
    return None if last is None else told_balance(request, last)


def told_balance(request: HttpRequest, drawn: Randomisation) -> dict[str, Any]:
    """A draw as a table, arm by arm; it tells arms, so it is for who may see the draw."""
    rows = [
        {
            "label": arm["arm"],
            "n": arm["n"],
            "mean": _number(arm["mean_weight_g"]),
            "sd": _number(arm["sd_weight_g"]),
            "litters": _spread(arm["n_by_litter"]),
            "cages": _spread(arm["n_by_cage"]),
        }
        for arm in drawn.balance["arms"]
    ]
    return {
        "drawn": drawn,
        "url": page_url(drawn),
        "strata": ", then ".join(drawn.strata),
        "rows": rows,
        "difference": _number(drawn.balance["largest_standardised_difference"]),
        "between": " and ".join(drawn.balance["between"] or ()),
        "warnings": [each["message"] for each in drawn.balance["warnings"]],
    }


def _number(number: float | None) -> str:
    return "–" if number is None else f"{number:.2f}"


def _spread(counted: list[list[Any]]) -> str:
    return listed([f"{label} ({n})" for label, n in counted]) if counted else "–"


def plan(request: HttpRequest, experiment: Experiment) -> dict[str, Any] | None:
    """The newest version of the analysis plan, and whether it is locked."""
    rows = AnalysisPlan.objects.visible_to(request.user).filter(experiment=experiment)
    last = rows.select_related("primary_endpoint", "primary_timepoint", "locked_by").order_by("-version").first()
    if last is None:
        return None
    compared = last.comparisons.select_related("arm", "reference", "endpoint")
    return {
        "plan": last,
        "url": page_url(last),
        "comparisons": compared,
        "may_change": may(request.user, "change", last),
    }


register_panel(Panel(PAGE, "flow", "Flow of animals", "experiments/animals_flow.html", animals_flow, 12))
register_panel(Panel(PAGE, "eligibility", "Eligibility", "experiments/eligibility.html", eligible, 14, False))
register_panel(Panel(PAGE, "balance", "Balance of the last draw", "experiments/balance.html", balance, 16))
register_panel(Panel(PAGE, "plan", "Analysis plan", "experiments/analysis_plan.html", plan, 18, False))
