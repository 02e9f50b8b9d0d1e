"""Conversion between units by exact factors, and between mass and molar concentration by analyte. PURE.

Units of one quantity convert into each other; units of different ones never do. International units measure biological
activity against a reference preparation, so mIU/mL never becomes ng/mL.
"""

import re
from collections.abc import Mapping
from decimal import Context, Decimal
from types import MappingProxyType
from typing import NamedTuple


def _powers(noun: str) -> dict[str, Decimal]:
    """`noun` alone and in powers of ten from 10^3 to 10^12."""
    return {noun: Decimal(1)} | {f"10^{power} {noun}": Decimal(10) ** power for power in range(3, 13)}


MASS, MOLAR = "mass concentration", "molar concentration"
FACTORS: Mapping[str, Mapping[str, Decimal]] = MappingProxyType({
    "mass": {
        "kg": Decimal(1000), "g": Decimal(1), "mg": Decimal("1e-3"), "µg": Decimal("1e-6"), "ng": Decimal("1e-9"),
        "pg": Decimal("1e-12"),
    },
    MASS: {
        "g/L": Decimal("1e6"), "mg/mL": Decimal("1e6"), "µg/mL": Decimal("1e3"), "mg/L": Decimal("1e3"),
        "µg/dL": Decimal(10), "ng/mL": Decimal(1), "µg/L": Decimal(1), "ng/dL": Decimal("1e-2"),
        "pg/mL": Decimal("1e-3"), "ng/L": Decimal("1e-3"),
    },
    MOLAR: {
        "mmol/L": Decimal("1e9"), "µmol/L": Decimal("1e6"), "nmol/L": Decimal("1e3"), "pmol/L": Decimal(1),
        "pmol/mL": Decimal("1e3"), "fmol/mL": Decimal(1),
    },
    "activity": {"IU": Decimal(1), "mIU": Decimal("1e-3"), "µIU": Decimal("1e-6")},
    "activity concentration": {
        "IU/mL": Decimal("1e3"), "IU/L": Decimal(1), "mIU/mL": Decimal(1), "mIU/L": Decimal("1e-3"),
        "µIU/mL": Decimal("1e-3"),
    },
    "enzyme activity": {"U/L": Decimal(1), "U/mL": Decimal(1000)},
    "endotoxin": {"EU": Decimal(1)},
    "endotoxin concentration": {"EU/mL": Decimal(1), "EU/L": Decimal("1e-3")},
    "endotoxin per body weight": {"EU/kg": Decimal(1)},
    "volume": {
        "L": Decimal(1000), "dL": Decimal(100), "mL": Decimal(1), "µL": Decimal("1e-3"), "nL": Decimal("1e-6"),
    },
    "cells": _powers("cells"),
    "cell concentration": _powers("cells/mL") | {"cells/µL": Decimal(1000), "cells/L": Decimal("1e-3")},
    "cells per body weight": _powers("cells/kg"),
    "cells per area": _powers("cells/cm²"),
    "particles": _powers("particles"),
    "particle concentration": _powers("particles/mL") | {"particles/µL": Decimal(1000), "particles/L": Decimal("1e-3")},
    "particles per body weight": _powers("particles/kg"),
    "mass per mass": {
        "mg/g": Decimal(1000), "g/kg": Decimal(1000), "mg/kg": Decimal(1), "µg/g": Decimal(1), "pg/µg": Decimal(1),
        "µg/kg": Decimal("1e-3"), "ng/g": Decimal("1e-3"), "pg/mg": Decimal("1e-3"),
    },
    "volume per body weight": {"mL/kg": Decimal(1), "µL/g": Decimal(1), "µL/kg": Decimal("1e-3")},
    "activity per body weight": {"IU/kg": Decimal(1)},
    "radiation dose": {"Gy": Decimal(1), "cGy": Decimal("1e-2"), "mGy": Decimal("1e-3")},
    "share": {"%": Decimal(1)},
    "time": {
        "weeks": Decimal(10080), "days": Decimal(1440), "h": Decimal(60), "min": Decimal(1),
    },
    "length": {
        "m": Decimal("1e6"), "cm": Decimal("1e4"), "mm": Decimal("1e3"), "µm": Decimal(1), "nm": Decimal("1e-3"),
    },
    "density in an area": {"/mm²": Decimal(1), "/cm²": Decimal("1e-2")},
})  # fmt: skip

PMOL_PER_NG: Mapping[str, Decimal] = MappingProxyType({
    "e2": Decimal("3671"),
    "progesterone": Decimal("3180"),
    "testosterone": Decimal("3467"),
    "amh": Decimal("7.14"),
})  # fmt: skip
"""What 1 ng/mL of an analyte is in pmol/L, by the key of its endpoint.

These are the conventional factors of clinical chemistry, the reciprocals of the molar masses: estradiol 272.38 g/mol
(pg/mL × 3.671 = pmol/L), progesterone 314.46 g/mol (ng/mL × 3.18 = nmol/L), testosterone 288.42 g/mol
(ng/mL × 3.467 = nmol/L), AMH as the dimer of 140 kDa (ng/mL × 7.14 = pmol/L). They are exact by convention.
"""

SPELLINGS = {
    "d": "days", "day": "days", "week": "weeks", "wk": "weeks", "hour": "h", "hours": "h", "hr": "h", "minutes": "min",
    "percent": "%", "cell": "cells", "particle": "particles", "cells/cm2": "cells/cm²", "/mm2": "/mm²",
    "/cm2": "/cm²", "per mm2": "/mm²", "gray": "Gy", "grays": "Gy", "micron": "µm", "microns": "µm",
    "mcg": "µg", "mcL": "µL", "ppm": "µg/g", "pM": "pmol/L", "nM": "nmol/L", "µM": "µmol/L", "mM": "mmol/L",
}  # fmt: skip
_POWER = re.compile(r"[x×*]?\s*(?:10\^?([0-9⁰¹²³⁴-⁹]{1,2})|1[eE]\+?([0-9]{1,2})|(million)|(billion))[\s*×]+(?=[a-z])")
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_ROUNDING = Context(prec=34)
_EXACT = Context(prec=100)


class UnitError(ValueError):
    """Two units that cannot be converted into each other."""


class Ratio(NamedTuple):
    """A number is converted by times ``over`` divided by ``under``, which is 1 where that can be written exactly."""

    over: Decimal
    under: Decimal = Decimal(1)

    @property
    def is_one(self) -> bool:
        return self.over == self.under


def spelled(unit: str) -> str:
    """The one spelling of ``unit``: both micro signs, ``ug``, ``ng/ml``, ``x10⁶ cells``, ``day`` are taken as meant."""
    unit = re.sub(r"\s*/\s*", "/", " ".join(unit.replace("μ", "µ").replace("/ML", "/mL").split()))
    unit = _POWER.sub(_power, unit)
    unit = re.sub(r"(?<![A-Za-z])u(?=(?:[gLlmM]|mol|IU)\b)", "µ", unit)
    unit = re.sub(r"(?<![A-Za-zµ])([mµnd]?)l\b", r"\1L", unit)
    return SPELLINGS.get(unit, unit)


def _power(match: re.Match[str]) -> str:
    digits = (match[1] or match[2] or {"million": "6", "billion": "9"}[match[3] or match[4]]).translate(_SUPERSCRIPTS)
    return f"10^{int(digits)} "


def quantity(unit: str) -> str | None:
    """The quantity that ``unit`` measures, e.g. ``volume``; None for a unit that is not known."""
    unit = spelled(unit)
    return next((name for name, units in FACTORS.items() if unit in units), None)


def ratio(unit: str, canonical: str, analyte: str | None = None) -> Ratio:
    """How a number in ``unit`` of ``analyte`` (the key of an endpoint) is converted to ``canonical``.

    Raises:
        UnitError: they are not units of the same quantity, and no molar factor of the analyte joins them.
    """
    unit, canonical = spelled(unit), spelled(canonical)
    if unit == canonical:
        return Ratio(Decimal(1))
    here, there = quantity(unit), quantity(canonical)
    if here is None or there is None:
        raise _refused(unit, canonical, analyte)
    over, under = FACTORS[here][unit], FACTORS[there][canonical]
    if here == there:
        return _reduced(over, under)
    molar = PMOL_PER_NG.get(analyte or "")
    if molar is None or {here, there} != {MASS, MOLAR}:
        raise _refused(unit, canonical, analyte)
    return _reduced(over * molar, under) if here == MASS else _reduced(over, under * molar)


def _reduced(over: Decimal, under: Decimal) -> Ratio:
    """With ``under`` 1 where the quotient is a finite decimal number."""
    quotient = over / under
    return Ratio(quotient) if _EXACT.multiply(quotient, under) == over else Ratio(over, under)


def factor(unit: str, canonical: str, analyte: str | None = None) -> Decimal:
    """By what a number in ``unit`` is multiplied to stand in ``canonical``; 28 digits where it has no end.

    Raises:
        UnitError: see `ratio`.
    """
    over, under = ratio(unit, canonical, analyte)
    return over / under


def convert(number: Decimal, by: Ratio) -> Decimal:
    """``number`` converted: every digit kept, except that a quotient without end is rounded to 34 digits."""
    if by.under == 1:
        return _EXACT.multiply(number, by.over)
    return _ROUNDING.divide(_EXACT.multiply(number, by.over), by.under)


def _refused(unit: str, canonical: str, analyte: str | None) -> UnitError:
    units = next((units for units in FACTORS.values() if canonical in units), {})
    known = {canonical, *units}
    if analyte in PMOL_PER_NG:
        known |= {u for name in (MASS, MOLAR) if quantity(canonical) in (MASS, MOLAR) for u in FACTORS[name]}
    expected = ", ".join(sorted(known - {""})) or "no unit"
    without = {quantity(unit), quantity(canonical)} == {MASS, MOLAR}
    why = f" No molar mass of “{analyte or 'this endpoint'}” is known to the program." if without else ""
    target = canonical or "a number without unit"
    return UnitError(f"“{unit}” cannot be converted to {target}; expected {expected}.{why}")
