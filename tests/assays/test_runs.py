"""A run's way from upload to publication, and what is refused on it."""

from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from assays.actions import (
    accept_run,
    change_parameters,
    exclude_result,
    mask_well,
    publish_run,
    quantify_again,
    reject_run,
    unmask_well,
)
from assays.models import AssayRun, Result, Well
from experiments.actions import jobs
from experiments.models import Endpoint, Observation, Specimen
from labdb.base.acting import acting
from tests.assays.conftest import made_plate, plate_text

pytestmark = pytest.mark.django_db


def results(run):
    return {result.sample: result for result in run.result_rows.all()}


def requantified(run):
    assert run.state == "draft"
    jobs.run(run.job_id)
    run.refresh_from_db()
    assert run.state == "quantified"
    return run


def test_the_plate_is_read_and_evaluated(quantified, specimens):
    found = results(quantified)
    assert quantified.plate_rows.get().label == "P1"
    assert quantified.well_rows.get(name="A3").readings.get().value == Decimal("0.62")
    assert {name: result.qualifier for name, result in found.items()} == {
        "S-1": "=", "S-2": "=", "S-3": "<", "S-4": ">", "unknown": "=",
    }  # fmt: skip
    assert float(found["S-1"].value) == pytest.approx(2 * 76.6, rel=0.02)  # the 80 pg/mL standard reads 0.651
    assert (found["S-3"].limit, found["S-4"].limit, found["S-1"].unit) == (10, 640, "pg/mL")
    assert "re-dilute" in found["S-4"].flag_list
    assert found["S-1"].specimen == specimens[0] and found["unknown"].specimen is None
    assert [r.text for r in quantified.remarks.filter(topic="specimen")] == [
        "“unknown” is no specimen code of this experiment; its result cannot be published."
    ]


def test_publication_keeps_qualifier_limit_unit_and_place(quantified, scientist, specimens):
    accept_run(run=quantified, by=scientist)
    assert publish_run(run=quantified, by=scientist) == 4
    rows = {row.specimen.code: row for row in Observation.objects.all()}
    assert set(rows) == {"S-1", "S-2", "S-3", "S-4"}
    assert (rows["S-3"].qualifier, rows["S-3"].limit, rows["S-3"].value) == ("<", 10, None)
    assert (rows["S-1"].source_place, rows["S-1"].source_file) == ("P1 A3,A4", quantified.source_file)
    assert rows["S-1"].animal == specimens[0].animal and rows["S-1"].timepoint.study_day == 14
    assert quantified.state == "published" and quantified.published_by == scientist
    with pytest.raises(ValidationError, match="published"):
        publish_run(run=quantified, by=scientist)
    with pytest.raises(ValidationError, match="published"):
        reject_run(run=quantified, reason="too late", by=scientist)


def test_units_are_converted_to_the_endpoint(upload, specimens, scientist):
    run = requantified(upload(endpoint=Endpoint.objects.get(key="amh")))
    accept_run(run=run, by=scientist)
    publish_run(run=run, by=scientist)
    row = Observation.objects.get(specimen__code="S-3")
    assert (row.unit, row.limit, row.entered_unit, row.entered_value) == ("ng/mL", Decimal("0.010"), "pg/mL", 10)


def test_nothing_is_published_before_acceptance(quantified, scientist):
    with pytest.raises(ValidationError, match="quantified; only an accepted run"):
        publish_run(run=quantified, by=scientist)
    with pytest.raises(ValidationError, match="reason"):
        reject_run(run=quantified, reason="  ", by=scientist)
    reject_run(run=quantified, reason="coffee on the plate", by=scientist)
    with pytest.raises(ValidationError, match="rejected"):
        accept_run(run=quantified, by=scientist)
    assert not Observation.objects.exists()


@pytest.mark.parametrize("state", ["accepted", "published", "draft"])
def test_the_database_keeps_the_order_of_states(quantified, scientist, state):
    reject_run(run=quantified, reason="wrong kit", by=scientist)
    with pytest.raises(IntegrityError, match="no longer changes"), transaction.atomic():
        AssayRun.objects.filter(pk=quantified.pk).update(state=state)


def test_the_database_publishes_no_run_that_nobody_accepted(quantified):
    with pytest.raises(IntegrityError, match="cannot go from quantified to published"), transaction.atomic():
        AssayRun.objects.filter(pk=quantified.pk).update(state="published")


def test_what_is_accepted_no_longer_changes(quantified, scientist):
    def delete():
        with acting(reason="whatever is said"):
            quantified.delete()

    accept_run(run=quantified, by=scientist)
    for change in (
        lambda: Result.objects.filter(run=quantified).update(sample="other"),
        lambda: quantified.reading_rows.update(value=1),
        lambda: quantified.wellresult_rows.all().delete(),
        lambda: AssayRun.objects.filter(pk=quantified.pk).update(kit_lot="X"),
        delete,
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()
    with pytest.raises(ValidationError, match="accepted"):
        mask_well(well=quantified.well_rows.first(), reason="bubble", by=scientist)


def test_a_masked_well_leaves_the_evaluation_and_comes_back(quantified, scientist):
    before = results(quantified)["S-1"]
    well = Well.objects.get(run=quantified, name="A4")
    with pytest.raises(ValidationError, match="reason"):
        mask_well(well=well, reason="", by=scientist)
    run = requantified(mask_well(well=well, reason="bubble", by=scientist))
    masked = results(run)["S-1"]
    assert (masked.n_wells, masked.n_used, masked.flags) == (2, 1, "masked")
    assert masked.value < before.value
    well.refresh_from_db()
    assert (well.is_masked, well.masked_by, well.masked_reason) == (True, scientist, "bubble")
    with pytest.raises(ValidationError, match="already"):
        mask_well(well=well, reason="again", by=scientist)
    assert (
        results(requantified(unmask_well(well=well, reason="it was the neighbour", by=scientist)))["S-1"].value
        == before.value
    )


def test_a_masked_standard_leaves_the_curve(quantified, scientist):
    well = Well.objects.get(run=quantified, name="A1")
    run = requantified(mask_well(well=well, reason="pipetting", by=scientist))
    assert run.curve_rows.get().n_points == 15


def test_parameters_are_checked_all_at_once_and_evaluate_anew(quantified, upload, scientist):
    wrong = {"curve_model": "spline", "weighting": "2", "wavelengths": 450, "wavelength_nm": "blue"}
    with pytest.raises(ValidationError) as refused:
        upload(parameters=wrong)
    told = "\n".join(refused.value.message_dict["parameters"])
    assert all(name in told for name in wrong)
    run = requantified(
        change_parameters(run=quantified, parameters={"curve_model": "linear"}, reason="as the kit says", by=scientist)
    )
    assert run.curve_rows.get().model == "linear"
    assert run.parameters["blank"] == "subtract_mean"


def test_a_file_that_cannot_be_read_fails_the_job_with_every_problem(upload):
    wells = {name: str(value) for name, value in made_plate().items()} | {"A3": "0,62", "B3": "n.d."}
    run = upload(data=plate_text(wells))
    jobs.run(run.job_id)
    run.job.refresh_from_db()
    run.refresh_from_db()
    assert (run.job.state, run.state) == ("failed", "draft")
    assert len(run.job.error.splitlines()) == 2
    assert "line 4" in run.job.error and "0,62" in run.job.error and "line 5" in run.job.error
    assert not run.well_rows.exists()


def test_a_specimen_that_was_registered_later_is_found(quantified, scientist, specimens):
    specimen = Specimen.objects.get(code="S-4")
    specimen.pk, specimen._state.adding, specimen.code = None, True, "unknown"
    specimen.id = specimens[0].__class__._meta.pk.default()
    specimen.save()
    run = requantified(quantify_again(run=quantified, by=scientist))
    assert results(run)["unknown"].specimen == specimen
    assert run.well_rows.get(name="E3").specimen == specimen


def test_an_excluded_result_is_kept_and_not_published(quantified, scientist):
    exclude_result(result=results(quantified)["S-2"], reason="haemolysed", by=scientist)
    run = requantified(quantify_again(run=quantified, by=scientist))
    assert results(run)["S-2"].excluded_reason == "haemolysed"
    accept_run(run=run, by=scientist)
    assert publish_run(run=run, by=scientist) == 3


def test_the_kits_own_limit_holds_above_the_lowest_standard(upload, specimens):
    run = requantified(upload(kit_lloq=Decimal("0.04"), kit_lloq_unit="ng/mL"))
    found = results(run)["S-2"]  # some 33 pg/mL in the well, diluted twice
    assert (found.qualifier, found.limit, found.unit) == ("<", 80, "pg/mL")
    assert "below_kit_lloq" in found.flag_list


def test_a_second_plate_of_the_same_specimens_is_refused_by_name(quantified, upload, scientist):
    accept_run(run=quantified, by=scientist)
    publish_run(run=quantified, by=scientist)
    again = requantified(upload())
    accept_run(run=again, by=scientist)
    with pytest.raises(ValidationError) as refused:
        publish_run(run=again, by=scientist)
    assert len(refused.value.messages) == 4 and refused.value.messages[0].startswith("S-1")
    again.refresh_from_db()
    assert again.state == "accepted"


def test_only_members_upload_and_decide(quantified, upload, django_user_model):
    stranger = django_user_model.objects.create_user("stranger")
    with pytest.raises(PermissionDenied):
        upload(by=stranger)
    for verb in (accept_run, publish_run, quantify_again):
        with pytest.raises(PermissionDenied):
            verb(run=quantified, by=stranger)
    assert not AssayRun.objects.visible_to(stranger).exists()
    assert not Well.objects.visible_to(stranger).exists()
