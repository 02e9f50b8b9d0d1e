"""The words every statistic speaks: `Estimate`, `Method`, `Kind`, `Scale`, `Refusal`. Standard library only."""

import math
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

NUMBER_FIELDS = ("estimate", "lower", "upper", "level", "statistic", "df1", "df2", "p_value")


class Kind(StrEnum):
    """What a statistic is computed from; the runner needs to know nothing else about it."""

    PER_ARM = "per_arm"
    ACROSS_ARMS = "across_arms"
    VERSUS_REFERENCE = "versus_reference"


class Scale(StrEnum):
    """The scale on which an endpoint is compared: as it is, log(x) for x > 0, or log(x + 1) for counts x >= 0."""

    IDENTITY = "identity"
    LOG = "log"
    COUNT = "count"


class Refusal(Exception):
    """A statistic declines to give a number; the message is the named reason that a reader sees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """One number of a summary with everything a reviewer asks about it; nothing in it is rounded.

    `estimate`, `lower` and `upper` are in the endpoint's unit unless the quantity is a ratio, a count or a
    standardised effect. A test carries `statistic`, `df1`, `df2` (None where it has none) and `p_value`. `n` gives
    the quantified experimental units by arm. `refused` is the named reason when there is no number; `warnings` say
    what the reader must know beside the number, among them why a number stands without its interval.

    Raises ValueError for NaN or an infinity in any field, and for a refusal that carries a number.
    """

    quantity: str
    method_key: str
    method_version: str
    method: str
    reference: str
    scale: Scale
    arm: str | None = None
    reference_arm: str | None = None
    estimate: float | None = None
    lower: float | None = None
    upper: float | None = None
    level: float | None = None
    statistic: float | None = None
    df1: float | None = None
    df2: float | None = None
    p_value: float | None = None
    n: tuple[tuple[str, int], ...] = ()
    warnings: tuple[str, ...] = ()
    refused: str | None = None

    def __post_init__(self) -> None:
        for name in NUMBER_FIELDS:
            value = getattr(self, name)
            if value is not None and not math.isfinite(value):
                raise ValueError(
                    f"{self.method_key}/{self.quantity}: {name} is {value}, expected a finite number or None"
                )
        if (self.refused is None) == (self.estimate is None and self.statistic is None):
            raise ValueError(f"{self.method_key}/{self.quantity}: expected either a number or a reason for refusing it")

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready fields: `n` becomes {arm: n}, `warnings` a list; floats keep every digit."""
        return asdict(self) | {"scale": self.scale.value, "n": dict(self.n), "warnings": list(self.warnings)}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "Estimate":
        """The inverse of `as_dict`, for stored summaries."""
        n, warnings = tuple(fields["n"].items()), tuple(fields["warnings"])
        return cls(**fields | {"scale": Scale(fields["scale"]), "n": n, "warnings": warnings})


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """How a statistic names itself. `version` enters the digest of a summary: raise it whenever a number can change.

    `quantities` are all the quantity keys that its `compute` may give; a refusal is given once for each of them.
    `reference` is the paper and page of the formula.
    """

    key: str
    version: str
    kind: Kind
    name: str
    reference: str
    quantities: tuple[str, ...]

    def estimate(self, quantity: str, scale: Scale, **fields: Any) -> Estimate:
        """An `Estimate` of this method. Raises Refusal where a number left the range of double precision."""
        if quantity not in self.quantities:
            raise ValueError(f"{self.key}: quantity {quantity!r} is not among the declared ones {self.quantities}")
        for name in NUMBER_FIELDS:
            if fields.get(name) is not None and not math.isfinite(fields[name]):
                raise Refusal(f"{quantity}: {name} is outside the range of double precision")
        if fields.get("p_value") == 0:
            fields["warnings"] = (
                *fields.get("warnings", ()),
                "p value below the smallest double-precision number, 5e-324",
            )
        return Estimate(quantity=quantity, scale=scale, **self._names(), **fields)

    def refuse(self, quantity: str, scale: Scale, reason: str, **fields: Any) -> Estimate:
        """An `Estimate` without a number, for the reason given."""
        return Estimate(quantity=quantity, scale=scale, refused=reason, **self._names(), **fields)

    def _names(self) -> dict[str, Any]:
        return {
            "method_key": self.key,
            "method_version": self.version,
            "method": self.name,
            "reference": self.reference,
        }
