"""Concentrations against those the instruments' own software printed, on real files.

A printed number is rounded, so "deviation" is shown twice: plain, and what remains after half a unit of its last digit.
`-s` prints the table.
"""

import os
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from assays.curves import fit
from assays.kinds.elisa import AssayResult, Parameters, quantify
from assays.readers import PlateFile, PrintedResult, read

SOFTMAX_GROUPS = "group_cols_with_int_sample_names.txt"
SOFTMAX_REDUCED = "softmaxpro_example_reduced.txt"
SOFTMAX_TWO_PLATES = "MD_SMP_absorbance_endpoint_example02.txt"
GEN5_CURVE = "010307_114129_BNCH654563_stdcurve_singleplate01.txt"
GEN5_FLAGS = "240411_172731_BNCH2345883_abs450_96well_non_numeric_values.txt"


@dataclass(frozen=True)
class Agreement:
    """Deviations in percent over n printed concentrations; in_range counts those within the standards only."""

    n: int
    worst: float
    worst_in_range: float
    worst_beyond_rounding: float


def real(name: str) -> PlateFile:
    folder = os.environ.get("LABDB_REAL_DATA")
    if not folder:
        pytest.skip("LABDB_REAL_DATA is not set")
    return read((Path(folder) / "plates" / name).read_bytes(), name)


def half_unit(printed: PrintedResult) -> float:
    _, _, exponent = Decimal(printed.text).as_tuple()
    assert isinstance(exponent, int)
    return 0.5 * 10.0**exponent


def agreement(file: PlateFile, result: AssayResult, columns: tuple[str, ...]) -> Agreement:
    wells = {(well.plate, well.well): well for well in result.wells}
    plain, inside, beyond = [], [], []
    for printed in file.printed_results:
        if printed.column not in columns or printed.value is None:
            continue
        ours = wells[str(printed.plate), printed.well].concentration
        assert ours is not None, f"{printed.well} prints {printed.text}, but nothing was read"
        value = float(printed.value)
        deviation = abs(ours - value)
        plain.append(100 * deviation / value)
        beyond.append(100 * max(0.0, deviation - half_unit(printed) * 1.000001) / value)
        if wells[str(printed.plate), printed.well].qualifier == "=":
            inside.append(plain[-1])
    found = Agreement(len(plain), max(plain), max(inside), max(beyond))
    print(f"\n{file.filename}: {found}")
    return found


def test_softmax_groups() -> None:
    file = real(SOFTMAX_GROUPS)
    found = agreement(file, quantify(file.plates, file.layout, Parameters(masked_in_fit=True)), ("Result",))
    assert found.n == 80 - 13
    assert found.worst_in_range <= 0.1
    assert found.worst_beyond_rounding == 0


def test_softmax_groups_without_the_masked_wells_differ() -> None:
    """The default leaves masked wells out, so it must not reproduce a fit that took them in."""
    file = real(SOFTMAX_GROUPS)
    result = quantify(file.plates, file.layout, Parameters())
    assert agreement(file, result, ("Result",)).worst_in_range > 1
    assert [w.flags for w in result.wells if w.role == "standard" and not w.used] == [("masked",), ("out_of_range",)]


def test_softmax_prints_range_where_nothing_can_be_read() -> None:
    file = real(SOFTMAX_GROUPS)
    result = quantify(file.plates, file.layout, Parameters(masked_in_fit=True))
    wells = {well.well: well for well in result.wells}
    outside = [r for r in file.printed_results if r.column == "Result" and r.flag == "out_of_range"]
    assert len(outside) == 13
    assert all(wells[r.well].concentration is None and wells[r.well].qualifier == "<" for r in outside)


def test_softmax_reduced() -> None:
    file = real(SOFTMAX_REDUCED)
    found = agreement(file, quantify(file.plates, file.layout, Parameters()), ("Result", "Results"))
    assert found.n == 66
    assert found.worst <= 0.1
    assert found.worst_beyond_rounding == 0


def test_softmax_standards_on_two_plates() -> None:
    """This file's own curve is the straight line of logarithms: every printed pair lies on one."""
    file = real(SOFTMAX_TWO_PLATES)
    result = quantify(file.plates, file.layout, Parameters(curve_model="log_log", replicates_across_plates=True))
    found = agreement(file, result, ("Conc", "BackCalcConc"))
    assert found.n == 186
    assert found.worst <= 0.1
    means = {s.sample: s for s in result.samples}
    for printed in (r for r in file.printed_results if r.column == "AvgConc"):
        assert means[str(printed.sample)].concentration == pytest.approx(float(str(printed.value)), rel=5e-4)
        assert means[str(printed.sample)].n_used == 6


def test_gen5_line() -> None:
    """The printed ODs have three decimals, so low wells cannot agree to 0.1 %; where the OD resolves it, they do.

    The printed concentrations are finer than the ODs (0.001 of a concentration is 0.0000017 of an OD) and are the
    reader's own unrounded responses up to its line. Our line through them against the nominal ones is then slope 1,
    intercept 0 if and only if the reader's line is the one we fit.
    """
    file = real(GEN5_CURVE)
    result = quantify(file.plates, file.layout, Parameters(curve_model="linear"))
    printed = {r.well: float(str(r.value)) for r in file.printed_results if r.column == "[Concentration]"}
    wells = {well.well: well for well in result.wells}
    slope = result.curves[0].fitted.parameters["slope"]
    resolved = [w for w, well in wells.items() if well.raw is not None and well.raw >= Decimal("0.5")]
    worst = max(abs(wells[w].concentration / printed[w] - 1) * 100 for w in resolved)  # type: ignore[operator]
    off = max(abs(w.concentration - printed[w.well]) * slope for w in wells.values() if w.concentration is not None)
    print(f"\n{GEN5_CURVE}: {len(resolved)} wells of OD 0.5 and more: {worst:.4f} %; all wells: {off:.5f} AU")
    assert worst <= 0.1
    assert off <= 0.001

    standards = [e for e in file.layout if e.role == "standard"]
    line = fit("linear", [float(str(e.concentration)) for e in standards], [printed[e.well] for e in standards])
    exact = [abs(line.concentration(c).value / c - 1) * 100 for c in printed.values() if c > 1]  # type: ignore[operator]
    print(f"{GEN5_CURVE}: unrounded: slope {line.parameters['slope']:.8f}, worst of {len(exact)}: {max(exact):.5f} %")
    assert line.parameters["slope"] == pytest.approx(1, abs=2e-6)
    assert max(exact) <= 0.1


def test_gen5_printed_curve_is_the_fitted_one() -> None:
    file = real(GEN5_CURVE)
    fitted = quantify(file.plates, file.layout, Parameters(curve_model="linear")).curves[0].fitted
    printed = dict(file.printed_curves[0].parameters)
    assert fitted.parameters["slope"] == pytest.approx(float(printed["A"]), abs=0.000005 + 0.0000005)
    assert fitted.parameters["intercept"] == pytest.approx(float(printed["B"]), abs=0.0005)


def test_gen5_flags() -> None:
    file = real(GEN5_FLAGS)
    flags = [reading.flag for reading in file.plates[0].readings]
    assert (flags.count("overflow"), flags.count("missed"), flags.count(None)) == (8, 5, 83)
