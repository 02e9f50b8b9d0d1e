"""Importing files: a laboratory's own sheet, or a table of records of one type.

Checked whole, then taken whole or by its valid rows, or discarded; what was taken can be undone.
"""

from experiments.actions.imports.runs import check_sheet, check_table, discard_import, keep_template, take_import
from experiments.actions.imports.undo import undo_import
from experiments.actions.imports.work import check_import, write_import

__all__ = [
    "check_import",
    "check_sheet",
    "check_table",
    "discard_import",
    "keep_template",
    "take_import",
    "undo_import",
    "write_import",
]
