"""Computing outcome summaries: asked for by a person or by changed data, done by a worker, kept with their history."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from experiments import outcomes
from experiments.actions.jobs import Progress, request_job, work
from experiments.models import DataChange, Estimate, Experiment, Job, OutcomeSummary
from labdb.base.access import require
from labdb.base.verbs import verb

SUMMARISE = "summarise"
TAKEN_OVER = ("quantity", "scale", "estimate", "lower", "upper", "level", "statistic", "df1", "df2", "p_value") + (
    "method_key", "method_version", "method", "reference",
)  # fmt: skip


@verb
def request_summary(*, experiment: Experiment, by: Any) -> Job:
    """Ask for the experiment's summaries to be brought up to date."""
    require(by, "summarise", experiment)
    return request_job(kind=SUMMARISE, subject_id=experiment.pk, experiment=experiment, by=by)


def request_stale_summaries() -> int:
    """Queue one job for every experiment whose data changed since it was last summarised."""
    last_change = DataChange.objects.values("experiment").annotate(at=Max("changed_at")).values("experiment", "at")
    changed_at = {row["experiment"]: row["at"] for row in last_change}
    # What failed fails again until something changes, or a person asks.
    failed = Job.objects.filter(kind=SUMMARISE, state=Job.State.FAILED, subject_id__in=changed_at)
    failed_at = dict(failed.values("subject_id").annotate(at=Max("finished_at")).values_list("subject_id", "at"))
    waiting = [key for key, at in changed_at.items() if key not in failed_at or failed_at[key] < at]
    for experiment in Experiment.objects.filter(pk__in=waiting):
        request_job(kind=SUMMARISE, subject_id=experiment.pk, experiment=experiment)
    return len(waiting)


def is_stale(experiment: Experiment) -> bool:
    return DataChange.objects.filter(experiment=experiment).exists()


@work(SUMMARISE)
@transaction.atomic
def summarise(job: Job, progress: Progress) -> dict[str, Any]:
    """Compute the summaries whose inputs changed; an unchanged endpoint costs its digest."""
    experiment = Experiment.objects.select_for_update(of=("self",), no_key=True).get(pk=job.subject_id)
    # What changes from here on is a change since this summary: those rows stay.
    seen = list(DataChange.objects.filter(experiment=experiment).values_list("pk", flat=True))
    design, inputs = outcomes.read_inputs(experiment)
    current = {s.endpoint_id: s for s in OutcomeSummary.objects.filter(experiment=experiment, is_current=True)}
    changed = [i for i in inputs if _digest_of(current.get(i.endpoint.pk)) != i.sha256]
    summaries: list[OutcomeSummary] = []
    rows: list[Estimate] = []
    for done, each in enumerate(changed):
        progress(done, len(changed), each.endpoint.name)
        summaries.append(_summary(experiment, each, job))
        rows += _rows(summaries[-1], each, design)
    _store(experiment, summaries, rows)
    gone = set(current) - {i.endpoint.pk for i in inputs}
    OutcomeSummary.objects.filter(experiment=experiment, endpoint__in=gone, is_current=True).update(is_current=False)
    DataChange.objects.filter(pk__in=seen).delete()
    return {"endpoints": len(inputs), "computed": len(changed), "unchanged": len(inputs) - len(changed)}


def _digest_of(summary: OutcomeSummary | None) -> str | None:
    return summary.inputs_sha256 if summary else None


def _summary(experiment: Experiment, inputs: outcomes.Inputs, job: Job) -> OutcomeSummary:
    return OutcomeSummary(
        experiment=experiment,
        endpoint=inputs.endpoint,
        scale=inputs.scale,
        inputs_sha256=inputs.sha256,
        methods=inputs.methods,
        computed_at=timezone.now(),
        job=job,
    )


def _rows(summary: OutcomeSummary, inputs: outcomes.Inputs, design: outcomes.Design) -> Iterable[Estimate]:
    arms = {} if design.is_blinded else {arm.label: arm.pk for arm in design.arms}
    for timepoint, e in outcomes.estimates(inputs, design):
        yield Estimate(
            summary=summary,
            timepoint_id=timepoint,
            arm_id=arms.get(e.arm or ""),
            reference_arm_id=arms.get(e.reference_arm or ""),
            n_by_arm=dict(e.n),
            warnings=list(e.warnings),
            refused=e.refused or "",
            **{name: getattr(e, name) for name in TAKEN_OVER},
        )


def _store(experiment: Experiment, summaries: list[OutcomeSummary], rows: list[Estimate]) -> None:
    """Put ``summaries`` in the place of the earlier ones of their endpoints, which stay.

    The statistics' own vocabulary has validated every number; the constraints of the tables see them again.
    """
    earlier = OutcomeSummary.objects.filter(experiment=experiment, is_current=True)
    earlier.filter(endpoint__in=[summary.endpoint for summary in summaries]).update(is_current=False)
    OutcomeSummary.objects.bulk_create(summaries)
    Estimate.objects.bulk_create(rows, batch_size=5000)
