"""Importing record tables: a file whose rows are records of one type, its columns named by the model's fields."""

from experiments.actions.imports.tables.columns import KEYS, TABLES, Table, register_table
from experiments.actions.imports.tables.declared import OF_EXPERIMENT
from experiments.actions.imports.tables.templates import ENDINGS, table_file

__all__ = ["ENDINGS", "KEYS", "OF_EXPERIMENT", "TABLES", "Table", "register_table", "table_file"]
