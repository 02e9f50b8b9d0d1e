"""Opens a file of cells by what it holds."""

from __future__ import annotations

from experiments.sheets.delimited import read_delimited
from experiments.sheets.workbook import DEFAULT_LIMITS, Limits, Workbook, refused


def read_workbook(
    data: bytes, name: str, *, encoding: str = "", delimiter: str = "", limits: Limits = DEFAULT_LIMITS
) -> Workbook:
    """Read an XLSX or delimited text file by its content, not by the ending of its name.

    `encoding` and `delimiter` concern text only; empty means: take what the file shows (byte order mark, UTF-8; the
    delimiter of the first line). Raises WorkbookRefused for anything that cannot be read whole.
    """
    if len(data) > limits.file_bytes:
        raise refused(name, f"{len(data):,} bytes", f"a file of at most {limits.file_bytes:,} bytes", "file_too_large")
    if not data.strip(b"\x00 \t\r\n"):
        raise refused(name, "", "a file with at least a header row", "file_empty")
    if data.startswith(b"PK"):
        from experiments.sheets.xlsx import read_xlsx  # openpyxl is slow to load: only who reads a workbook needs it

        return read_xlsx(data, name, limits)
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise refused(
            name, "an old .xls or a password-protected file", "an .xlsx without password, or CSV", "format_unknown"
        )
    if data.startswith((b"%PDF", b"{\\rtf", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"<?xml", b"<!DOCTYPE", b"<html")):
        raise refused(name, data[:12].decode("latin-1"), "an .xlsx or CSV file", "format_unknown")
    return read_delimited(data, name, encoding=encoding, delimiter=delimiter, limits=limits)
