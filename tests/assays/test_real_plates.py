"""A real SoftMax Pro export, from upload to observations, against what the instrument printed."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from assays.actions import accept_run, publish_run, upload_plate_file
from assays.readers import read
from experiments.actions import jobs
from experiments.models import Animal, Endpoint, Enrolment, Observation, Specimen

pytestmark = pytest.mark.django_db
NAME = "group_cols_with_int_sample_names.txt"


@pytest.fixture
def printed(real_data):
    """Sample name → the concentration that the instrument printed, None where it printed a flag."""
    file = read((real_data / "plates" / NAME).read_bytes(), NAME)
    cells = [r for r in file.printed_results if r.column == "Result" and (r.group or "").startswith("group_")]
    return {cell.sample: cell.value for cell in cells}


@pytest.fixture
def sampled(experiment, animals, printed):
    """One animal and one serum specimen for every sample of the file."""
    day_14 = experiment.timepoints.get(study_day=14)
    for code in printed:
        animal = Animal(lab_id=f"A{code}", strain=animals[0].strain, sex="F")
        animal.save()
        Enrolment(experiment=experiment, animal=animal).save()
        specimen = Specimen(experiment=experiment, animal=animal, code=code, timepoint=day_14)
        specimen.collected_at = datetime(2026, 3, 16, 9, tzinfo=UTC)
        specimen.save()


def test_the_real_plate_becomes_observations(experiment, scientist, real_data, printed, sampled):
    run = upload_plate_file(
        experiment=experiment,
        endpoint=Endpoint.objects.get(key="amh"),
        kind="elisa",
        data=(real_data / "plates" / NAME).read_bytes(),
        name=NAME,
        parameters={"masked_in_fit": True, "blank": "none", "wavelength_nm": 450, "unit": "ng/mL"},
        by=scientist,
    )
    assert jobs.run(run.job_id)
    run.job.refresh_from_db()
    assert run.job.error == ""
    run.refresh_from_db()
    assert (run.state, run.reader) == ("quantified", "softmax_pro")

    curve = run.curve_rows.get()
    assert curve.is_ok and curve.n_points == 16
    wells = {r.sample: r.concentration for r in run.wellresult_rows.filter(role="sample")}
    compared = {name: value for name, value in printed.items() if value is not None and value >= 1}
    # Printed with three decimals, so a small concentration is printed coarsely: half of the last digit is allowed for.
    worst = max(max(abs(wells[n] - float(v)) - 0.0005, 0) / float(v) for n, v in compared.items())
    assert len(compared) >= 45
    assert worst < 0.001

    accept_run(run=run, by=scientist)
    assert publish_run(run=run, by=scientist) == len(printed)
    published = {o.specimen.code: o for o in Observation.objects.select_related("specimen", "endpoint")}
    assert set(published) == set(printed)
    assert {o.unit for o in published.values()} == {"ng/mL"}
    for name, value in printed.items():
        row = published[name]
        expected = "<" if value is None or value < 5 else ">" if value > 320 else "="
        assert row.qualifier == expected, name
        assert row.limit == {"<": Decimal(5), ">": Decimal(320), "=": None}[expected]
        assert row.source_file_id == run.source_file_id
    assert published["62195"].source_place == "Plate1 A4"
    assert float(published["62195"].value) == pytest.approx(42.305, rel=1e-4)
