"""Files of plate readers and plate layouts, read into frozen tables; no database.

One module per format, each with KEY, LABEL, matches(data, filename) and parse(data, filename) -> PlateFile.
Modules whose name starts with an underscore are shared parts, not formats.
"""

import sys

from assays.discovery import discover
from assays.readers._layout_csv import read_layout_csv
from assays.readers._tables import (
    FLAGS,
    ROLES,
    Channel,
    LayoutEntry,
    Note,
    Plate,
    PlateFile,
    PrintedCurve,
    PrintedResult,
    Problem,
    ReadError,
    Reading,
)

READERS = discover(sys.modules[__name__], required=("LABEL", "matches", "parse"))

__all__ = [
    "FLAGS",
    "READERS",
    "ROLES",
    "Channel",
    "LayoutEntry",
    "Note",
    "Plate",
    "PlateFile",
    "PrintedCurve",
    "PrintedResult",
    "Problem",
    "ReadError",
    "Reading",
    "read",
    "read_layout_csv",
]


def read(data: bytes, filename: str) -> PlateFile:
    """Read a plate reader's file with the one format that recognises it.

    Raises ReadError, with every problem found, when no format recognises the file or its content cannot be read.
    """
    if not data.strip():
        raise ReadError(filename, [Problem("the file is empty", expected=_known_formats())])
    for reader in READERS.values():
        if reader.matches(data, filename):
            return reader.parse(data, filename)
    raise ReadError(filename, [Problem("the file's format is not known", line=1, expected=_known_formats())])


def _known_formats() -> str:
    return "one of: " + "; ".join(reader.LABEL for reader in READERS.values())
