"""Follicle counts: estimates by ovary and animal."""

import pytest

from assays.kinds import ParameterError
from assays.kinds.follicle_count import Parameters, Tally, check, quantify


def rows(counts: dict[tuple[str, str, str], list[int]]) -> list[Tally]:
    made = []
    for (animal, side, name), values in counts.items():
        made += [Tally(animal, side, 1 + i, name, value, len(made) + i + 2) for i, value in enumerate(values)]
    return made


def test_both_ovaries_times_the_step() -> None:
    tally = rows({("m1", "left", "primordial"): [3, 0, 4], ("m1", "right", "primordial"): [2, 5, 0]})
    result = quantify(tally, Parameters(every_nth=5))
    assert [(s.side, s.raw, s.sections, s.estimate) for s in result.sides] == [("left", 7, 3, 35), ("right", 7, 3, 35)]
    animal = result.animals[0]
    assert (animal.raw, animal.estimate, animal.sides, animal.flags) == (14, 70, ("left", "right"), ())


def test_an_ovary_that_was_not_tallied_is_no_zero() -> None:
    tally = rows({("m1", "left", "antral"): [1], ("m1", "right", "antral"): [2], ("m1", "left", "primary"): [6]})
    found = {a.follicle_class: a for a in quantify(tally, Parameters(every_nth=10)).animals}
    assert found["antral"].estimate == 30
    assert (found["primary"].estimate, found["primary"].flags) == (None, ("side_not_tallied",))
    one = {a.follicle_class: a for a in quantify(tally, Parameters(every_nth=10, sides_required=1)).animals}
    assert one["primary"].estimate == 60


def test_every_problem_at_once() -> None:
    bad = [
        Tally("", "middle", 0, "tertiary", -1, 2),
        Tally("m", "left", 1, "antral", 1, 3),
        Tally("m", "left", 1, "antral", 2, 4),
    ]
    found = [problem for problem in check(bad, Parameters()) if problem.blocking]
    assert [problem.line for problem in found] == [2, 2, 2, 2, 2, 4]
    with pytest.raises(ParameterError, match="already tallied on line 3"):
        quantify(bad, Parameters())
    with pytest.raises(ParameterError, match="empty"):
        quantify([], Parameters())
    with pytest.raises(ParameterError, match="every_nth"):
        Parameters(every_nth=0)


def test_a_section_without_a_row_is_reported() -> None:
    tally = [*rows({("m", "left", "antral"): [1, 1]}), Tally("m", "left", 1, "primary", 2, 9)]
    assert any("primary, sections 2" in str(problem) for problem in check(tally, Parameters()))
