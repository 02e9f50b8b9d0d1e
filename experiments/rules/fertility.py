"""The arithmetic of a fertility trial, and the endpoints that follow from one female's record.

A female that was not mated is not infertile: she has no pregnancy, no fecundity, no litter. A mated female that was not
pregnant counts 0 for fecundity and has no litter size. What was not recorded is None and gives None, never 0.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from experiments.rules.quantities import Finding, RuleError, as_decimal, count, positive

COUNTS = ("corpora_lutea", "implantations", "live", "dead", "resorbed", "males", "females", "total_born")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One female in one trial; None is not recorded. Counts are animals or sites, pup weights grams at birth.

    `mated`: she was with a male and mating was seen or a plug found, as the protocol says. Raises RuleError for a count
    that is not a whole number, a weight that is not above 0.
    """

    mated: bool | None = None
    plug: bool | None = None
    pregnant: bool | None = None
    corpora_lutea: int | None = None
    implantations: int | None = None
    live: int | None = None
    dead: int | None = None
    resorbed: int | None = None
    males: int | None = None
    females: int | None = None
    total_born: int | None = None
    paired_on: dt.date | None = None
    littered_on: dt.date | None = None
    pup_weights_g: tuple[Decimal, ...] = ()

    def __post_init__(self) -> None:
        for name in COUNTS:
            if getattr(self, name) is not None:
                count(_words(name).capitalize(), getattr(self, name))
        for place, weight in enumerate(self.pup_weights_g, 1):
            positive(f"The weight of pup {place} in g", weight)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """What is published of a trial; None is missing. Losses are percentages, times whole days.

    `pregnancy` is 0 or 1 of a mated female. `fecundity` is pups born a mated female, 0 where she was not pregnant;
    `litter_size` is pups born of a female that was pregnant. Pre-implantation loss is 100 · (corpora lutea -
    implantations) / corpora lutea, post-implantation loss 100 · (implantations - live) / implantations (OECD TG 414).
    `time_to_litter_days` runs from pairing to littering.
    """

    pregnancy: int | None
    fecundity: int | None
    litter_size: int | None
    implantations: int | None
    live: int | None
    preimplantation_loss_percent: Decimal | None
    postimplantation_loss_percent: Decimal | None
    time_to_litter_days: int | None
    mean_pup_weight_g: Decimal | None
    males_percent: Decimal | None


def broken_rules(trial: Trial) -> list[Finding]:
    """Every rule that the record breaks, with its numbers. A rule whose numbers are not all recorded is checked as far
    as those that are known can break it: live fetuses alone may already outnumber the implantations.
    """
    sites = _known(trial, ("live", "dead", "resorbed"))
    rules = [
        _at_most("implantations_over_corpora_lutea", _known(trial, ("implantations",)), trial, "corpora_lutea"),
        _at_most("fates_over_implantations", sites, trial, "implantations"),
        _sexes(trial),
        *_mating(trial),
        *_outcome(trial),
    ]
    return [finding for finding in rules if finding]


def endpoints(trial: Trial) -> Endpoints:
    """The values to publish. Raises RuleError with every rule that the record breaks."""
    if broken := broken_rules(trial):
        raise RuleError(" ".join(finding.message for finding in broken))
    pregnant, mated, born = _is_pregnant(trial), _was_mated(trial), _born(trial)
    days = (trial.littered_on - trial.paired_on).days if trial.littered_on and trial.paired_on else None
    return Endpoints(
        pregnancy=None if pregnant is None or not mated else int(pregnant),
        fecundity=_fecundity(mated, pregnant, born),
        litter_size=born if pregnant else None,
        implantations=trial.implantations if pregnant else None,
        live=trial.live if pregnant else None,
        preimplantation_loss_percent=_loss_percent(trial.corpora_lutea, trial.implantations) if pregnant else None,
        postimplantation_loss_percent=_loss_percent(trial.implantations, trial.live) if pregnant else None,
        time_to_litter_days=days,
        mean_pup_weight_g=_mean(trial.pup_weights_g),
        males_percent=_percent(trial.males, trial.males, trial.females),
    )


def _fecundity(mated: bool | None, pregnant: bool | None, born: int | None) -> int | None:
    if not mated or pregnant is None:
        return None
    return born if pregnant else 0


def _is_pregnant(trial: Trial) -> bool | None:
    """As recorded, or told by a litter, an implantation or a fetus; a mated female is not taken for pregnant or not."""
    signs = (trial.implantations, trial.live, trial.dead, trial.resorbed, trial.total_born, trial.males, trial.females)
    if trial.pregnant is None and (trial.littered_on or any(signs)):
        return True
    return trial.pregnant


def _was_mated(trial: Trial) -> bool | None:
    """As recorded, or told by a plug or a pregnancy."""
    if trial.mated is None and (trial.plug or _is_pregnant(trial)):
        return True
    return trial.mated


def _born(trial: Trial) -> int | None:
    """Pups born: the total, else males + females; live + dead where she littered and only these were counted."""
    if trial.total_born is not None:
        return trial.total_born
    if trial.males is not None and trial.females is not None:
        return trial.males + trial.females
    if trial.littered_on and trial.live is not None and trial.dead is not None:
        return trial.live + trial.dead
    return None


def _loss_percent(before: int | None, after: int | None) -> Decimal | None:
    return as_decimal(Fraction(100 * (before - after), before)) if before and after is not None else None


def _percent(part: int | None, *all_parts: int | None) -> Decimal | None:
    known = [each for each in all_parts if each is not None]
    if part is None or len(known) < len(all_parts) or not sum(known):
        return None
    return as_decimal(Fraction(100 * part, sum(known)))


def _mean(weights: Sequence[Decimal]) -> Decimal | None:
    return as_decimal(sum(map(Fraction, weights), Fraction(0)) / len(weights)) if weights else None


def _known(trial: Trial, names: Sequence[str]) -> dict[str, int]:
    return {name: getattr(trial, name) for name in names if getattr(trial, name) is not None}


def _at_most(code: str, parts: dict[str, int], trial: Trial, whole: str) -> Finding | None:
    most = getattr(trial, whole)
    if most is None or sum(parts.values()) <= most:
        return None
    told = " + ".join(f"{_words(name)} {n}" for name, n in parts.items())
    total = f" = {sum(parts.values())}" if len(parts) > 1 else ""
    return Finding(code, f"{told.capitalize()}{total} is more than {_words(whole)} {most}.")


def _sexes(trial: Trial) -> Finding | None:
    """Males + females are all that were born; one sex alone may not outnumber them."""
    parts, total = _known(trial, ("males", "females")), trial.total_born
    if total is None or sum(parts.values()) == total or (len(parts) < 2 and sum(parts.values()) < total):
        return None
    told = " + ".join(f"{name} {n}" for name, n in parts.items())
    return Finding("sexes_not_total", f"{told.capitalize()} = {sum(parts.values())}, but total born is {total}.")


def _mating(trial: Trial) -> list[Finding | None]:
    unmated = trial.mated is False
    return [
        Finding("plug_unmated", "A plug was found, but she is recorded as not mated.")
        if unmated and trial.plug
        else None,
        Finding("pregnant_unmated", "She was pregnant, but is recorded as not mated.")
        if unmated and _is_pregnant(trial)
        else None,
    ]


def _outcome(trial: Trial) -> list[Finding | None]:
    found: list[Finding | None] = []
    signs = _known(trial, ("implantations", "live", "dead", "resorbed", "total_born", "males", "females"))
    told = ", ".join(f"{_words(name)} {n}" for name, n in signs.items() if n)
    if trial.littered_on:
        told = ", ".join(part for part in (f"littered on {trial.littered_on}", told) if part)
    if trial.pregnant is False and told:
        found.append(Finding("not_pregnant_but_signs", f"She is recorded as not pregnant, but: {told}."))
    if trial.littered_on and trial.paired_on and trial.littered_on <= trial.paired_on:
        dates = f"Littered on {trial.littered_on}, paired on {trial.paired_on}; expected the litter later."
        found.append(Finding("litter_before_pairing", dates))
    born, weighed = _born(trial), len(trial.pup_weights_g)
    if born is not None and weighed > born:
        found.append(Finding("more_weights_than_pups", f"{weighed} pup weights, but {born} pups born."))
    return found


def _words(name: str) -> str:
    return name.replace("_", " ")
