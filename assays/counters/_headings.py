"""What a heading means, whichever counter printed it: `Total (x10^6) cells/mL`, `TOTAL (cells/ml)`, `Avg. diam.`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

NUMBERS = (
    "total_cells_per_ml", "viable_cells_per_ml", "dead_cells_per_ml", "viability_percent", "total_cells",
    "viable_cells", "diameter_um", "dilution", "utc_offset_hours",
)  # fmt: skip
COUNTED = frozenset({"total_cells_per_ml", "viable_cells_per_ml", "viability_percent"})
COUNTS = COUNTED | {"total_cells", "viable_cells"}

_PLAIN: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "name": ("sample id", "sample name", "sample", "sample identifier", "image", "name"),
    "counted_at": (
        "sample date/time", "analysis date/time", "analysis date", "rundate", "run date", "date time", "date/time",
        "time utc", "date", "sample date", "measured at", "acquisition date", "measurement date",
    ),
    "clock": ("time",),
    "operator": ("operator", "analysis by", "analyst", "user", "user name", "login id"),
    "comment": ("comment", "comments", "note", "notes", "tag", "tags"),
    "viability_percent": (
        "viability %", "viability", "% viability", "viability percent", "cell viability %", "viable %", "% viable",
        "% live", "live %", "average viability %",
    ),
    "total_cells": ("total cells", "cell count", "total cell count", "total count", "cells counted", "total cells counted"),
    "viable_cells": ("viable cells", "viable cell count", "viable count", "live cells", "live cell count", "live count"),
    "dilution": ("dilution", "dilution factor", "multiplication factor", "df"),
    "utc_offset_hours": ("time zone offset", "utc offset"),
})  # fmt: skip
_BY_NAME = {name: (field, rank) for field, names in _PLAIN.items() for rank, name in enumerate(names)}
_PER_VOLUME = re.compile(r"(/|\bper )\s*([mu]l)\b")
_POWER = re.compile(r"(?:\bx\s*)?10\s*(?:\^|\*\*|e)?\s*\+?([0-9]{1,2})\b|\b1e\+?([0-9]{1,2})\b")
_AVERAGE = r"(?:(?:avg\.?|average|mean|estimated) )?(?:cell )?"
_DIAMETER = re.compile(_AVERAGE + r"(?:(?:diam\.?|diameter)(?: (?:um|microns?|micrometers?))?|size (?:um|microns?))")
_SPELLING = str.maketrans(
    {"µ": "u", "μ": "u", "×": "x", "⁶": "^6", "⁵": "^5", "³": "^3", **dict.fromkeys("()[]{}", " ")}
)


@dataclass(frozen=True, slots=True)
class Heading:
    """`field` is a field of the sample, `scale` what its number is multiplied by; of two, the lower `rank` holds.

    `scale` is a bare power of ten, so that a product keeps the digits that were printed and no more.
    """

    field: str
    scale: Decimal = Decimal(1)
    rank: int = 0


def plain(text: str) -> str:
    """Without case, brackets, doubled blanks and a closing colon; `µ` is `u`, `×` is `x`."""
    words = " ".join(text.casefold().translate(_SPELLING).replace("_", " ").split())
    return re.sub(r"\s*/\s*", "/", words).rstrip(" :")


def meaning(text: str) -> Heading | None:
    """What stands under this heading; None for one that has no field."""
    words = plain(text)
    if words in _BY_NAME:
        field, rank = _BY_NAME[words]
        return Heading(field, rank=rank)
    volume = _PER_VOLUME.search(words)
    if volume:
        return _concentration(words.replace(volume[0], " "), Decimal("1E3" if volume[2] == "ul" else 1))
    return Heading("diameter_um") if _DIAMETER.fullmatch(words) else None


def _concentration(words: str, scale: Decimal) -> Heading | None:
    power = _POWER.search(words)
    if power:
        scale *= Decimal(f"1E{int(power[1] or power[2])}")
        words = words.replace(power[0], " ")
    elif re.search(r"\bmillions?\b", words):
        scale *= Decimal("1E6")
    left = set(re.findall(r"[a-z-]+", words)) - {"x", "of", "million", "millions", "concentration", "conc", "density"}
    left -= {"cell", "cells", "count", "number"}
    fields = {
        frozenset({"total"}): "total_cells_per_ml", frozenset(): "total_cells_per_ml", frozenset({"tcd"}): "total_cells_per_ml",
        frozenset({"total", "viable"}): "viable_cells_per_ml", frozenset({"viable"}): "viable_cells_per_ml",
        frozenset({"live"}): "viable_cells_per_ml", frozenset({"total", "live"}): "viable_cells_per_ml",
        frozenset({"vcd"}): "viable_cells_per_ml", frozenset({"dead"}): "dead_cells_per_ml",
        frozenset({"nonviable"}): "dead_cells_per_ml", frozenset({"non-viable"}): "dead_cells_per_ml",
    }  # fmt: skip
    field = fields.get(frozenset(left))
    return Heading(field, scale) if field else None
