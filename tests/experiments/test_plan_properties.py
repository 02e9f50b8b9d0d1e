"""The plan is the same whatever the order of the steps, and replanning once is enough."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from experiments.actions.planning import plan_procedures, replan_procedures
from experiments.actions.protocols import issue_version
from experiments.models import ArmProtocol, Enrolment, PlannedProcedure, Protocol, ProtocolStep, ProtocolVersion
from tests.experiments.protocol_rows import DAY_0

pytestmark = pytest.mark.django_db
step = st.tuples(
    st.integers(0, 4),  # the step before it that it follows, counted back; 0: day 0
    st.integers(-5, 30),
    st.integers(0, 3),
    st.integers(1, 4),
    st.integers(1, 7),
)


def protocol(steps, order, by):
    """A version with ``steps``, written in ``order``."""
    made = Protocol(name=f"protocol {Protocol.objects.count()}")
    made.save()
    version = ProtocolVersion(protocol=made, number=1)
    version.save()
    rows = []
    for number, (back, day, window, repeats, every) in enumerate(steps):
        after = rows[number - back] if 0 < back <= number else None
        rows.append(
            ProtocolStep(
                version=version, name=f"step {number}", kind="other", after=after, relative_day=day, repeats=repeats,
                every_days=every, window_after_days=window, position=order[number],
            )
        )  # fmt: skip
    ProtocolStep.objects.bulk_create([rows[place] for place in order])  # a step may come before the one that it follows
    return issue_version(version=version, by=by)


def days_of(enrolment):
    rows = PlannedProcedure.objects.filter(enrolment=enrolment, state="planned")
    return sorted(rows.values_list("step__name", "repeat", "due_on", "earliest_on", "latest_on"))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(step, min_size=1, max_size=6), data=st.data())
def test_a_plan_follows_from_its_steps_alone(experiment, animals, scientist, steps, data):
    PlannedProcedure.objects.all().delete()
    ArmProtocol.objects.all().delete()
    order = data.draw(st.permutations(range(len(steps))))
    one, other = protocol(steps, list(range(len(steps))), scientist), protocol(steps, order, scientist)
    arms = list(experiment.arms.all())
    for version, arm in zip((one, other), arms, strict=True):
        ArmProtocol(arm=arm, version=version).save()
    pair = [Enrolment.objects.filter(allocation__arm=arm).first() for arm in arms]
    for enrolment in pair:
        Enrolment.objects.filter(pk=enrolment.pk).update(day_0=DAY_0)
    plan_procedures(experiment=experiment, by=scientist, enrolments=pair)
    assert days_of(pair[0]) == days_of(pair[1])
    # another day 0, then back: replanning moves everything once, and comes to the same plan
    before, shift = days_of(pair[0]), data.draw(st.integers(1, 9))
    for day_0 in (DAY_0 + timedelta(shift), DAY_0):
        Enrolment.objects.filter(pk=pair[0].pk).update(day_0=day_0)
        replan_procedures(experiment=experiment, reason="day 0", by=scientist, enrolments=pair)
        again = replan_procedures(experiment=experiment, reason="day 0", by=scientist, enrolments=pair)
        assert (again.added, again.changes, again.surplus) == (0, [], [])
    assert days_of(pair[0]) == before
