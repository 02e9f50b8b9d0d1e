"""ELISA: from a made plate of known truth to concentrations, qualifiers and flags."""

from dataclasses import replace
from decimal import Decimal

import pytest

from assays.discovery import RegistryError, register
from assays.kinds import KINDS, ParameterError
from assays.kinds.elisa import AssayResult, Parameters, SampleResult, check, quantify
from assays.readers import Channel, LayoutEntry, Plate, Reading
from tests.science.plate_files import LEVELS, ROWS, four_pl

TRUTH = {"in": 30.0, "above": 1000.0, "below": 1.0}


def entry(well: str, role: str, sample: str = "", **more: object) -> LayoutEntry:
    base = LayoutEntry(None, well, role, sample or role, None, None, None, Decimal(1), 1)
    return replace(base, **more)  # type: ignore[arg-type]


def plate(responses: dict[str, float | None], label: str = "P1", flags: dict[str, str] | None = None) -> Plate:
    readings = tuple(
        Reading(well, "450", None if y is None else Decimal(f"{y:.8f}"), (flags or {}).get(well), str(y), 1)
        for well, y in responses.items()
    )
    return Plate(label, 8, 12, "absorbance", "endpoint", "AU", (Channel("450", Decimal(450)),), readings, None, None, 1)


def standards(offset: float = 0.0, falling: bool = False) -> tuple[dict[str, float | None], list[LayoutEntry]]:
    responses: dict[str, float | None] = {}
    entries = []
    for row, level in zip(ROWS, LEVELS, strict=True):
        y = four_pl(level, 3.2, 1.1, 120, 0.05) if falling else four_pl(level)
        for column, noise in ((1, 0.0004), (2, -0.0004)):
            responses[f"{row}{column}"] = y + noise + offset
            entries.append(entry(f"{row}{column}", "standard", concentration=Decimal(str(level)), unit="ng/mL"))
    return responses, entries


def run(
    samples: dict[str, float | None], layout: list[LayoutEntry], flags: dict[str, str] | None = None, **more: object
) -> AssayResult:
    offset = float(more.pop("offset", 0.0))  # type: ignore[arg-type]
    falling = bool(more.pop("falling", False))
    base, entries = standards(offset, falling)
    made = plate({**base, **{w: None if y is None else y + offset for w, y in samples.items()}}, flags=flags)
    return quantify([made], [*entries, *layout], Parameters(**more))  # type: ignore[arg-type]


def only(result: AssayResult) -> SampleResult:
    assert len(result.samples) == 1
    return result.samples[0]


def pair(x: float, dilution: str = "1") -> tuple[dict[str, float | None], list[LayoutEntry]]:
    layout = [entry(w, "sample", "s", dilution_factor=Decimal(dilution)) for w in ("A3", "A4")]
    return {"A3": four_pl(x), "A4": four_pl(x)}, layout


def test_truth_comes_back_and_dilution_counts_once() -> None:
    for dilution in ("1", "2", "40"):
        found = only(run(*pair(30, dilution)))
        assert found.concentration == pytest.approx(30 * float(dilution), rel=2e-3)
        assert (found.qualifier, found.limit, found.n_used, found.unit) == ("=", None, 2, "ng/mL")
    wells = run(*pair(30, "40")).wells
    assert next(w for w in wells if w.well == "A3").concentration == pytest.approx(30, rel=2e-3)
    assert next(w for w in wells if w.well == "A1").raw == Decimal(f"{four_pl(320) + 0.0004:.8f}")


def test_nothing_is_extrapolated() -> None:
    above = only(run(*pair(1000, "10")))
    assert (above.concentration, above.qualifier, above.limit) == (None, ">", 3200.0)
    assert "re-dilute" in above.flags
    below = only(run(*pair(1, "10")))
    assert (below.concentration, below.qualifier, below.limit, below.sd) == (None, "<", 50.0, None)
    beyond = only(run({"A3": 3.5, "A4": 3.6}, pair(1)[1]))
    assert (beyond.concentration, beyond.qualifier) == (None, ">")
    under = only(run({"A3": 0.0, "A4": -0.1}, pair(1)[1]))
    assert (under.concentration, under.qualifier, under.limit) == (None, "<", 5.0)


def test_flagged_wells_stay_out_of_means() -> None:
    samples, layout = pair(30)
    samples["A4"] = 2.9
    found = only(run(samples, layout, {"A4": "masked"}))
    assert found.concentration == pytest.approx(30, rel=2e-3)
    assert (found.n_used, found.flags, found.cv_percent) == (1, ("masked",), None)
    gone = only(run({"A3": None, "A4": None}, layout, {"A3": "missed", "A4": "missed"}))
    assert (gone.concentration, gone.qualifier) == (None, None)
    assert {"missed", "no_usable_well"} <= set(gone.flags)


def test_overflow_lies_above_a_rising_and_below_a_falling_curve() -> None:
    layout = pair(1)[1]
    flags = {"A3": "overflow", "A4": "overflow"}
    rising = only(run({"A3": None, "A4": None}, layout, flags))
    assert (rising.qualifier, rising.limit) == (">", 320.0)
    assert {"overflow", "re-dilute"} <= set(rising.flags)
    falling = only(run({"A3": None, "A4": None}, layout, flags, falling=True))
    assert (falling.qualifier, falling.limit) == ("<", 5.0)


def test_masked_standards_stay_out_of_the_fit_unless_asked() -> None:
    base, entries = standards()
    base["C1"] = 3.0
    samples, layout = pair(30)
    made = plate({**base, **samples}, flags={"C1": "masked"})
    without = only(quantify([made], [*entries, *layout], Parameters())).concentration
    with_it = only(quantify([made], [*entries, *layout], Parameters(masked_in_fit=True))).concentration
    assert without == pytest.approx(30, rel=3e-3)
    assert with_it is None or abs(with_it / 30 - 1) > 0.05


def test_blanks_are_subtracted_on_their_own_plate() -> None:
    samples, layout = pair(30)
    blanks = [entry(w, "blank") for w in ("H11", "H12")]
    found = run({**samples, "H11": 0.0, "H12": 0.0}, [*layout, *blanks], offset=0.7)
    assert only(found).concentration == pytest.approx(30, rel=2e-3)
    assert only(found).mean_response == pytest.approx(four_pl(30), abs=1e-6)
    kept = run({**samples, "H11": 0.0, "H12": 0.0}, [*layout, *blanks], offset=0.7, blank="none")
    assert only(kept).mean_response == pytest.approx(four_pl(30) + 0.7, abs=1e-6)


def test_replicates_that_disagree_are_flagged() -> None:
    samples, layout = pair(30)
    samples["A4"] = four_pl(60)
    found = only(run(samples, layout))
    assert found.cv_percent == pytest.approx(47.14, abs=0.3)
    assert "high_cv" in found.flags
    assert "high_cv" not in only(run(samples, layout, max_replicate_cv_percent=Decimal(60))).flags


def test_a_curve_per_plate_and_one_for_the_run() -> None:
    base, entries = standards()
    shifted = {well: None if y is None else y * 1.5 for well, y in base.items()}
    one = plate({**base, "A3": four_pl(30)}, "P1")
    two = plate({**shifted, "A3": four_pl(30) * 1.5}, "P2")
    layout = [*entries, entry("A3", "sample", "s")]
    by_plate = quantify([one, two], layout, Parameters(curve_scope="plate"))
    assert [s.concentration for s in by_plate.samples] == [pytest.approx(30, rel=3e-3)] * 2
    joined = quantify([one, two], layout, Parameters(replicates_across_plates=True))
    assert len(joined.curves) == 1
    assert only(joined).n_used == 2


def test_a_refused_curve_says_so_on_every_sample() -> None:
    _, entries = standards()
    flat = plate({**{e.well: 0.5 for e in entries}, "A3": 0.5})
    result = quantify([flat], [*entries, entry("A3", "sample", "s")], Parameters())
    assert result.curves[0].fitted.verdict == "flat response"
    assert (only(result).concentration, only(result).qualifier) == (None, None)
    assert "curve_refused" in only(result).flags


def test_reference_wavelength_is_subtracted_and_ambiguity_is_refused() -> None:
    base, entries = standards()
    made = plate({**base, "A3": four_pl(30)})
    second = tuple(replace(r, channel="650", value=Decimal("0.25")) for r in made.readings)
    raised = tuple(replace(r, value=(r.value or Decimal(0)) + Decimal("0.25")) for r in made.readings)
    channels = (Channel("450", Decimal(450)), Channel("650", Decimal(650)))
    both = replace(made, channels=channels, readings=(*raised, *second))
    layout = [*entries, entry("A3", "sample", "s")]
    chosen = Parameters(wavelength_nm=Decimal(450), reference_wavelength_nm=Decimal(650))
    assert only(quantify([both], layout, chosen)).mean_response == pytest.approx(four_pl(30), abs=1e-6)
    with pytest.raises(ParameterError, match=r"several wavelengths .*450, 650"):
        quantify([both], layout, Parameters())
    with pytest.raises(ParameterError, match="the wavelength was not read"):
        quantify([both], layout, Parameters(wavelength_nm=Decimal(405)))


def test_check_reports_everything_at_once() -> None:
    base, entries = standards()
    bad = [replace(entries[0], concentration=None), replace(entries[1], unit="pg/mL"), *entries[2:4]]
    found = check(
        [plate(base)], [*bad, entry("A9", "sample", "s"), entry("B9", "sample", "t", plate="P7")], Parameters()
    )
    text = "\n".join(str(problem) for problem in found if problem.blocking)
    for told in ("no concentration", "units differ", "too few standards", "no such plate"):
        assert told in text
    assert any("not read" in str(problem) and problem.well == "A9" for problem in found)


def test_parameters_are_validated_together() -> None:
    with pytest.raises(ParameterError) as caught:
        Parameters(curve_model="cubic", weighting="x", blank="maybe", max_replicate_cv_percent=Decimal(0))
    assert len(caught.value.problems) == 4
    assert "four_pl" in str(caught.value)


def test_two_kinds_cannot_share_a_key() -> None:
    with pytest.raises(RegistryError, match="'elisa' is claimed by both"):
        register(dict(KINDS), KINDS["elisa"], ("LABEL",))
