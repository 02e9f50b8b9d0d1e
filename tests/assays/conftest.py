"""A plate in a reader's own format, made here, and the specimens it speaks of."""

from datetime import UTC, datetime

import pytest

STANDARDS = {"1": (320, 1.728), "2": (160, 1.105), "3": (80, 0.651), "4": (40, 0.3545), "5": (20, 0.208)} | {
    "6": (10, 0.1385), "7": (5, 0.0995), "8": (0, 0.0535),
}  # fmt: skip
SAMPLES = {"S-1": ("A3", 0.62, 0.64), "S-2": ("B3", 0.30, 0.31), "S-3": ("C3", 0.060, 0.061), "S-4": ("D3", 2.2, 2.3)}


def made_plate() -> dict[str, float]:
    """Well → absorbance: standards in columns 1 and 2, samples in 3 and 4, an unknown name in E3 and E4."""
    wells = {}
    for row, (_, response) in zip("ABCDEFGH", STANDARDS.values(), strict=True):
        wells[f"{row}1"], wells[f"{row}2"] = response, response
    for well, first, second in SAMPLES.values():
        wells[well], wells[f"{well[0]}4"] = first, second
    return wells | {"E3": 0.41, "E4": 0.42}


def plate_text(wells: dict[str, float]) -> bytes:
    """A SoftMax Pro export of one plate read at 450 nm."""
    header = "Plate:\tP1\t1.3\tPlateFormat\tEndpoint\tAbsorbance\tRaw\tFALSE\t1\t\t\t\t\t\t1\t450 \t1\t12\t96\t1\t8"
    lines = ["##BLOCKS= 1", header, "\tTemperature(°C)\t" + "\t".join(str(c) for c in range(1, 13))]
    for index, row in enumerate("ABCDEFGH"):
        cells = [str(wells.get(f"{row}{column}", "")) for column in range(1, 13)]
        lines.append(("\t22.5\t" if index == 0 else "\t\t") + "\t".join(cells))
    return "\r\n".join([*lines, "~End", "Original Filename: P1; Date Last Saved: 2026-03-16", ""]).encode("utf-16")


def layout_text() -> bytes:
    lines = ["well,role,sample,concentration,unit,dilution"]
    for row, (name, (concentration, _)) in zip("ABCDEFGH", STANDARDS.items(), strict=True):
        lines += [f"{row}{column},standard,St{name},{concentration},pg/mL," for column in (1, 2)]
    for name, (well, *_) in SAMPLES.items():
        lines += [f"{place},sample,{name},,,2" for place in (well, f"{well[0]}4")]
    return "\n".join([*lines, "E3,sample,unknown,,,2", "E4,sample,unknown,,,2", ""]).encode()


@pytest.fixture
def specimens(experiment, animals):
    """S-1 to S-4: serum of the first four animals at day 14."""
    from experiments.models import Specimen

    day_14 = experiment.timepoints.get(study_day=14)
    made = []
    for number, animal in enumerate(animals[:4], start=1):
        specimen = Specimen(experiment=experiment, animal=animal, code=f"S-{number}", timepoint=day_14)
        specimen.collected_at = datetime(2026, 3, 16, 9, tzinfo=UTC)
        specimen.save()
        made.append(specimen)
    return made


@pytest.fixture
def upload(experiment, scientist):
    """Upload the made plate as E2 by keyword overrides."""
    from assays.actions import upload_plate_file
    from experiments.models import Endpoint

    def uploaded(**given):
        wanted = {
            "experiment": experiment,
            "endpoint": Endpoint.objects.get(key="e2"),
            "kind": "elisa",
            "data": plate_text(made_plate()),
            "name": "plate.txt",
            "layout_csv": layout_text(),
            "by": scientist,
        }
        return upload_plate_file(**(wanted | given))

    return uploaded


@pytest.fixture
def quantified(upload, specimens):
    """The made plate, quantified by its job."""
    from experiments.actions import jobs

    run = upload()
    assert jobs.run(run.job_id)
    run.refresh_from_db()
    return run
