"""What only shows when the rows of a sheet are laid beside each other, or a row's dates beside its birth."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence

from experiments.sheets.lines import Line, LineReader
from experiments.sheets.problems import Place, first_few


def check_lines(lines: Sequence[Line], reader: LineReader) -> None:
    for line in lines:
        _check_birth(line, reader)
    _check_repeats(lines, reader)
    for name in ("title", "started_on"):
        _check_agreement(lines, reader, name, ("experiment",), "experiment", reader.log.error)
    for name in ("dam", "born_on"):
        _check_agreement(lines, reader, name, ("experiment", "litter"), "litter", reader.log.error)
    _check_agreement(lines, reader, "arm_description", ("experiment", "arm"), "arm", reader.log.warn)
    _check_dates(lines, reader)
    _check_start(lines, reader)


def _value(line: Line, name: str) -> Hashable:
    return line.texts[name] if name in line.texts else getattr(line, name)


def _groups(lines: Iterable[Line], names: Sequence[str]) -> list[list[Line]]:
    """Lines that share these fields; a line that lacks one of them belongs to no group."""
    groups: dict[tuple[Hashable, ...], list[Line]] = defaultdict(list)
    for line in lines:
        key = tuple(_value(line, name) for name in names)
        if all(key):
            groups[key].append(line)
    return list(groups.values())


def _check_birth(line: Line, reader: LineReader) -> None:
    born = line.born_on
    if born is None:
        return
    expected = f"a day on or after the birth on {born}"
    for name in ("started_on", "day_0"):
        day = getattr(line, name)
        if day and day < born:
            _before_birth(line, reader, name, day, expected)
    for _, _, day, place in line.treatments:
        if day and day < born:
            reader.log.error(place, day, expected, "before_birth")
    dated = [(weighed.day, weighed.place) for weighed in line.weighed]
    dated += [(line.ended.day, line.ended.place)] if line.ended else []
    for day, place in dated:
        if day < born:
            reader.log.error(place, day, expected, "before_birth")


def _before_birth(line: Line, reader: LineReader, name: str, day: object, expected: str) -> None:
    """An experiment may begin before an animal of it is born (offspring); its own day 0 may not."""
    report = reader.log.error if name == "day_0" else reader.log.warn
    report(reader.place_of(line, name), day, expected, "before_birth" if name == "day_0" else "started_before_birth")


def _check_repeats(lines: Sequence[Line], reader: LineReader) -> None:
    groups: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        if line.texts["animal"]:
            groups[line.texts["animal"].casefold()].append(line)
    for same in groups.values():
        if len(same) > 1:
            _check_repeated(same, reader)


def _check_repeated(same: list[Line], reader: LineReader) -> None:
    """Which of two rows of one mouse is the right one is not ours to say: both are held back."""
    enrolled = Counter(line.texts["experiment"] for line in same)
    identities = {(line.texts["strain"], line.sex, line.born_on, line.texts["animal"]) for line in same}
    for line in same:
        others = first_few(f"row {other.number}" for other in same if other is not line)
        place, animal = reader.place_of(line, "animal"), line.texts["animal"]
        if enrolled[line.texts["experiment"]] > 1:
            reader.log.error(place, animal, f"each animal once in an experiment; also in {others}", "repeated_animal")
        elif len(identities) > 1:
            expected = f"another identity, or the spelling, strain, sex and birth date of {others}"
            reader.log.error(place, animal, expected, "repeated_animal")
        else:
            expected = f"an animal in one experiment only; also in {others}"
            reader.log.warn(place, animal, expected, "animal_in_several_experiments")


def _check_agreement(
    lines: Sequence[Line],
    reader: LineReader,
    name: str,
    key: tuple[str, ...],
    what: str,
    report: Callable[[Place, object, str, str], None],
) -> None:
    """Rows of one experiment, litter or arm must say the same of it. Rows unlike the most frequent value are named;
    where no value is the most frequent one, all are."""
    if name not in reader.layout.fields:
        return
    for same in _groups(lines, key):
        counts = Counter(_value(line, name) for line in same)
        if len(counts) < 2:
            continue
        (common, most), (_, next_most) = counts.most_common(2)
        for line in same:
            value = _value(line, name)
            if value != common or most == next_most:
                rival = _rival(value, common, counts)
                where = first_few((f"row {other.number}" for other in same if _value(other, name) == rival), 3)
                group = " ".join(str(_value(line, part)) for part in key)
                expected = f"the same for the whole {what} {group}: {str(rival)!r} stands in {where}"
                report(reader.place_of(line, name), value, expected, f"conflicting_{name}")


def _rival(value: Hashable, common: Hashable, counts: Counter[Hashable]) -> Hashable:
    return common if value != common else next(other for other in counts if other != common)


def _check_dates(lines: Sequence[Line], reader: LineReader) -> None:
    """Where most animals of an experiment are weighed on the same days, another list is often a typing error."""
    index = reader.layout.dates
    if index is None:
        return
    for same in _groups((line for line in lines if line.dates), ("experiment",)):
        counts = Counter(line.dates for line in same)
        common, most = counts.most_common(1)[0]
        for line in same:
            if line.dates != common and most * 2 > len(same):
                differing = first_few(sorted(str(day) for day in set(line.dates) ^ set(common)))
                expected = f"the dates of the other {counts[common]} animals of {line.texts['experiment']}"
                reader.log.warn(reader.place(line, index), differing, expected, "dates_differ")


def _check_start(lines: Sequence[Line], reader: LineReader) -> None:
    if "started_on" not in reader.layout.fields:
        return
    for same in _groups(lines, ("experiment",)):
        early = [line for line in same if line.day_0 and line.started_on and line.day_0 < line.started_on]
        if early:
            first = early[0]
            expected = (
                f"day 0 on or after the start on {first.started_on} ({len(early)} rows of {first.texts['experiment']})"
            )
            reader.log.warn(reader.place_of(first, "day_0"), first.day_0, expected, "day_0_before_start")
