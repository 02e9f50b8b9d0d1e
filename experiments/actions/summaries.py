"""Computing outcome summaries: asked for by a person or by changed data, done by a worker, kept with their history."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils import timezone

from experiments import outcomes
from experiments.actions.jobs import Progress, request_job, work
from experiments.models import DataChange, Estimate, Experiment, Job, OutcomeSummary
from labdb.base.access import require

SUMMARISE = "summarise"


def request_summary(*, experiment: Experiment, by: Any) -> Job:
    """Ask for the experiment's summaries to be brought up to date."""
    require(by, "change", experiment)
    return request_job(kind=SUMMARISE, subject_id=experiment.pk, experiment=experiment, by=by)


def request_stale_summaries() -> int:
    """Queue one job for every experiment whose data changed since it was last summarised."""
    changed = Experiment.objects.filter(pk__in=DataChange.objects.values("experiment"))
    for experiment in changed:
        request_job(kind=SUMMARISE, subject_id=experiment.pk, experiment=experiment)
    return len(changed)


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
    for done, each in enumerate(changed):
        progress(done, len(changed), each.endpoint.name)
        _store(experiment, each, design, job, current.get(each.endpoint.pk))
    gone = set(current) - {i.endpoint.pk for i in inputs}
    OutcomeSummary.objects.filter(experiment=experiment, endpoint__in=gone, is_current=True).update(is_current=False)
    DataChange.objects.filter(pk__in=seen).delete()
    return {"endpoints": len(inputs), "computed": len(changed), "unchanged": len(inputs) - len(changed)}


def _digest_of(summary: OutcomeSummary | None) -> str | None:
    return summary.inputs_sha256 if summary else None


def _store(
    experiment: Experiment,
    inputs: outcomes.Inputs,
    design: outcomes.Design,
    job: Job,
    earlier: OutcomeSummary | None,
) -> None:
    if earlier:
        OutcomeSummary.objects.filter(pk=earlier.pk).update(is_current=False)
    summary = OutcomeSummary(
        experiment=experiment,
        endpoint=inputs.endpoint,
        scale=inputs.scale,
        inputs_sha256=inputs.sha256,
        methods=inputs.methods,
        computed_at=timezone.now(),
        job=job,
    )
    summary.save()
    # The statistics' own vocabulary has validated every number; the table's constraints see them again.
    Estimate.objects.bulk_create(_rows(summary, inputs, design), batch_size=1000)


def _rows(summary: OutcomeSummary, inputs: outcomes.Inputs, design: outcomes.Design) -> Iterable[Estimate]:
    arms = {} if design.is_blinded else {arm.label: arm.pk for arm in design.arms}
    for timepoint, e in outcomes.estimates(inputs, design):
        fields = e.as_dict() | {"refused": e.refused or "", "n_by_arm": dict(e.n)}
        arm, reference_arm = (arms.get(fields.pop(name) or "") for name in ("arm", "reference_arm"))
        del fields["n"]
        yield Estimate(summary=summary, timepoint_id=timepoint, arm_id=arm, reference_arm_id=reference_arm, **fields)
