"""The stock: vials, what enters and leaves them, and the rules that stand against their use."""

from experiments.actions.stock.giving import Given, dispense, record_dose_given_anyway
from experiments.actions.stock.ledger import Take
from experiments.actions.stock.making import consume
from experiments.actions.stock.rules import Ground, Objection, objections
from experiments.actions.stock.vials import (
    Handled,
    NewVial,
    correct_vial,
    discard_vial,
    free_places,
    make_vials,
    move_vial,
    record_viability,
    thaw_vial,
    transfer,
)

__all__ = [
    "Given",
    "Ground",
    "Handled",
    "NewVial",
    "Objection",
    "Take",
    "consume",
    "correct_vial",
    "discard_vial",
    "dispense",
    "free_places",
    "make_vials",
    "move_vial",
    "objections",
    "record_dose_given_anyway",
    "record_viability",
    "thaw_vial",
    "transfer",
]
