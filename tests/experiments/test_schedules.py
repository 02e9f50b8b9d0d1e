"""Scheduled reports: each due time once, however many beats ask and whatever the clocks do."""

import threading
from datetime import UTC, datetime, time, timedelta

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from experiments.actions.reports import keep_schedule, last_due_at, open_due_reports
from experiments.models import Job, Report, ReportSchedule
from tests.doors.browser_forms import shown_form

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def schedule(experiment, since=LONG_AGO, **fields):
    made = ReportSchedule(experiment=experiment, **{"cadence": "daily", "at_time": time(7), **fields})
    made.active_since = since
    made.save()
    return made


def at(text):
    return datetime.fromisoformat(text)


@pytest.mark.django_db
def test_a_due_report_is_opened_once_with_its_job(experiment):
    daily = schedule(experiment)
    assert open_due_reports(now=at("2026-06-01T06:59:59+00:00")) == 1  # yesterday's, which nobody had asked for
    assert open_due_reports(now=at("2026-06-01T07:00:00+00:00")) == 1
    assert open_due_reports(now=at("2026-06-01T23:00:00+00:00")) == 0
    reports = Report.objects.filter(schedule=daily).order_by("due_at")
    assert [r.due_at for r in reports] == [at("2026-05-31T07:00:00+00:00"), at("2026-06-01T07:00:00+00:00")]
    assert all(r.job.kind == "render_report" and r.job.subject_id == r.pk for r in reports)


@pytest.mark.django_db
def test_a_schedule_made_after_its_time_does_not_fire_for_the_past(experiment):
    schedule(experiment, since=at("2026-06-01T09:00:00+00:00"))
    assert open_due_reports(now=at("2026-06-01T10:00:00+00:00")) == 0
    assert open_due_reports(now=at("2026-06-02T07:00:00+00:00")) == 1


@pytest.mark.django_db
def test_an_inactive_schedule_opens_nothing(experiment):
    schedule(experiment, is_active=False)
    assert open_due_reports(now=at("2026-06-01T10:00:00+00:00")) == 0


@pytest.mark.django_db
@pytest.mark.parametrize("change", [{"at_time": time(0)}, {"time_zone": "Asia/Tokyo"}, {"is_active": True}])
def test_a_changed_schedule_does_not_fire_for_the_past(experiment, scientist, change):
    kept = schedule(experiment, at_time=time(9), is_active="is_active" not in change)
    before = timezone.now()
    for name, value in change.items():
        setattr(kept, name, value)
    keep_schedule(schedule=kept, by=scientist)
    assert kept.active_since >= before
    assert open_due_reports(now=before) == 0
    assert open_due_reports(now=before + timedelta(days=2)) == 1


@pytest.mark.django_db
def test_a_schedule_that_is_kept_unchanged_stays_due(experiment, scientist):
    kept = schedule(experiment)
    keep_schedule(schedule=kept, by=scientist)
    assert kept.active_since == LONG_AGO
    assert open_due_reports(now=at("2026-06-01T10:00:00+00:00")) == 1


@pytest.mark.django_db
def test_rest_and_admin_change_schedules_alike(experiment, scientist, client):
    by_rest, by_admin = schedule(experiment), schedule(experiment, at_time=time(8))
    rest = APIClient()
    rest.force_authenticate(scientist)
    address = "/api/v1/report-schedules"
    moved = rest.patch(f"{address}/{by_rest.pk}", {"at_time": "06:00"}, format="json", HTTP_IF_MATCH="*")
    assert moved.status_code == 200
    scientist.is_staff = True
    scientist.save()
    client.force_login(scientist)
    form = {"experiment": experiment.pk, "cadence": "daily", "at_time": "05:00", "time_zone": "UTC", "is_active": "on"}
    page = reverse("admin:experiments_reportschedule_change", args=[by_admin.pk])
    assert client.post(page, shown_form(client.get(page)) | form).status_code == 302
    assert not ReportSchedule.objects.filter(active_since=LONG_AGO).exists()
    added = rest.post(
        address, {"experiment": str(experiment.pk), "at_time": "06:00", "cadence": "daily"}, format="json"
    )
    assert added.status_code == 201
    assert ReportSchedule.objects.get(pk=added.json()["id"]).created_by == scientist


@pytest.mark.django_db
def test_after_a_downtime_only_the_latest_due_time_is_opened(experiment):
    daily = schedule(experiment)
    open_due_reports(now=at("2026-06-01T07:00:00+00:00"))
    assert open_due_reports(now=at("2026-06-09T12:00:00+00:00")) == 1
    assert max(Report.objects.filter(schedule=daily).values_list("due_at", flat=True)) == at(
        "2026-06-09T07:00:00+00:00"
    )


def opened_over(experiment, first, last):
    """Due times opened by a beat that asks every ten minutes from ``first`` to ``last``."""
    now = at(first)
    while now <= at(last):
        open_due_reports(now=now)
        now += timedelta(minutes=10)
    return sorted(Report.objects.filter(experiment=experiment).values_list("due_at", flat=True))


# 2026-03-29: Zurich's clocks go from 02:00 to 03:00. 2026-10-25: from 03:00 back to 02:00.
CHANGES = [
    ("daily", {}, time(2, 30), "2026-03-28T20:00:00+00:00", "2026-03-30T12:00:00+00:00",
     ["2026-03-29T03:30:00+02:00", "2026-03-30T02:30:00+02:00"]),
    ("daily", {}, time(2, 30), "2026-10-24T20:00:00+00:00", "2026-10-26T12:00:00+00:00",
     ["2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"]),
    ("daily", {}, time(7), "2026-10-24T20:00:00+00:00", "2026-10-26T12:00:00+00:00",
     ["2026-10-25T07:00:00+01:00", "2026-10-26T07:00:00+01:00"]),
    ("weekly", {"weekday": 6}, time(2, 30), "2026-10-24T20:00:00+00:00", "2026-11-01T12:00:00+00:00",
     ["2026-10-25T02:30:00+02:00", "2026-11-01T02:30:00+01:00"]),
    ("monthly", {"day_of_month": 25}, time(2, 30), "2026-10-24T20:00:00+00:00", "2026-10-27T12:00:00+00:00",
     ["2026-10-25T02:30:00+02:00"]),
]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize(("cadence", "fields", "hour", "first", "last", "expected"), CHANGES)
def test_daylight_saving_changes_lose_none_and_double_none(experiment, cadence, fields, hour, first, last, expected):
    schedule(experiment, at(first), cadence=cadence, at_time=hour, time_zone="Europe/Zurich", **fields)
    assert opened_over(experiment, first, last) == [at(text) for text in expected]


def test_the_last_due_time_of_a_month_before_its_day():
    monthly = ReportSchedule(cadence="monthly", day_of_month=15, at_time=time(8), time_zone="UTC")
    assert last_due_at(monthly, at("2026-08-15T07:59:00+00:00")) == at("2026-07-15T08:00:00+00:00")


def test_two_beats_at_once_open_a_report_once(committed_db, experiment):
    for minute in range(10):
        schedule(experiment, at_time=time(7, minute))
    now, opened, together = at("2026-06-01T12:00:00+00:00"), [], threading.Barrier(2)

    def beat():
        try:
            together.wait()
            opened.append(open_due_reports(now=now))
        finally:
            connection.close()

    beats = [threading.Thread(target=beat) for _ in range(2)]
    for thread in beats:
        thread.start()
    for thread in beats:
        thread.join()
    assert len(opened) == 2
    assert sum(opened) == Report.objects.count() == Job.objects.filter(kind="render_report").count() == 10
