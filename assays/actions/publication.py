"""From an accepted run to observations: the only call from assays into the record."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from assays.models import AssayRun, Publication, Result
from experiments.actions.observations import NewObservation, noon, record_observations
from experiments.models import Enrolment
from labdb.base.access import require
from labdb.base.bulk import BulkRefused, bulk_insert
from labdb.base.verbs import verb

State = AssayRun.State


@verb
def publish_run(*, run: AssayRun, by: Any) -> int:
    """Record one observation a specimen (or animal) and endpoint, and return their number. A run is published once.

    Controls, excluded results, results without a number and samples that are no specimen are left out; they stay in
    the run. Qualifier and limit are kept; the unit is converted to the endpoint's.

    Raises:
        ValidationError: the run is not accepted; several results claim one specimen; a unit that does not fit; an
            endpoint that already has its observation. Everything at once.
        PermissionDenied: ``by`` may not publish runs of the experiment.
    """
    require(by, "publish", run)
    held = AssayRun.objects.select_for_update(of=("self",)).get(pk=run.pk)
    if held.state != State.ACCEPTED:
        raise ValidationError({"state": f"The run is {held.state}; only an accepted run is published, once."})
    results = _chosen(held)
    observations = _observations(held, results)
    _record(held, results, observations, by)
    rows = [(held.pk, r.pk, o.id) for r, o in zip(results, observations, strict=True)]
    bulk_insert(Publication, ("run", "result", "observation"), rows)
    published = {"state": State.PUBLISHED, "published_by": by, "published_at": timezone.now()}
    if not AssayRun.objects.filter(pk=held.pk, state=State.ACCEPTED).update(**published):
        raise ValidationError({"state": "The run was published by someone else."})
    run.refresh_from_db()
    return len(observations)


def publishable(run: AssayRun) -> Iterable[Result]:
    """Results of samples that have a subject and a number and are not excluded."""
    results = run.result_rows.filter(role="sample", is_excluded=False, animal__isnull=False, endpoint__isnull=False)
    return results.exclude(qualifier="").select_related("specimen", "animal", "endpoint")


def _chosen(run: AssayRun) -> list[Result]:
    by_subject: dict[tuple, list[Result]] = {}
    for result in publishable(run):
        by_subject.setdefault((result.endpoint_id, result.animal_id, result.specimen_id), []).append(result)
    problems: list[str] = []
    chosen = [_one_of(results, problems) for results in by_subject.values()]
    problems += [
        f"{r.sample}: the unit of the result is not known; give it in the parameters"
        for r in chosen
        if not r.unit and r.endpoint is not None and r.endpoint.unit
    ]
    if not chosen:
        problems.append("No result of this run belongs to a specimen of the experiment and has a number.")
    if problems:
        raise ValidationError({"results": problems})
    return chosen


def _one_of(results: Sequence[Result], problems: list[str]) -> Result:
    """The result that speaks for a specimen: the only one, or the only one within the standards."""
    within = [result for result in results if result.qualifier == "="]
    if len(results) > 1 and len(within) != 1:
        claims = "; ".join(f"{r.shown_value} in {r.places} (dilution {r.dilution_factor})" for r in results)
        problems.append(f"{results[0].sample} has {len(results)} results: {claims}. Exclude all but one.")
    return within[0] if len(within) == 1 else results[0]


def _observations(run: AssayRun, results: Sequence[Result]) -> list[NewObservation]:
    days = _instants(run, results)
    problems: list[str] = []
    made = []
    for result in results:
        observed_at = result.specimen.collected_at if result.specimen else days.get(result.animal_id)
        if observed_at is None:
            problems.append(f"{result.sample}: the animal has no day 0, so its timepoint has no date")
            continue
        made.append(_observation(run, result, observed_at))
    if problems:
        raise ValidationError({"results": problems})
    return made


def _instants(run: AssayRun, results: Sequence[Result]) -> dict[Any, datetime]:
    """The instant of the run's timepoint for every animal that has a day 0 (results without specimen stand there)."""
    if run.timepoint is None:
        return {}
    animals = [result.animal_id for result in results if result.specimen is None]
    enrolled = Enrolment.objects.filter(experiment=run.experiment_id, animal__in=animals, day_0__isnull=False)
    after = timedelta(days=run.timepoint.study_day)
    return {e.animal_id: noon(e.day_0 + after) for e in enrolled if e.day_0}


def _observation(run: AssayRun, result: Result, observed_at: datetime) -> NewObservation:
    specimen = result.specimen
    return NewObservation(
        endpoint=result.endpoint_id,  # type: ignore[arg-type]
        observed_at=observed_at,
        animal=result.animal_id,
        timepoint=specimen.timepoint_id if specimen else run.timepoint_id,
        number=result.number,
        unit=result.unit,
        qualifier=result.qualifier,
        is_time_known=specimen is not None,
        specimen=specimen.pk if specimen else None,
        source_file=run.source_file_id,
        source_place=result.places[:120],
    )


def _record(run: AssayRun, results: Sequence[Result], observations: Sequence[NewObservation], by: Any) -> None:
    try:
        record_observations(experiment=run.experiment, observations=observations, by=by)
    except BulkRefused as refused:
        told = [f"{results[p.row].sample}, {p.field}: {p.message}" for p in refused.problems]
        raise ValidationError({"results": told}) from refused
