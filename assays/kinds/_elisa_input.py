"""From plates and layout to the corrected response of every well of an ELISA."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from assays.kinds._elisa_tables import Parameters
from assays.kinds._problems import Problem
from assays.readers import Channel, LayoutEntry, Plate, Reading


@dataclass(frozen=True, slots=True)
class WellInput:
    """A well of the layout with its reading: `response` is None where no number stands."""

    plate: str
    entry: LayoutEntry
    raw: Decimal | None
    response: float | None
    flags: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Whether the well has a number that nothing speaks against."""
        return self.response is not None and not self.flags


def measured_channel(plate: Plate, parameters: Parameters) -> Channel | Problem:
    """The channel the parameters mean on this plate, or what is wrong."""
    raw = [channel for channel in plate.channels if not channel.reduced]
    names = ", ".join(channel.key for channel in plate.channels)
    if parameters.use_reduced or (not raw and parameters.wavelength_nm is None):
        reduced = [channel for channel in plate.channels if channel.reduced]
        return reduced[0] if reduced else Problem("no reduced values", plate=plate.label, value=names)
    if parameters.wavelength_nm is None:
        expected = "wavelength_nm in the parameters"
        several = Problem("several wavelengths", plate=plate.label, value=names, expected=expected)
        return raw[0] if len(raw) == 1 else several
    return _at_wavelength(plate, raw, parameters.wavelength_nm)


def _at_wavelength(plate: Plate, raw: Sequence[Channel], wavelength_nm: Decimal) -> Channel | Problem:
    found = [channel for channel in raw if channel.wavelength_nm == wavelength_nm]
    if len(found) == 1:
        return found[0]
    names = ", ".join(channel.key for channel in raw)
    message = "the wavelength was read more than once" if found else "the wavelength was not read"
    return Problem(message, plate=plate.label, value=names, expected=f"{wavelength_nm} nm once")


def reference_channel(plate: Plate, parameters: Parameters) -> Channel | Problem | None:
    """The channel to subtract, None where none is asked for, or what is wrong."""
    if parameters.reference_wavelength_nm is None:
        return None
    raw = [channel for channel in plate.channels if not channel.reduced]
    return _at_wavelength(plate, raw, parameters.reference_wavelength_nm)


def well_inputs(plates: Sequence[Plate], layout: Sequence[LayoutEntry], parameters: Parameters) -> list[WellInput]:
    """Every well of the layout, reference and blank subtracted. The input must have passed `check`."""
    wells: list[WellInput] = []
    for plate in plates:
        measured, reference = _chosen(plate, parameters)
        found = [_well(plate.label, entry, measured, reference) for entry in layout_of(plate, layout)]
        wells.extend(_blanked(found) if parameters.blank == "subtract_mean" else found)
    return wells


def _chosen(plate: Plate, parameters: Parameters) -> tuple[dict[str, Reading], dict[str, Reading] | None]:
    measured, reference = measured_channel(plate, parameters), reference_channel(plate, parameters)
    if isinstance(measured, Problem) or isinstance(reference, Problem):
        raise ValueError(f"plate {plate.label} has not passed check()")
    return readings_of(plate, measured), readings_of(plate, reference) if reference else None


def layout_of(plate: Plate, layout: Sequence[LayoutEntry]) -> Iterator[LayoutEntry]:
    """The entries that name this plate or no plate."""
    return (entry for entry in layout if entry.plate in (None, plate.label))


def readings_of(plate: Plate, channel: Channel) -> dict[str, Reading]:
    """The readings of one channel by well."""
    return {reading.well: reading for reading in plate.readings if reading.channel == channel.key}


def _well(
    plate: str, entry: LayoutEntry, measured: dict[str, Reading], reference: dict[str, Reading] | None
) -> WellInput:
    reading = measured.get(entry.well)
    parts = [reading] if reference is None else [reading, reference.get(entry.well)]
    found = [part.flag if part else "missed" for part in parts]
    flags = tuple(dict.fromkeys(flag for flag in found if flag))
    values = [part.value for part in parts if part is not None and part.value is not None]
    raw = reading.value if reading else None
    if len(values) < len(parts):
        return WellInput(plate, entry, raw, None, flags or ("missed",))
    response = values[0] - values[1] if len(values) == 2 else values[0]
    return WellInput(plate, entry, raw, float(response), flags)


def _blanked(wells: Sequence[WellInput]) -> list[WellInput]:
    sound = [well for well in wells if well.entry.role == "blank" and well.sound]
    blanks = [well.response for well in sound if well.response is not None]
    if not blanks:
        return list(wells)
    mean = sum(blanks) / len(blanks)
    return [
        WellInput(w.plate, w.entry, w.raw, None if w.response is None else w.response - mean, w.flags) for w in wells
    ]
