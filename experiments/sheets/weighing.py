"""The weighing cells of a row: a weight, a word for the animal's end, or nothing; each on its real day."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from itertools import pairwise

from experiments.sheets.layout import WeighingColumn, dated_by
from experiments.sheets.lines import Ended, Line, LineReader, Weighed
from experiments.sheets.problems import first_few
from experiments.sheets.template import GRAMS_PER_UNIT
from experiments.sheets.values import Unreadable, as_day, as_number, as_text, split_list

LARGEST_CHANGE = (Decimal("0.5"), Decimal(2))


class WeighingReader:
    """Fills a line's dates, weights and end."""

    def __init__(self, reader: LineReader) -> None:
        weighings = reader.template.weighings
        assert weighings is not None
        self.reader, self.log, self.weighings = reader, reader.log, weighings
        self.columns = reader.layout.weighings
        self.grams = GRAMS_PER_UNIT[weighings.unit]
        self.bounds = reader.template.plausible_weight_g()
        self._ends = {word.casefold(): kind for word, kind in reader.template.dispositions.items()}

    def read(self, line: Line) -> None:
        dates = self._dates(line)
        if dates is None:
            return
        line.dates = dates
        for column in self.columns:
            value = self.reader.cell(line, column.index)
            if value is not None:
                line.filled.add(column.ordinal)
                self._cell(line, column, value)
        self._check_baseline(line)

    def _dates(self, line: Line) -> tuple[dt.date | None, ...] | None:
        """The day of each weighing column; None when the list of dates itself cannot be read."""
        kind = dated_by(self.weighings)
        if kind == "date":
            return tuple(column.day for column in self.columns)
        if kind == "day":
            return tuple(self._from_day_0(line, column.study_day or 0) for column in self.columns)
        return self._listed_dates(line)

    def _from_day_0(self, line: Line, study_day: int) -> dt.date | None:
        return line.day_0 + dt.timedelta(days=study_day) if line.day_0 else None

    def _listed_dates(self, line: Line) -> tuple[dt.date | None, ...] | None:
        index = self.reader.layout.dates
        assert index is not None
        raw, place = self.reader.cell(line, index), self.reader.place(line, index)
        # A list of one date may have become a date cell.
        parts: list[object] = (
            [raw] if isinstance(raw, dt.date) else list(split_list(raw, self.weighings.dates_separator))
        )
        days, good = [], True
        for part in parts:
            try:
                days.append(as_day(part, self.reader.template.date_formats))
            except Unreadable as unreadable:
                self.log.error(place, part, f"{unreadable} for each date of the list", "unreadable_date_list")
                good = False
        if good:
            good = self._check_order(line, days)
        if len(days) > len(self.columns):
            extra = first_few(days[len(self.columns) :])
            self.log.warn(
                place, extra, f"at most {len(self.columns)} dates, one a weighing column", "date_without_column"
            )
        return tuple(days) if good else None

    def _check_order(self, line: Line, days: list[dt.date]) -> bool:
        place = self.reader.place(line, self.reader.layout.dates or 0)
        longest, good = self.reader.template.longest_gap_days, True
        for before, after in pairwise(days):
            if after <= before:
                self.log.error(place, f"{before}, {after}", "dates that increase", "dates_not_increasing")
                good = False
            elif (after - before).days > longest:
                text = f"{before}, {after}"
                self.log.warn(place, text, f"at most {longest} days between two weighings", "long_gap_between_dates")
        return good

    def _cell(self, line: Line, column: WeighingColumn, value: object) -> None:
        place = self.reader.place(line, column.index)
        day = line.dates[column.ordinal] if column.ordinal < len(line.dates) else None
        kind = self._ends.get(as_text(value).casefold())
        if line.ended:
            self._after_end(line, column, value)
            return
        if kind and day is None:
            self.log.error(place, value, self._date_wanted(line, column), "end_without_date")
        elif kind and day:
            line.ended = Ended(as_text(value), kind, day, place)
        else:
            self._weight(line, column, value, day)

    def _weight(self, line: Line, column: WeighingColumn, value: object, day: dt.date | None) -> None:
        place = self.reader.place(line, column.index)
        try:
            number = as_number(value, self.reader.template.decimal)
        except Unreadable as unreadable:
            words = "".join(f", {word!r}" for word in self.reader.template.dispositions)
            self.log.error(place, value, f"{unreadable}{words}, or empty", "unreadable_weight")
            return
        weight_g = number * self.grams
        low, high = self.bounds
        if not low <= weight_g <= high:
            expected = (
                f"a body weight of {_plain(low / self.grams)} to {_plain(high / self.grams)} {self.weighings.unit}"
            )
            self.log.error(place, value, f"{expected}, or empty", "implausible_weight")
        elif day is None:
            self.log.leave_out(place, value, self._date_wanted(line, column), "weighing_without_date")
        else:
            line.weighed.append(Weighed(column.ordinal, day, number, weight_g, place))

    def _date_wanted(self, line: Line, column: WeighingColumn) -> str:
        if column.study_day is not None:
            return "a date of day 0 in this row, which dates the weighing"
        return f"a date number {column.ordinal + 1} in {self.weighings.dates!r}, which lists {len(line.dates)}"

    def _after_end(self, line: Line, column: WeighingColumn, value: object) -> None:
        ended, place = line.ended, self.reader.place(line, column.index)
        assert ended is not None
        expected = f"nothing after {ended.word!r} in {ended.place.column}{ended.place.row}"
        self.log.error(place, value, expected, "weighed_after_end")

    def _check_baseline(self, line: Line) -> None:
        if line.day_0 is None or not line.weighed:
            return
        baseline = next((weighed.weight_g for weighed in line.weighed if weighed.day == line.day_0), None)
        if baseline is None:
            place = self.reader.place_of(line, "day_0")
            self.log.warn(place, line.day_0, "a weight on day 0, to compare the others with", "no_weight_on_day_0")
            return
        low, high = LARGEST_CHANGE
        for weighed in line.weighed:
            if not low <= weighed.weight_g / baseline <= high:
                expected = f"50 to 200 % of the {_plain(baseline / self.grams)} {self.weighings.unit} of day 0"
                self.log.warn(weighed.place, weighed.value, expected, "unlikely_weight_change")


def _plain(number: Decimal) -> str:
    """Without exponent and trailing zeros: 5000, 0.06."""
    return format(number.normalize(), "f")
