"""Every path by which somebody masked could learn which animal is in which arm of a blinded experiment, by a real assessor.

``SECRET`` stands in everything that follows the arm: what was given, the sheet, its rows and problems, its job.
"""

import re

import pytest
from django.contrib import admin
from django.urls import NoReverseMatch, reverse

from assays.actions import upload_plate_file
from experiments import outcomes
from experiments.actions import jobs
from experiments.actions.summaries import request_summary
from experiments.api.urls import RESOURCES
from experiments.models import (
    Allocation,
    Arm,
    DataChange,
    Endpoint,
    Enrolment,
    Estimate,
    Experiment,
    ImportRow,
    ImportRun,
    ImportTemplate,
    Job,
    Membership,
    OutcomeSummary,
    Procedure,
    Report,
    SourceFile,
)
from experiments.reports.outcome import render
from labdb.base.models import User
from labdb.base.trail.models import TrailEntry
from tests.conftest import set_masking
from tests.doors.rest_client import rest_client
from tests.experiments.sheet_imports import check, kept_template, mouse, sheet

pytestmark = pytest.mark.django_db

API = "/api/v1"
HIDDEN = (Allocation, Procedure, SourceFile, ImportRun, ImportRow, Job)
NOUNS = {
    Allocation: "allocations", Procedure: "procedures", SourceFile: "source-files", ImportRun: "import-runs",
    ImportRow: "import-rows", Job: "jobs",
}  # fmt: skip
UNMASKED, MASKED = (
    ("director", "scientist", "technician", "auditor"),
    ("assessor", "analyst", "manager", "administrator"),
)


@pytest.fixture
def blinded(experiment, animals, scientist, settings, tmp_path):
    """The experiment, blinded, with what follows the arms, and a checked sheet of it."""
    settings.LABDB_FILES_DIR = str(tmp_path)
    set_masking(experiment, "blinded")
    for enrolment in experiment.enrolments.select_related("allocation__arm"):
        given = f"SECRET {enrolment.allocation.arm.label}"
        Procedure(experiment=experiment, enrolment=enrolment, name="SECRET dose", description=given).save()
    row = mouse("M001", exp=experiment.code, arm="SECRET", given="SECRET cells")
    run = check(sheet(row, mouse("M002", exp="SECRET-9")), kept_template(), scientist, experiment=experiment)
    SourceFile.objects.update(name="SECRET.xlsx")
    Job.objects.update(error="SECRET", result={"SECRET": 1})
    ImportRun.objects.update(counts={"SECRET": 1})
    assert ImportRow.objects.count() == 2 and run.state == "checked"
    return experiment


@pytest.fixture
def person(member, blinded):
    def made(role: str) -> User:
        rights = {"manager": {"is_manager": True}, "administrator": {"is_superuser": True}}
        if role in rights:
            return User.objects.create_user(role, is_staff=True, **rights[role])
        return member(role, blinded)

    return made


def content(answer) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def rest_pages(experiment) -> list[str]:
    key = experiment.pk
    lists = [f"{API}/{noun}?limit=100" for noun in RESOURCES] + [f"{API}/assay-runs", f"{API}/wells"]
    rows = [f"{API}/{noun}/{model.objects.first().pk}" for model, noun in NOUNS.items()]
    files = [f"{API}/source-files/{row.pk}/content" for row in SourceFile.objects.all()]
    runs = [f"{API}/import-runs/{row.pk}/rows" for row in ImportRun.objects.all()]
    own = [f"{API}/experiments/{key}/dataset?format={kind}" for kind in ("csv", "json")]
    return [*lists, *rows, *files, *runs, *own, f"{API}/experiments/{key}", f"{API}/experiments/{key}/summary"]


def admin_pages(experiment) -> list[str]:
    found = ["/admin/", reverse("admin:search") + "?s=SECRET"]
    told = experiment.enrolments.select_related("animal").order_by("animal__lab_id")[1]
    rows = [experiment, told, told.animal, experiment.arms.first(), *(model.objects.first() for model in HIDDEN)]
    for model in admin.site._registry:
        if model._meta.app_label in ("experiments", "assays"):
            found.append(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"))
    for row in rows:
        for view in ("page", "change", "history", "delete", "download"):
            try:
                found.append(reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{view}", args=[row.pk]))
            except NoReverseMatch:  # a model without such a page
                continue
    return found


@pytest.mark.parametrize("role", MASKED)
def test_no_page_and_no_answer_tells_a_masked_person(role, person, blinded, client):
    someone = person(role)
    client.force_login(someone)
    api = rest_client(someone)
    told = [url for url in rest_pages(blinded) if b"SECRET" in content(api.get(url))]
    told += [
        url
        for url in admin_pages(blinded)
        if b"SECRET" in content(client.get(url, follow=True)).replace(b"?s=SECRET", b"")
    ]
    assert [url for url in told if "search" not in url] == []
    for model, noun in NOUNS.items():
        row = model.objects.first()
        assert api.get(f"{API}/{noun}").json()["count"] == 0, model
        assert api.get(f"{API}/{noun}/{row.pk}").status_code == 404, model
        assert not TrailEntry.objects.visible_to(someone).filter(table_name=model._meta.db_table).exists(), model


@pytest.mark.parametrize("role", UNMASKED)
def test_unmasked_members_read_all_of_it(role, person, blinded, client):
    """The twin: the word really stands there."""
    someone = person(role)
    client.force_login(someone)
    api = rest_client(someone)
    for model, noun in NOUNS.items():
        assert api.get(f"{API}/{noun}").json()["count"] == model.objects.count(), model
        if model is not Allocation:
            assert b"SECRET" in content(api.get(f"{API}/{noun}")), model
    if role == "technician":
        assert len([url for url in admin_pages(blinded) if b"SECRET" in content(client.get(url))]) > 15
    assert b"arm POI + MSC" in client.get(animal_page(blinded, "M002")).content
    assert "arm" in api.get(f"{API}/experiments/{blinded.pk}/dataset?format=csv").getvalue().decode().split("\n")[0]


def animal_page(experiment, lab_id: str) -> str:
    return reverse("admin:experiments_animal_page", args=[experiment.enrolments.get(animal__lab_id=lab_id).animal.pk])


def test_managers_are_unmasked_as_members_only(person, blinded):
    for role in ("manager", "administrator"):
        someone = person(role)
        Membership(experiment=blinded, user=someone, role="auditor").save()
        assert Allocation.objects.visible_to(someone).count() == 6


VOLATILE = re.compile(rb'(csrf\w*["\'] value=|nonce=|csrfToken: ?)["\'][^"\']*["\']|\d+ (minutes?|seconds?) ago')
SIGNED_AT = re.compile(rb'(name="_versions" value="[^":]*):[^"]*')


def seen_by(someone, experiment, client) -> dict[str, bytes]:
    client.force_login(someone)
    api = rest_client(someone)
    seen = {url: content(api.get(url)) for url in rest_pages(experiment)}
    seen |= {url: content(client.get(url, follow=True)) for url in admin_pages(experiment)}
    return {url: SIGNED_AT.sub(rb"\1", VOLATILE.sub(b"", told)) for url, told in seen.items()}


def _differing(before: bytes, after: bytes) -> list[tuple[bytes, bytes]]:
    lines = zip(before.splitlines(), after.splitlines(), strict=False)
    return [pair for pair in lines if pair[0] != pair[1]][:3]


@pytest.mark.parametrize("role", ["assessor"])
def test_nothing_differs_when_arms_are_swapped(role, person, blinded, client, scientist):
    """Every list, page, file and row, where two animals change their arms and all that follows them."""
    jobs.run(request_summary(experiment=blinded, by=scientist).pk)
    Job.objects.update(error="SECRET")
    someone = person(role)
    changes = set(DataChange.objects.values_list("pk", flat=True))
    before = seen_by(someone, blinded, client)
    for allocation in Allocation.objects.select_related("arm"):
        other = blinded.arms.exclude(pk=allocation.arm_id).get()
        Allocation.objects.filter(pk=allocation.pk).update(arm=other)
        Procedure.objects.filter(enrolment=allocation.enrolment_id).update(description=f"SECRET {other.label}")
    DataChange.objects.exclude(pk__in=changes).delete()
    after = seen_by(someone, blinded, client)
    assert {url: _differing(before[url], after[url]) for url in before if before[url] != after[url]} == {}


def test_digests_of_summaries_and_reports_do_not_follow_the_arms(blinded, scientist, animals):
    from datetime import UTC, datetime
    from decimal import Decimal

    from experiments.actions.jobs import Progress
    from experiments.actions.observations import NewObservation, record_observations

    weight, day_7 = Endpoint.objects.get(key="body_weight").pk, blinded.timepoints.get(study_day=7).pk
    at = datetime(2026, 3, 9, 9, tzinfo=UTC)
    new = [
        NewObservation(weight, at, animal=a.pk, timepoint=day_7, number=Decimal(20 + i)) for i, a in enumerate(animals)
    ]
    record_observations(experiment=blinded, observations=new, by=scientist)
    jobs.run(request_summary(experiment=blinded, by=scientist).pk)

    def digests() -> tuple:
        (inputs,) = outcomes.read_inputs(blinded)[1]
        return inputs.sha256, render(blinded, Progress()).inputs_sha256

    before = digests()
    arms = list(blinded.arms.all())
    for allocation in Allocation.objects.all():
        other = arms[1] if allocation.arm_id == arms[0].pk else arms[0]
        Allocation.objects.filter(pk=allocation.pk).update(arm=other)
    DataChange.objects.all().delete()
    assert digests() == before
    assert {tuple(e.n_by_arm) for e in Estimate.objects.all()} <= {("all arms",), ()}


def test_keys_that_are_hidden_cannot_be_halved(person, blinded, client):
    """``?allocation__lt=`` on enrolments and ``?allocations__lt=`` on arms together tell who is in which arm."""
    client.force_login(person("assessor"))
    key = Allocation.objects.order_by("pk")[2].pk
    for model, lookups in ((Enrolment, ("allocation", "procedures")), (Arm, ("allocations",))):
        url = reverse(f"admin:experiments_{model._meta.model_name}_changelist")
        for name in lookups:
            for lookup in (name, f"{name}__lt", f"{name}__in", f"{name}__isnull", f"{name}__pk__gte", f"{name}__arm"):
                answer = client.get(url, {lookup: str(key)})
                assert answer.status_code in (302, 400), (model, lookup)
                assert answer.status_code == 400 or answer.url.endswith("?e=1"), (model, lookup)
    animals = reverse("admin:experiments_animal_changelist")
    assert client.get(animals, {"enrolments__experiment__id__exact": str(blinded.pk)}).status_code == 200
    for lookup in ("enrolments__allocation__arm", "enrolments__allocation__lt", "enrolments__procedures__description"):
        assert client.get(animals, {lookup: str(key)}).status_code in (302, 400)
    rest = rest_client(person("assessor"))
    for noun in ("animals", "enrolments", "arms", "observations"):
        assert rest.get(f"{API}/{noun}", {"allocation": str(key)}).status_code == 400


def test_no_autocomplete_offers_what_is_hidden(person, blinded, client):
    client.force_login(person("assessor"))
    url = reverse("admin:autocomplete")
    for model, model_admin in admin.site._registry.items():
        for name in model_admin.autocomplete_fields:
            asked = {"app_label": model._meta.app_label, "model_name": model._meta.model_name, "field_name": name}
            answer = client.get(url, {**asked, "term": ""})
            assert b"SECRET" not in answer.content and b"M001: " not in answer.content


def test_an_observation_does_not_name_the_sheet_that_it_came_from(person, blinded, animals, scientist, client):
    """A laboratory that keeps a sheet an arm calls it so."""
    from datetime import UTC, datetime
    from decimal import Decimal

    from experiments.actions.observations import NewObservation, record_observations

    weight, at = Endpoint.objects.get(key="body_weight").pk, datetime(2026, 3, 9, 9, tzinfo=UTC)
    new = NewObservation(weight, at, animal=animals[0].pk, number=Decimal(20), source_file=SourceFile.objects.get().pk)
    record_observations(experiment=blinded, observations=[new], by=scientist)
    pages = [
        reverse("admin:experiments_observation_changelist"),
        reverse("admin:experiments_observation_change", args=[new.id]),
    ]
    for role, is_told in (("assessor", False), ("manager", False), ("technician", True)):
        client.force_login(person(role))
        assert [b"SECRET" in client.get(page).content for page in pages] == [is_told] * 2, role


def test_a_report_and_a_summary_name_their_job_to_whoever_sees_the_job(person, blinded, animals, scientist, client):
    jobs.run(request_summary(experiment=blinded, by=scientist).pk)
    job = Job.objects.get(kind="summarise")
    report = Report(experiment=blinded, job=job)
    report.save()
    summary = OutcomeSummary(
        experiment=blinded, endpoint=Endpoint.objects.get(key="body_weight"), scale="identity", inputs_sha256="0" * 64,
        methods={"a": "1"}, computed_at=job.requested_at, job=job,
    )  # fmt: skip
    summary.save()
    pages = [
        reverse("admin:experiments_report_change", args=[report.pk]),
        reverse("admin:experiments_outcomesummary_change", args=[summary.pk]),
    ]
    for role, is_told in (("assessor", False), ("manager", False), ("technician", True)):
        client.force_login(person(role))
        answers = [client.get(page) for page in pages]
        assert [answer.status_code for answer in answers] == [200, 200]
        assert [str(job.pk).encode() in answer.content for answer in answers] == [is_told] * 2, role
        assert [b"summarise (done)" in answer.content for answer in answers] == [is_told] * 2, role


def test_an_assessor_imports_no_sheet_and_none_tells_her_the_arms(person, blinded, scientist):
    """Neither there nor by the way of another experiment, in which she is a scientist."""
    assessor = person("assessor")
    template = ImportTemplate.objects.get(name="small")
    template_key = str(ImportRun.objects.values_list("template", flat=True).first())
    place = f"{API}/import-runs"
    send = {"template": template_key, "experiment": str(blinded.pk)}
    assert _post_sheet(rest_client(assessor), place, send).status_code == 403
    other = Experiment(code="HERS", title="hers", masking="open_label")
    other.save()
    Membership(experiment=other, user=assessor, role="scientist").save()
    assert _post_sheet(rest_client(assessor), place, send).status_code == 403
    arms = {label: sheet(mouse("M001", exp=blinded.code, arm=label)) for label in ("POI + PBS", "POI + MSC")}
    told = {}
    for label, data in arms.items():
        run = check(data, template, assessor)
        told[label] = [(p["rule"], p["message"]) for row in run.rows.all() for p in row.problems], run.counts
    assert told["POI + PBS"] == told["POI + MSC"]
    rules = {rule for rule, _ in told["POI + PBS"][0]}
    assert "experiment_not_writable" in rules and "recorded_arm" not in rules


def _post_sheet(api, place: str, values: dict[str, str]):
    from django.core.files.uploadedfile import SimpleUploadedFile

    file = SimpleUploadedFile("mice.xlsx", sheet(mouse("M001")))
    return api.post(place, {**values, "file": file}, format="multipart")


def test_sending_the_same_bytes_tells_nothing_of_a_hidden_file(person, blinded):
    """A guess at a sheet's bytes is not answered by the sheet."""
    hidden = SourceFile.objects.get()
    assessor = person("assessor")
    run = upload_plate_file(
        experiment=blinded, endpoint=Endpoint.objects.get(key="e2"), kind="elisa", data=hidden.read(), name="guess.txt",
        by=assessor,
    )  # fmt: skip
    assert (run.source_file.name, run.source_file.uploaded_by) == ("guess.txt", assessor)
    assert list(SourceFile.objects.visible_to(assessor)) == [run.source_file]


def test_masked_people_see_the_jobs_that_they_asked_for(person, blinded, client):
    analyst = person("analyst")
    asked = rest_client(analyst).post(f"{API}/experiments/{blinded.pk}/summarise")
    assert list(Job.objects.visible_to(analyst)) == [Job.objects.get(pk=asked.json()["id"])]
    assert not Job.objects.visible_to(person("assessor")).exists()
    client.force_login(analyst)
    page = client.get(reverse("admin:experiments_experiment_page", args=[blinded.pk])).content
    assert b"Summarise" in page and b"Check import" not in page


def test_the_masked_write_no_allocation_and_learn_nothing_by_trying(person, blinded):
    enrolment, arms = blinded.enrolments.first(), list(blinded.arms.all())
    answers = set()
    for arm in arms:
        body = {"experiment": str(blinded.pk), "enrolment": str(enrolment.pk), "arm": str(arm.pk)}
        answer = rest_client(person("assessor")).post(f"{API}/allocations", body, format="json")
        answers.add((answer.status_code, answer.content))
    assert len(answers) == 1 and answers.pop()[0] == 403


def test_arms_are_counted_for_nobody_before_unblinding(person, blinded, client, scientist):
    """Arms as a list of planned labels may be seen."""
    jobs.run(request_summary(experiment=blinded, by=scientist).pk)
    page = reverse("admin:experiments_experiment_page", args=[blinded.pk])
    for someone in (person("assessor"), scientist):
        client.force_login(someone)
        shown = re.sub(r"\s+", " ", client.get(page).content.decode())
        assert "POI + MSC" in shown and "numbers are pooled" in shown
        assert re.search(r"All arms</td> <td[^>]*></td> <td[^>]*>6</td>", shown)
        assert rest_client(someone).get(f"{API}/arms").json()["count"] == 2
    assert not OutcomeSummary.objects.filter(estimates__arm__isnull=False).exists()
    assert not Report.objects.exists()
