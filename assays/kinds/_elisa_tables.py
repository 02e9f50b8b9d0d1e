"""Parameters and results of a plate assay that reads concentrations from a standard curve."""

from dataclasses import dataclass
from decimal import Decimal

from assays.curves import MODELS, WEIGHTINGS, FittedCurve
from assays.kinds._problems import ParameterError, Problem

BLANKS = ("subtract_mean", "none")
SCOPES = ("run", "plate")


@dataclass(frozen=True, slots=True)
class Parameters:
    """How an ELISA is evaluated.

    `wavelength_nm` None takes the only wavelength of a plate; `reference_wavelength_nm` is subtracted well by well;
    `use_reduced` takes what the reader's software reduced instead. `blank` "subtract_mean" subtracts each plate's mean
    of its blanks. `curve_scope` "run" fits one curve to the standards of all plates, "plate" one a plate.
    `masked_in_fit` lets wells that the reader's software masked enter the fit, as SoftMax Pro files show it did.
    `replicates_across_plates` joins wells of one sample name on several plates. `unit` is used where the layout
    carries none. Raises ParameterError.
    """

    curve_model: str = "four_pl"
    weighting: str = "1"
    blank: str = "subtract_mean"
    wavelength_nm: Decimal | None = None
    reference_wavelength_nm: Decimal | None = None
    use_reduced: bool = False
    curve_scope: str = "run"
    standard_group: str | None = None
    max_replicate_cv_percent: Decimal = Decimal(20)
    masked_in_fit: bool = False
    replicates_across_plates: bool = False
    unit: str | None = None

    def __post_init__(self) -> None:
        problems = [
            Problem(f"unknown {name}", value=str(getattr(self, name)), expected=" or ".join(accepted))
            for name, accepted in (
                ("curve_model", tuple(MODELS)), ("weighting", WEIGHTINGS), ("blank", BLANKS), ("curve_scope", SCOPES),
            )
            if getattr(self, name) not in accepted
        ]  # fmt: skip
        if not Decimal(0) < self.max_replicate_cv_percent <= Decimal(1000):
            found, expected = str(self.max_replicate_cv_percent), "above 0, at most 1000"
            problems.append(Problem("impossible max_replicate_cv_percent", value=found, expected=expected))
        if self.use_reduced and (self.wavelength_nm is not None or self.reference_wavelength_nm is not None):
            expected = "use_reduced or wavelengths, not both"
            problems.append(Problem("reduced values have no wavelength", expected=expected))
        if self.reference_wavelength_nm is not None and self.reference_wavelength_nm == self.wavelength_nm:
            problems.append(Problem("the reference wavelength equals the measured one", value=str(self.wavelength_nm)))
        if problems:
            raise ParameterError(problems)


@dataclass(frozen=True, slots=True)
class CurveResult:
    """One standard curve. `plate` None: all plates. Limits are its lowest non-zero and highest standard, in `unit`."""

    plate: str | None
    fitted: FittedCurve
    lower_limit: float | None
    upper_limit: float | None
    unit: str | None


@dataclass(frozen=True, slots=True)
class WellResult:
    """One well of the layout.

    `raw` is the measured channel as printed, `response` what remains after reference and blank. `concentration` is
    what the curve gives in the well, before dilution, even outside the limits; `qualifier` says then which side.
    `used` tells whether the well entered the curve (standards) or a mean (others).
    """

    plate: str
    well: str
    role: str
    sample: str
    group: str | None
    raw: Decimal | None
    response: float | None
    concentration: float | None
    standard_error: float | None
    qualifier: str | None
    nominal: Decimal | None
    recovery_percent: float | None
    dilution_factor: Decimal
    used: bool
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SampleResult:
    """One sample or control at one dilution.

    `concentration` (qualifier "="), or `limit` with qualifier "<" or ">", both in `unit` and times `dilution_factor`;
    neither where nothing can be said, and the flags say why. `sd` and `cv_percent` are over the wells' concentrations,
    `sd` times the dilution too; `standard_error` is the curve's and the replicates' scatter by the delta method.
    """

    sample: str
    group: str | None
    role: str
    plates: tuple[str, ...]
    wells: tuple[tuple[str, str], ...]
    n_used: int
    mean_response: float | None
    dilution_factor: Decimal
    concentration: float | None
    standard_error: float | None
    sd: float | None
    cv_percent: float | None
    qualifier: str | None
    limit: float | None
    unit: str | None
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AssayResult:
    """Everything an ELISA gives: curves, wells, samples, and the remarks of `check`."""

    curves: tuple[CurveResult, ...]
    wells: tuple[WellResult, ...]
    samples: tuple[SampleResult, ...]
    remarks: tuple[Problem, ...]
