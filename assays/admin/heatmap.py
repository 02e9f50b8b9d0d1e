"""A plate as a table of coloured cells."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest

from assays.models import AssayRun, Plate, Reading, Well
from experiments.admin.links import page_url
from experiments.admin.numbers import shown_number

MARKS = {"standard": "S", "blank": "B", "control": "C", "sample": "", "unused": ""}
STRONGEST = 58  # % of the colour that lets dark and light ink be read on it
LARGE = 96


def plates(request: HttpRequest, run: AssayRun) -> dict[str, Any] | None:
    """Every plate of the run in the chosen channel; the colours of all plates share one scale."""
    found = list(run.plate_rows.all())
    if not found:
        return None
    channels = list(dict.fromkeys(run.reading_rows.order_by("is_reduced", "channel").values_list("channel", flat=True)))
    asked = request.GET.get("channel", "")
    channel = asked if asked in channels else _usual_channel(run, channels)
    readings = {r.well_id: r for r in run.reading_rows.filter(channel=channel)}
    flags = _flags(run)
    wells: dict[Any, list[Well]] = defaultdict(list)
    for well in run.well_rows.select_related("masked_by"):
        wells[well.plate_id].append(well)
    values = [float(r.value) for r in readings.values() if r.value is not None]
    scale = (min(values), max(values)) if values else (0.0, 1.0)
    return {
        "plates": [_plate(plate, wells[plate.pk], readings, flags, scale) for plate in found],
        "channel": channel,
        "channels": channels if len(channels) > 1 else [],
        "lowest": shown_number(scale[0], 3),
        "highest": shown_number(scale[1], 3),
    }


def _usual_channel(run: AssayRun, channels: list[str]) -> str:
    """The channel that is evaluated, else the first."""
    wanted = run.parameters.get("wavelength_nm")
    for reading in run.reading_rows.filter(wavelength_nm__isnull=False)[:1] if wanted is None else []:
        return reading.channel
    if wanted is not None:
        measured = run.reading_rows.filter(wavelength_nm=wanted, is_reduced=False).first()
        if measured is not None:
            return measured.channel
    return channels[0] if channels else ""


def _flags(run: AssayRun) -> dict[Any, set[str]]:
    flags: dict[Any, set[str]] = defaultdict(set)
    for well, text in run.wellresult_rows.exclude(flags="").values_list("well", "flags"):
        flags[well] |= set(text.split())
    return flags


def _plate(plate: Plate, wells: Iterable[Well], readings: dict, flags: dict, scale: tuple) -> dict[str, Any]:
    cells = {(w.row, w.column): _cell(plate, w, readings.get(w.pk), flags.get(w.pk, set()), scale) for w in wells}
    columns = range(1, plate.columns + 1)
    rows = [
        {"name": _row_name(row), "cells": [cells.get((row, column)) for column in columns]}
        for row in range(1, plate.rows + 1)
    ]
    return {"plate": plate, "columns": columns, "rows": rows, "is_large": plate.rows * plate.columns > LARGE}


def _row_name(row: int) -> str:
    return chr(64 + row) if row <= 26 else f"A{chr(64 + row - 26)}"


def _cell(plate: Plate, well: Well, reading: Reading | None, flags: set[str], scale: tuple) -> dict[str, Any]:
    value = None if reading is None else reading.value
    told = {*flags, *([reading.flag] if reading is not None and reading.flag else [])}
    shown = shown_number(float(value), 3) if value is not None else (reading.printed if reading else "")
    return {
        "url": page_url(well),
        "shown": shown,
        "heat": _heat(value, scale),
        "mark": MARKS[well.role],
        "sample": well.sample if well.role != "unused" else "",
        "is_masked": well.is_masked or "masked" in told,
        "is_unused": well.role == "unused",
        "is_flagged": bool(told - {"masked"}),
        "title": _title(plate, well, reading, told),
    }


def _heat(value: Any, scale: tuple[float, float]) -> int:
    lowest, highest = scale
    if value is None or highest <= lowest:
        return 0
    return round(STRONGEST * (float(value) - lowest) / (highest - lowest))


def _title(plate: Plate, well: Well, reading: Reading | None, flags: set[str]) -> str:
    parts = [f"{plate.label} {well.name}", well.get_role_display()]
    if well.sample:
        parts.append(well.sample)
    if well.nominal_concentration is not None:
        parts.append(f"nominal {shown_number(float(well.nominal_concentration))} {well.nominal_unit}".strip())
    if well.dilution_factor != 1:
        parts.append(f"diluted {shown_number(float(well.dilution_factor))} times")
    if reading is not None:
        parts.append(f"read {reading.printed}")
    if well.is_masked:
        parts.append(f"masked by {well.masked_by}: {well.masked_reason}")
    return " · ".join([*parts, *sorted(flags)])
