"""Undoing an import takes back exactly what it wrote, or says what stands in the way; the file can be imported again."""

import hashlib
from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection

from experiments.actions import imports, jobs
from experiments.actions.closing import close_experiment
from experiments.actions.imports import undo
from experiments.actions.observations import NewObservation, correct_observation, noon, record_observations
from experiments.models import (
    Animal,
    Arm,
    Cage,
    Endpoint,
    Enrolment,
    Experiment,
    Housing,
    ImportRun,
    Litter,
    Membership,
    Observation,
    OutcomeSummary,
    Strain,
)
from labdb.base.models import TrailEntry
from tests.experiments.sheet_imports import check, in_tables, kept_template, mouse, sheet, take
from tests.experiments.table_imports import check as check_table
from tests.experiments.table_imports import sheet_of

pytestmark = pytest.mark.django_db
BY_ITSELF = ("trail", "importr", "sourcefile", "_job", "datachange", "session", "django_", "importtemplate")


@pytest.fixture(autouse=True)
def files(settings, tmp_path):
    settings.LABDB_FILES_DIR = tmp_path


def digests() -> dict[str, str]:
    """Every table of the record, byte for byte, but for what an import keeps of itself."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
        names = sorted(name for (name,) in cursor.fetchall() if not any(word in name for word in BY_ITSELF))
        found = {}
        for name in names:
            cursor.execute(f"SELECT coalesce(string_agg(t::text, chr(10) ORDER BY t::text), '') FROM \"{name}\" t")
            found[name] = hashlib.sha256(cursor.fetchone()[0].encode()).hexdigest()
    return found


def taken_sheet(by, *rows) -> ImportRun:
    template = imports_template()
    run = take(check(sheet(*rows), template, by), by)
    assert run.state == "taken", run.job.error
    return run


def imports_template():
    from experiments.models import ImportTemplate

    return ImportTemplate.objects.filter(name="small").first() or kept_template(masking="open_label")


def undone(run: ImportRun, by, reason: str = "the wrong file") -> ImportRun:
    return imports.undo_import(run=run, by=by, reason=reason)


def refused(run: ImportRun, by) -> str:
    before = digests()
    with pytest.raises(ValidationError) as error:
        undone(run, by)
    run.refresh_from_db()
    assert (run.state, digests()) == ("taken", before)
    return "\n".join(error.value.messages)


def test_a_sheet_that_opened_an_experiment_leaves_no_byte_and_can_be_imported_again(scientist):
    before = digests()
    run = taken_sheet(scientist, mouse(), mouse("m2", arm="PBS"), mouse("m3", d14="dead"))
    first = in_tables()
    assert digests() != before
    assert undone(run, scientist).state == "undone"
    assert digests() == before
    taken_sheet(scientist, mouse(), mouse("m2", arm="PBS"), mouse("m3", d14="dead"))
    assert in_tables() == first


def test_what_a_sheet_changed_of_earlier_rows_is_as_it_was_again(scientist):
    earlier = taken_sheet(scientist, mouse(), mouse("m2", d14=None))
    before = digests()
    run = taken_sheet(scientist, mouse(), mouse("m2", d14="dead"), mouse("m4", cage="B"))
    changed = undo.written_by(run).changed
    undone(run, scientist)
    assert digests() == before
    assert [len(changed[Housing])] == [1]
    undone(earlier, scientist)
    assert in_tables() == {}


def test_the_trail_tells_who_took_it_back_and_why(scientist):
    run = taken_sheet(scientist, mouse())
    animal = Animal.objects.get().pk
    undone(run, scientist, "sent twice")
    last = TrailEntry.objects.of_row(Animal, animal).latest("id").statement
    assert (last.action, last.person, last.reason) == ("D", scientist, "sent twice")
    state = TrailEntry.objects.of_row(ImportRun, run.pk).latest("id")
    assert (state.new, state.statement.reason) == ({"state": "undone"}, "sent twice")


def test_an_import_is_undone_once_and_for_a_reason(scientist):
    run = taken_sheet(scientist, mouse())
    with pytest.raises(ValidationError, match="Say why"):
        undone(run, scientist, "  ")
    undone(run, scientist)
    with pytest.raises(ValidationError, match="is undone; expected taken"):
        undone(run, scientist)
    checked = check(sheet(mouse()), imports_template(), scientist)
    with pytest.raises(ValidationError, match="is checked; expected taken"):
        undone(checked, scientist)


def test_observations_by_another_door_are_named(scientist):
    run = taken_sheet(scientist, mouse(), mouse("m2"))
    experiment = Experiment.objects.get(code="E1")
    new = [
        NewObservation(Endpoint.objects.get(key="e2").pk, noon(date(2026, 3, 20)), animal.pk, number=Decimal(12 + n))
        for n, animal in enumerate(Animal.objects.order_by("lab_id"))
    ]
    record_observations(experiment=experiment, observations=new, by=scientist)
    told = refused(run, scientist)
    assert "2 observations depend on what this import wrote: Estradiol (E2): 1" in told
    assert all(f"Estradiol (E2): {value} pg/mL" in told for value in (12, 13))


def test_a_corrected_observation_is_named_twice_over(scientist):
    run = taken_sheet(scientist, mouse())
    row = Observation.objects.order_by("observed_at").first()
    correct_observation(observation=row, number=Decimal("20.5"), reason="misread", by=scientist)
    told = refused(run, scientist)
    assert "1 observation depends on what this import wrote: Body weight: 20.5 g." in told
    assert "1 observation was changed since: Body weight: 20 g." in told


def test_a_row_that_was_changed_since_is_named(scientist):
    run = taken_sheet(scientist, mouse())
    arm = Arm.objects.get(label="MSC")
    arm.planned_n = 12
    arm.save()
    assert "1 arm was changed since: MSC." in refused(run, scientist)


def test_no_more_than_twenty_are_named(scientist):
    run = taken_sheet(scientist, *(mouse(f"m{n}") for n in range(25)))
    cage = Cage(label="Z")
    cage.save()
    for animal in Animal.objects.all():
        Litter(code=f"of {animal.lab_id}").save()
        Housing.objects.filter(animal=animal).update(ended_on=date(2026, 4, 1))
    told = refused(run, scientist)
    assert "25 housings were changed since: " in told
    assert "and 5 more." in told
    assert told.count(" in A from ") == 20


def test_rows_that_one_may_not_see_are_not_named(scientist, django_user_model):
    run = taken_sheet(scientist, mouse())
    other = Experiment(code="HIDDEN", title="of someone else")
    other.save()
    Membership(
        experiment=other, user=django_user_model.objects.create_user("stranger"), role=Membership.Role.DIRECTOR
    ).save()
    animal = Animal(lab_id="SECRET", strain=Strain.objects.get())
    animal.save()
    Enrolment(experiment=other, animal=animal).save()
    told = refused(run, scientist)
    assert "Rows that you may not see depend on what this import wrote." in told
    assert "SECRET" not in told


def test_a_summary_of_it_goes_with_it(scientist):
    before = digests()
    run = taken_sheet(scientist, mouse(), mouse("m2", arm="PBS"))
    from experiments.actions.summaries import request_summary

    jobs.run(request_summary(experiment=Experiment.objects.get(code="E1"), by=scientist).pk)
    assert OutcomeSummary.objects.exists()
    undone(run, scientist)
    assert digests() == before


def test_of_a_closed_experiment_nothing_is_taken_back(scientist):
    run = taken_sheet(scientist, mouse())
    close_experiment(experiment=Experiment.objects.get(code="E1"), by=scientist, reason="complete")
    before = digests()
    with pytest.raises(PermissionDenied, match="closed"):
        undone(run, scientist)
    assert digests() == before


def test_who_did_not_send_a_file_outside_experiments_cannot_undo_it(scientist, member, experiment):
    run = taken_sheet(scientist, mouse())
    for role in ("scientist", "auditor", "assessor"):
        with pytest.raises(PermissionDenied):
            undone(run, member(role, experiment))


def test_a_table_is_taken_back_and_nothing_else(scientist, experiment, animals):
    before = digests()
    rows = [
        {"experiment": "POI-1", "animal": a.lab_id, "endpoint": "body_weight", "timepoint": "day 7", "value": 20}
        for a in animals
    ]
    run = take(check_table("observations", sheet_of("observations", *rows), scientist), scientist)
    assert Observation.objects.count() == 6
    undone(run, scientist)
    assert digests() == before


def test_an_enrolment_that_was_observed_stays(scientist, experiment, animals):
    """The key from observation to enrolment is one that only the database knows."""
    stranger = Animal(lab_id="X1", strain=animals[0].strain)
    stranger.save()
    row = {"experiment": "POI-1", "animal": "X1", "day_0": date(2026, 3, 2)}
    run = take(check_table("enrolments", sheet_of("enrolments", row), scientist), scientist)
    new = NewObservation(Endpoint.objects.get(key="e2").pk, noon(date(2026, 3, 20)), stranger.pk, number=Decimal(12))
    record_observations(experiment=experiment, observations=[new], by=scientist)
    assert "1 observation depends on what this import wrote" in refused(run, scientist)
