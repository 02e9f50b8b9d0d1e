"""Conversion between units by exact factors. PURE."""

from decimal import Decimal

FACTORS: dict[str, dict[str, Decimal]] = {
    "mass": {"kg": Decimal(1000), "g": Decimal(1), "mg": Decimal("0.001"), "µg": Decimal("0.000001")},
    "concentration": {
        "mg/mL": Decimal("1e6"),
        "µg/mL": Decimal("1e3"),
        "mg/L": Decimal("1e3"),
        "ng/mL": Decimal(1),
        "µg/L": Decimal(1),
        "pg/mL": Decimal("0.001"),
        "ng/L": Decimal("0.001"),
    },
}
SPELLINGS = {"ug": "µg", "μg": "µg", "ug/mL": "µg/mL", "μg/mL": "µg/mL", "ug/L": "µg/L", "μg/L": "µg/L"}


class UnitError(ValueError):
    """Two units that cannot be converted into each other."""


def spelled(unit: str) -> str:
    """The one spelling of ``unit`` (``ug`` and the two micro signs are the same; ``ng/ml`` is ``ng/mL``)."""
    unit = unit.strip()
    unit = unit[:-3] + "/mL" if unit.lower().endswith("/ml") else unit
    unit = unit[:-2] + "/L" if unit.endswith("/l") else unit
    return SPELLINGS.get(unit, unit)


def factor(unit: str, canonical: str) -> Decimal:
    """By what a number in ``unit`` is multiplied to stand in ``canonical``.

    Raises:
        UnitError: they are not units of the same quantity.
    """
    unit, canonical = spelled(unit), spelled(canonical)
    if unit == canonical:
        return Decimal(1)
    for units in FACTORS.values():
        if unit in units and canonical in units:
            return units[unit] / units[canonical]
    known = sorted({canonical, *(u for units in FACTORS.values() if canonical in units for u in units)})
    raise UnitError(
        f"“{unit}” cannot be converted to {canonical or 'a number without unit'}; expected {', '.join(known)}."
    )
