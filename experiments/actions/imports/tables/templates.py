"""Empty files to be filled in: the headers of a record table, and what each column holds."""

import csv
import io
from typing import Any

from experiments.actions.imports.tables.columns import Column, Kind, Table

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ENDINGS = {"xlsx": XLSX, "csv": "text/csv; charset=utf-8"}
EXPLANATION = ("column", "required", "holds", "unit", "allowed values", "empty means", "example", "explanation")
WIDTHS = (22, 10, 26, 8, 44, 18, 22, 70)
LONGEST_LIST = 255  # characters of the choices that a spreadsheet keeps beside the cell
LAST_ROW = 1_048_576
FORMATS = {Kind.DAY: "yyyy-mm-dd", Kind.MOMENT: "yyyy-mm-dd hh:mm", Kind.INSTANT: "yyyy-mm-dd hh:mm"}


def table_file(table: Table, ending: str) -> bytes:
    """The template of ``table`` as ``xlsx`` or ``csv``."""
    return _csv(table) if ending == "csv" else _xlsx(table)


def explained(column: Column) -> tuple[str, ...]:
    """What ``EXPLANATION`` names, of one column."""
    required = "yes" if column.is_required else "no"
    empty = "" if column.is_required else column.default or "not told"
    allowed = ", ".join(choices(column))
    return (
        column.header, required, column.kind.value, column.unit, allowed, empty, column.example, column.help
    )  # fmt: skip


def choices(column: Column) -> tuple[str, ...]:
    return ("yes", "no") if column.kind is Kind.TRUTH else column.choices


def _csv(table: Table) -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerow([column.header for column in table.columns])
    return buffer.getvalue().encode("utf-8-sig")  # with the mark by which spreadsheets know the encoding


def _xlsx(table: Table) -> bytes:
    import openpyxl  # slow to load, and few ask for it

    book: Any = openpyxl.Workbook()
    sheet = book.active
    sheet.title = table.name
    _write_headers(sheet, [column.header for column in table.columns])
    for number, column in enumerate(table.columns, 1):
        _format_column(sheet, number, column)
    columns = book.create_sheet("columns")
    _write_headers(columns, EXPLANATION)
    for column in table.columns:
        columns.append(explained(column))
    for number, width in enumerate(WIDTHS, 1):
        columns.column_dimensions[_letter(number)].width = width
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _write_headers(sheet: Any, headers: Any) -> None:
    from openpyxl.styles import Font

    sheet.append(list(headers))
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    sheet.freeze_panes = "A2"


def _format_column(sheet: Any, number: int, column: Column) -> None:
    from openpyxl.worksheet.datavalidation import DataValidation

    dimension = sheet.column_dimensions[_letter(number)]
    dimension.width = max(12, len(column.header) + 4)
    dimension.number_format = "@" if column.is_text else FORMATS.get(column.kind, "General")
    allowed = ",".join(choices(column))
    if allowed and len(allowed) <= LONGEST_LIST:
        rule = DataValidation("list", formula1=f'"{allowed}"', allow_blank=True, showErrorMessage=True)
        rule.errorTitle, rule.error = column.header, "One of the listed values is expected."
        rule.add(f"{_letter(number)}2:{_letter(number)}{LAST_ROW}")
        sheet.add_data_validation(rule)


def _letter(number: int) -> str:
    from openpyxl.utils import get_column_letter

    return get_column_letter(number)
