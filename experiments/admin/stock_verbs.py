"""Buttons of the stock: on the pages of vials, lots and procedures. Vials are named by what their barcode reads."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSplitDateTimeWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from experiments.actions import stock
from experiments.actions.reasons import LONGEST_REASON
from experiments.models import Dose, Lot, Procedure, StorageBox, Vial
from labdb.base.admin import Verb

State = Vial.State
OPEN, STORED = (State.THAWED,), (State.STORED,)
MOST_VIALS = 200
DOSE_VIALS = (1, 2, 3)


def text(help_text: str = "", **given: Any) -> forms.CharField:
    return forms.CharField(widget=UnfoldAdminTextInputWidget, help_text=help_text, **{"max_length": 60, **given})


def reason() -> forms.CharField:
    return text("It is kept with the record.", max_length=LONGEST_REASON)


def number(help_text: str = "", **given: Any) -> forms.DecimalField:
    return forms.DecimalField(widget=UnfoldAdminDecimalFieldWidget, help_text=help_text, **given)


def moment(help_text: str) -> forms.SplitDateTimeField:
    return forms.SplitDateTimeField(required=False, widget=UnfoldAdminSplitDateTimeWidget, help_text=help_text)


def box(request: HttpRequest) -> forms.ModelChoiceField:
    rows = StorageBox.objects.visible_to(request.user)
    return forms.ModelChoiceField(rows, required=False, widget=UnfoldAdminSelectWidget)


def whole(label: str, required: bool = False, **given: Any) -> forms.IntegerField:
    return forms.IntegerField(
        label=label, required=required, min_value=1, max_value=999, widget=UnfoldAdminIntegerFieldWidget, **given
    )


def form(**fields: forms.Field) -> type[forms.Form]:
    return type("StockForm", (forms.Form,), fields)


def vial_of(request: HttpRequest, code: str) -> Vial:
    """The vial that the person may see by this code. Raises ValidationError where there is none."""
    found = Vial.objects.visible_to(request.user).filter(code=code.strip()).select_related("lot").first()
    if found is None:
        raise ValidationError(f"There is no vial “{code}”.")
    return found


# -- vials


def _thaw(request: HttpRequest, vial: Vial, answers: dict[str, Any]) -> str:
    return _handled(stock.thaw_vial(vial=vial, by=request.user, **answers), "The vial is thawed.")


def _viability(request: HttpRequest, vial: Vial, answers: dict[str, Any]) -> str:
    return _handled(stock.record_viability(vial=vial, by=request.user, **answers), "The viability is recorded.")


def _handled(done: stock.Handled, told: str) -> str:
    return " ".join([told, *done.warnings])


def _move(request: HttpRequest, vial: Vial, answers: dict[str, Any]) -> str:
    moved = stock.move_vial(vial=vial, by=request.user, **answers)
    return f"The vial stands at {moved.box} {moved.place}." if moved.box else "The vial stands in no box."


def _transfer(request: HttpRequest, vial: Vial, answers: dict[str, Any]) -> str:
    code, amount = answers["into"].strip(), answers["amount"]
    target: Any = Vial.objects.visible_to(request.user).filter(code=code).first()
    filled = stock.transfer(
        source=vial, target=target or stock.NewVial(code=code, amount=amount), amount=amount, by=request.user
    )
    return f"{filled} holds {filled.amount_left.normalize():f} now."


def _discard(request: HttpRequest, vial: Vial, answers: dict[str, Any]) -> str:
    stock.discard_vial(vial=vial, by=request.user, **answers)
    return "The vial is discarded."


def _correct(request: HttpRequest, vial: Vial, answers: dict[str, Any]) -> str:
    corrected = stock.correct_vial(vial=vial, by=request.user, **answers)
    return f"The vial holds {corrected.amount_left.normalize():f} now."


def _in(*states: str) -> Callable[[Vial], bool]:
    return lambda vial: vial.state in states


VIAL_VERBS = (
    Verb(
        "thaw",
        "Thaw or open",
        _thaw,
        icon="water_drop",
        form=lambda request, vial: form(
            thawed_at=moment("Empty: now."),
            viability_percent=number("Viable cells in %, if they are counted already.", required=False),
            keeps_place=forms.BooleanField(
                required=False, widget=UnfoldBooleanWidget, help_text="It goes back to its place, as an opened bottle."
            ),
        ),
        explanation="A vial is thawed or opened once; it leaves its place in the box.",
        is_shown=_in(*STORED),
        is_primary=True,
    ),
    Verb(
        "viability",
        "Record viability",
        _viability,
        icon="percent",
        form=lambda request, vial: form(viability_percent=number("Viable cells after thawing, in %.")),
        is_shown=lambda vial: vial.state in OPEN and vial.post_thaw_viability_percent is None,
    ),
    Verb(
        "transfer",
        "Transfer",
        _transfer,
        icon="swap_horiz",
        form=lambda request, vial: form(
            into=text("An open vial of the same lot, or the code of a new one: an aliquot, a syringe."),
            amount=number("In the product's dose unit."),
        ),
        is_shown=_in(*OPEN),
    ),
    Verb(
        "move",
        "Move",
        _move,
        icon="move_item",
        form=lambda request, vial: form(box=box(request), row=whole("row"), column=whole("column")),
        explanation="Leave all of it empty to take the vial out of its box.",
        is_shown=_in(*STORED, *OPEN),
    ),
    Verb(
        "correct",
        "Correct after counting",
        _correct,
        icon="calculate",
        form=lambda request, vial: form(counted=number("What is in it, in the product's dose unit."), reason=reason()),
        is_shown=_in(*STORED, *OPEN, State.USED),
    ),
    Verb(
        "discard",
        "Discard",
        _discard,
        icon="delete",
        form=lambda request, vial: form(reason=reason()),
        is_shown=_in(*STORED, *OPEN),
    ),
)


# -- lots


def _make(request: HttpRequest, lot: Lot, answers: dict[str, Any]) -> str:
    count, first = answers["count"], answers["first_number"] or 1
    where = answers["box"]
    start = (answers["row"] or 1, answers["column"] or 1)
    places = stock.free_places(where, count, *start) if where else [(None, None)] * count
    new = [
        stock.NewVial(
            code=f"{answers['code']}{first + index:0{len(str(first + count - 1))}}",
            amount=answers["amount"],
            volume_ul=answers["volume_ul"],
            cryoprotectant=answers["cryoprotectant"],
            frozen_at=answers["frozen_at"],
            box=where,
            row=row,
            column=column,
        )
        for index, (row, column) in enumerate(places)
    ]
    made = stock.make_vials(lot=lot, vials=new, is_received=answers["is_received"], by=request.user)
    return f"{len(made)} vials: {made[0]} to {made[-1]}." if len(made) > 1 else f"Vial {made[0]}."


def _make_form(request: HttpRequest, lot: Lot) -> type[forms.Form]:
    protectant: Any = Vial._meta.get_field("cryoprotectant")
    return form(
        code=text("What the codes begin with; a number follows.", initial=f"{lot}-"),
        first_number=whole("first number", initial=1),
        count=forms.IntegerField(min_value=1, max_value=MOST_VIALS, initial=1, widget=UnfoldAdminIntegerFieldWidget),
        amount=number(f"Each, in {lot.product.dose_unit}."),
        volume_ul=number("Each, in µL.", required=False),
        cryoprotectant=forms.ChoiceField(choices=protectant._offered, required=False, widget=UnfoldAdminSelectWidget),
        frozen_at=moment("Where it is frozen."),
        box=box(request),
        row=whole("from row", help_text="They stand in the free places from here on."),
        column=whole("from column"),
        is_received=forms.BooleanField(
            required=False, widget=UnfoldBooleanWidget, help_text="From somebody else, not filled here."
        ),
    )


def _consume(request: HttpRequest, lot: Lot, answers: dict[str, Any]) -> str:
    stock.consume(made_lot=lot, takes=_takes(request, answers), by=request.user)
    return "The ledger tells what the lot was made from."


LOT_VERBS = (
    Verb("make-vials", "Make vials", _make, icon="add_circle", form=_make_form, is_primary=True),
    Verb(
        "consume",
        "Use up vials",
        _consume,
        icon="blender",
        form=lambda request, lot: form(**_vial_fields()),
        explanation="What is taken from vials of other lots to make this one.",
    ),
)


# -- procedures


def _vial_fields() -> dict[str, forms.Field]:
    fields: dict[str, forms.Field] = {}
    for n in DOSE_VIALS:
        fields[f"vial_{n}"] = text("Scan or type its code.", label=f"Vial {n}", required=n == 1)
        fields[f"amount_{n}"] = number("In the product's dose unit.", label=f"amount from vial {n}", required=n == 1)
    return fields


def _takes(request: HttpRequest, answers: dict[str, Any]) -> list[stock.Take]:
    takes = []
    for n in DOSE_VIALS:
        code, amount = answers[f"vial_{n}"], answers[f"amount_{n}"]
        if bool(code) != (amount is not None):
            raise ValidationError({f"amount_{n}": "Name the vial and the amount, or neither."})
        if code:
            takes.append(stock.Take(vial_of(request, code), amount))
    return takes


def _dose_form(with_reason: bool) -> Callable[[HttpRequest, Procedure], type[forms.Form]]:
    def made(request: HttpRequest, procedure: Procedure) -> type[forms.Form]:
        fields = _vial_fields()
        if not Dose.objects.filter(procedure=procedure).exists():
            route, site = (Dose._meta.get_field(name) for name in ("route", "site"))
            for name, field, is_needed in (("route", route, True), ("site", site, False)):
                choices: Any = field._offered  # type: ignore[union-attr]
                fields[name] = forms.ChoiceField(choices=choices, required=is_needed, widget=UnfoldAdminSelectWidget)
            fields["volume_ul"] = number("µL", label="volume, µL", required=False)
            fields["vehicle"] = text(required=False)
            fields["needle"] = text("e.g. 30 G", required=False, max_length=30)
            fields["weight_g"] = number("Of the day.", label="weight, g", required=False)
        if with_reason:
            fields["reason"] = reason()
        return form(**fields)

    return made


DETAILS = ("route", "site", "volume_ul", "vehicle", "needle", "weight_g")


def _dispense(request: HttpRequest, procedure: Procedure, answers: dict[str, Any]) -> str:
    details = {name: answers[name] for name in DETAILS if answers.get(name) not in (None, "")}
    takes = _takes(request, answers)
    given = stock.dispense(procedure=procedure, takes=takes, details=details, by=request.user)
    return " ".join([f"Dispensed: {given.dose}.", *given.warnings])


def _given_anyway(request: HttpRequest, procedure: Procedure, answers: dict[str, Any]) -> str:
    details = {name: answers[name] for name in DETAILS if answers.get(name) not in (None, "")}
    given = stock.record_dose_given_anyway(
        procedure=procedure,
        takes=_takes(request, answers),
        details=details,
        reason=answers["reason"],
        by=request.user,
    )
    return " ".join([f"Recorded with its deviation: {given.dose}.", *given.deviations, *given.warnings])


PROCEDURE_VERBS = (
    Verb(
        "dispense",
        "Dispense",
        _dispense,
        icon="vaccines",
        asks="dispense",
        form=_dose_form(with_reason=False),
        explanation="What the animal gets is taken from thawed vials. Nothing of an unreleased, rejected, expired or"
        " recalled batch is dispensed.",
        is_primary=True,
    ),
    Verb(
        "given-anyway",
        "Given against a rule",
        _given_anyway,
        icon="report",
        asks="dispense",
        form=_dose_form(with_reason=True),
        explanation="For what has happened: the animal got it although a rule stood against it. It is recorded as a"
        " deviation with your reason, and an alert is raised.",
    ),
)
