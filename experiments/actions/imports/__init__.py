"""Importing a laboratory's own sheet: checked whole, then taken whole or by its valid rows, or discarded."""

from experiments.actions.imports.runs import check_sheet, discard_import, keep_template, take_import
from experiments.actions.imports.work import check_import, write_import

__all__ = ["check_import", "check_sheet", "discard_import", "keep_template", "take_import", "write_import"]
