"""The simulated study: 72 mice in six arms. Effects are calibrated on published POI experiments.

Sizes (POI against normal, product against vehicle) follow the ranges that Front Endocrinol 2023;14:1165574 prints:
E2 -44 %, AMH x 0.6, follicles -84 %, body weight -5 % in the first week; UC-MSC against POI g = 1.55 in E2.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np

SEED = 20260301
DAY_0 = date(2026, 3, 2)
BORN_ON = DAY_0 - timedelta(days=49)
WEIGHING_DAYS = (0, 2, 4, 7, 10, 14, 21, 28)
E2_DAY = FOLLICLE_DAY = 28
AMH_DAY = 14
CLASSES = ("primordial", "primary", "secondary", "antral", "atretic")
EVERY_NTH, SECTIONS = 5, 6
LITTER_ICC = 0.37  # share of the variance of body weight between litters


@dataclass(frozen=True)
class Arm:
    """An arm with its true effects, as factors on the normal animal."""

    label: str
    kind: str
    description: str
    reference: str | None
    e2: float
    amh: float
    follicles: float
    is_induced: bool = True


VEHICLE_IV, VEHICLE_OVARY = "POI + PBS IV", "POI + PBS ovary"
INDUCTION = "CTX 120 mg/kg + Bu 12 mg/kg IP on day 0; "
ARMS = (
    Arm("Normal", "normal_control", "vehicle IP on day 0", VEHICLE_IV, 1, 1, 1, is_induced=False),
    Arm(VEHICLE_IV, "vehicle", INDUCTION + "PBS 100 µL IV on day 7", None, 0.56, 0.6, 0.16),
    Arm("POI + UC-MSC IV", "product", INDUCTION + "1×10⁶ UC-MSC IV on day 7", VEHICLE_IV, 0.94, 0.6, 0.45),
    Arm(VEHICLE_OVARY, "vehicle", INDUCTION + "PBS 5 µL an ovary on day 7", VEHICLE_IV, 0.56, 0.6, 0.16),
    Arm(
        "POI + UC-MSC ovary", "product", INDUCTION + "1×10⁵ UC-MSC intraovarian on day 7", VEHICLE_OVARY, 0.88, 0.6, 0.5
    ),
    Arm("POI + EV IV", "product", INDUCTION + "UC-MSC-derived EV IV on day 7", VEHICLE_IV, 0.8, 0.6, 0.35),
)

NORMAL_E2_PG_PER_ML, E2_LOG_SD = 38.0, 0.34
NORMAL_AMH_NG_PER_ML, AMH_LOG_SD = 32.0, 0.28
NORMAL_FOLLICLES = {"primordial": 22.0, "primary": 9.0, "secondary": 6.0, "antral": 3.5, "atretic": 2.0}  # a section
INDUCTION_FAILURES = {"vehicle": 1, "product": 2}  # an arm: 8 of 60 induced animals, 13 %


@dataclass
class Mouse:
    """One simulated mouse and its true values; None where it was dead."""

    lab_id: str
    arm: Arm
    litter: str
    dam: str
    cage: str
    has_failed_induction: bool = False
    weights_g: dict[int, float | None] = field(default_factory=dict)
    e2_pg_per_ml: float | None = None
    amh_ng_per_ml: float | None = None
    tally: list[tuple[str, int, str, int]] = field(default_factory=list)  # side, section, class, count
    died_on_day: int | None = None


def simulate(seed: int = SEED) -> list[Mouse]:
    """The 72 mice, in the order of their ids. The same seed gives the same mice."""
    rng = np.random.default_rng(seed)
    mice = _enrol(rng)
    litter_weight = dict(zip(sorted({m.litter for m in mice}), rng.normal(0, np.sqrt(LITTER_ICC), 24), strict=True))
    for mouse in mice:
        _weigh(mouse, litter_weight[mouse.litter], rng)
        _bleed(mouse, rng)
        _count(mouse, rng)
    _let_die(next(m for m in mice if m.arm.label == VEHICLE_OVARY and not m.has_failed_induction))
    return mice


def _enrol(rng: np.random.Generator) -> list[Mouse]:
    """24 litters of three, 18 mixed cages of four; a litter is spread over arms and a cage holds several arms."""
    arms = [ARMS[index] for block in range(12) for index in rng.permutation(6)]
    cages = rng.permutation(np.repeat(np.arange(1, 19), 4))
    mice = []
    for number, (arm, cage) in enumerate(zip(arms, cages, strict=True)):
        litter = number // 3 + 1
        mice.append(Mouse(f"D-{number + 1:03}", arm, f"L{litter:02}", f"dam {litter:02}", f"C{cage:02}"))
    for arm in ARMS:
        _fail_induction([m for m in mice if m.arm == arm], INDUCTION_FAILURES.get(arm.kind, 0), rng)
    return mice


def _fail_induction(mice: list[Mouse], times: int, rng: np.random.Generator) -> None:
    for index in rng.choice(len(mice), times, replace=False):
        mice[index].has_failed_induction = True


def _weigh(mouse: Mouse, litter: float, rng: np.random.Generator) -> None:
    baseline = 18.2 + 1.1 * (litter + rng.normal(0, np.sqrt(1 - LITTER_ICC)))
    is_ill = mouse.arm.is_induced and not mouse.has_failed_induction
    for day in WEIGHING_DAYS:
        growth = 1 + 0.0045 * day
        loss = 0.06 * np.exp(-((day - 6) ** 2) / 30) if is_ill else 0.0
        mouse.weights_g[day] = round(float(baseline * (growth - loss) + rng.normal(0, 0.15)), 1)


def _bleed(mouse: Mouse, rng: np.random.Generator) -> None:
    effect = ARMS[0] if mouse.has_failed_induction else mouse.arm
    mouse.e2_pg_per_ml = float(NORMAL_E2_PG_PER_ML * effect.e2 * np.exp(rng.normal(0, E2_LOG_SD)))
    mouse.amh_ng_per_ml = float(NORMAL_AMH_NG_PER_ML * effect.amh * np.exp(rng.normal(0, AMH_LOG_SD)))


def _count(mouse: Mouse, rng: np.random.Generator) -> None:
    effect = ARMS[0] if mouse.has_failed_induction else mouse.arm
    reserve = rng.lognormal(0, 0.3)
    for side in ("L", "R"):
        for section in range(1, SECTIONS + 1):
            for name in CLASSES:
                factor = 1.0 if name == "atretic" else effect.follicles
                mean = NORMAL_FOLLICLES[name] * factor * reserve
                mouse.tally.append((side, section, name, int(rng.poisson(mean))))


def _let_die(mouse: Mouse) -> None:
    """One animal reaches its humane endpoint on day 10: its weight fell by a quarter, and nothing follows."""
    baseline = mouse.weights_g[0]
    assert baseline is not None
    mouse.died_on_day = 10
    mouse.weights_g |= {7: round(baseline * 0.82, 1), 10: round(baseline * 0.76, 1)}
    mouse.weights_g |= dict.fromkeys((day for day in WEIGHING_DAYS if day > 10), None)
    mouse.e2_pg_per_ml = mouse.amh_ng_per_ml = None
    mouse.tally = []
