"""Bulk intake: many rows of one model, validated by the column, written by COPY, with every refused row named.

``bulk_create`` skips validation and ``full_clean`` a row asks the database for each foreign key (77 s for 100,000 rows
instead of 3). Here a column is cleaned once per distinct value, foreign keys are checked as a set, and the rows meet the
table's own constraints. Only when the database refuses are they put beside it, to say of *all* rows what is wrong.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError, connection, models, transaction

from labdb.base.errors import EXCLUSION, FOREIGN_KEY, UNIQUE, message_of, validation_error
from labdb.base.fields import NumericField


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What is wrong with one row: its index in the input (0-based), the field, the value and why."""

    row: int
    field: str
    value: Any
    message: str


class BulkRefused(ValidationError):
    """Nothing was written; ``problems`` lists every refused row."""

    def __init__(self, problems: Sequence[RowProblem]) -> None:
        self.problems = sorted(problems, key=lambda problem: (problem.row, problem.field))
        super().__init__([f"row {p.row + 1}, {p.field}: {p.message}" for p in self.problems])


def bulk_insert(model: type[models.Model], names: Sequence[str], rows: Sequence[Sequence[Any]]) -> int:
    """Write ``rows`` (values in the order of the field ``names``) in one transaction and return their number.

    Foreign keys are given as primary keys under the field's name. ``model.clean()`` is not called: rules over related
    rows belong into the verb that calls this, as one query for all rows.

    Raises:
        BulkRefused: one or more rows are invalid; nothing was written.
    """
    if not rows:
        return 0
    fields = [model._meta.get_field(name) for name in names]
    columns = list(zip(*rows, strict=True))
    problems: list[RowProblem] = []
    cleaned = [_clean_column(field, values, problems) for field, values in zip(fields, columns, strict=True)]
    if problems:
        raise BulkRefused(problems)
    for field in model._meta.local_concrete_fields:  # what is left out takes its default, as a saved row does
        if field not in fields and not field.has_db_default():
            fields.append(field)
            cleaned.append([field.get_default() for _ in rows])
    with transaction.atomic():
        _copy_or_explain(model, fields, cleaned)
    return len(rows)


def _copy_or_explain(model: type[models.Model], fields: list, columns: list) -> None:
    try:
        with transaction.atomic():
            _copy(model._meta.db_table, fields, zip(*columns, strict=True))
    except IntegrityError as error:
        problems = list(_explain(model, fields, columns))
        if not problems:  # a trigger, say: the database names no row
            raise validation_error(error) from error
        raise BulkRefused(problems) from error


def _copy(table: str, fields: list, rows: Iterable, extra: str = "") -> None:
    quote = connection.ops.quote_name
    columns = ", ".join(quote(field.column) for field in fields) + extra
    types = [_type_name(field) for field in fields] + (["int8"] if extra else [])
    statement = f"COPY {quote(table)} ({columns}) FROM STDIN (FORMAT BINARY)"
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(types)
        write = copy.write_row
        for row in rows:
            write(row)


def _type_name(field: models.Field) -> str:
    kind = str(field.rel_db_type(connection) if field.is_relation else field.db_type(connection))
    base = kind.split("(")[0].strip()
    return {"timestamp with time zone": "timestamptz", "double precision": "float8"}.get(base, base)


def _clean_column(field: Any, values: Sequence[Any], problems: list[RowProblem]) -> Sequence[Any]:
    if field.is_relation:
        return _clean_foreign_keys(field, values, problems)
    if isinstance(field, NumericField):
        clean = _numeric_cleaner(field)
    elif field.unique and field.primary_key:
        clean = field.to_python
    else:
        clean = _remembering(_cleaner(field))
    cleaned = []
    for row, value in enumerate(values):
        try:
            cleaned.append(clean(value))
        except ValidationError as error:
            problems.append(RowProblem(row, field.name, value, " ".join(error.messages)))
    return cleaned


def _cleaner(field: Any) -> Callable[[Any], Any]:
    def clean(value: Any) -> Any:
        if value in field.empty_values and field.blank:
            return None if value is None and field.null else value
        return field.clean(value, None)

    return clean


def _numeric_cleaner(field: Any) -> Callable[[Any], Any]:
    slow = _cleaner(field)

    def clean(value: Any) -> Any:
        # The bounds of an ordinary measurement, asked without building a tuple of digits.
        if type(value) is Decimal and -20 < value.adjusted() < 20 and len(str(value)) < 38:
            return value
        return slow(value)

    return clean


def _remembering(clean: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """``clean`` asked once per distinct value: columns of a bulk intake repeat themselves."""
    known: dict[Any, Any] = {}

    def remembered(value: Any) -> Any:
        try:
            return known[value]
        except KeyError:
            known[value] = result = clean(value)
            return result
        except TypeError:  # lists and mappings of a JSON field have no hash
            return clean(value)

    return remembered


def _clean_foreign_keys(field: Any, values: Sequence[Any], problems: list[RowProblem]) -> Sequence[Any]:
    keys = set(values)
    missing = keys - {None}
    if missing:
        target = field.target_field.attname
        found = field.related_model._base_manager.filter(**{f"{target}__in": missing}).values_list(target, flat=True)
        missing -= set(found)
    if None in keys and not field.null:
        missing.add(None)
    if missing:
        name = field.related_model._meta.verbose_name
        for row, value in enumerate(values):
            if value in missing:
                told = "This field cannot be empty." if value is None else f"There is no {name} “{value}”."
                problems.append(RowProblem(row, field.name, value, told))
    return values


def _explain(model: type[models.Model], fields: list, columns: list) -> Iterable[RowProblem]:
    """Every row that breaks a CHECK, FOREIGN KEY, UNIQUE or EXCLUDE of the table, found by its own catalogue."""
    table = connection.ops.quote_name(model._meta.db_table)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.refused_rows")
        cursor.execute(
            f"CREATE TEMP TABLE refused_rows (LIKE {table} INCLUDING DEFAULTS, row_index bigint) ON COMMIT DROP"
        )
        numbered = (*columns, range(len(columns[0])))
        _copy("refused_rows", fields, zip(*numbered, strict=True), extra=", row_index")
        refused: set[int] = set()
        for name, state, query in _refusal_queries(cursor, model._meta.db_table):
            if state == EXCLUSION and refused:  # on such rows its expression may make no sense
                cursor.execute("DELETE FROM refused_rows WHERE row_index = ANY (%s)", [sorted(refused)])
            cursor.execute(query)
            field, message = message_of(model, name, state, f"The rule “{name}” refuses this row.")
            position = next((i for i, f in enumerate(fields) if f.name == field), None)
            for (row,) in cursor.fetchall():
                refused.add(row)
                value = None if position is None else columns[position][row]
                yield RowProblem(row, field if position is not None else NON_FIELD_ERRORS, value, message)


CONSTRAINTS = """
    SELECT conname, contype, pg_get_expr(conbin, conrelid), confrelid::regclass::text,
           (SELECT array_agg(quote_ident(attname) ORDER BY place) FROM unnest(conkey) WITH ORDINALITY k(number, place)
              JOIN pg_attribute ON attrelid = conrelid AND attnum = number),
           (SELECT array_agg(quote_ident(attname) ORDER BY place) FROM unnest(confkey) WITH ORDINALITY k(number, place)
              JOIN pg_attribute ON attrelid = confrelid AND attnum = number)
      FROM pg_constraint WHERE conrelid = %s::regclass AND contype IN ('c', 'f') ORDER BY contype, conname"""

UNIQUE_INDEXES = """
    SELECT indexrelid::regclass::text, coalesce(pg_get_expr(indpred, indrelid), 'true'), indnullsnotdistinct,
           (SELECT array_agg(quote_ident(attname) ORDER BY place) FROM unnest(indkey) WITH ORDINALITY k(number, place)
              JOIN pg_attribute ON attrelid = indrelid AND attnum = number),
           (SELECT array_agg(attnotnull ORDER BY place) FROM unnest(indkey) WITH ORDINALITY k(number, place)
              JOIN pg_attribute ON attrelid = indrelid AND attnum = number)
      FROM pg_index WHERE indrelid = %s::regclass AND indisunique AND indexprs IS NULL"""

EXCLUSIONS = """
    SELECT conname, coalesce(pg_get_expr(indpred, indrelid), 'true'),
           (SELECT array_agg(pg_get_indexdef(conindid, place::int, true) ORDER BY place)
              FROM generate_subscripts(conexclop, 1) place),
           (SELECT array_agg(oprname::text ORDER BY place) FROM unnest(conexclop) WITH ORDINALITY x(operator, place)
              JOIN pg_operator o ON o.oid = x.operator)
      FROM pg_constraint JOIN pg_index ON indexrelid = conindid WHERE conrelid = %s::regclass AND contype = 'x'"""


def _refusal_queries(cursor: Any, table: str) -> list[tuple[str, str, str]]:
    queries = []
    cursor.execute(CONSTRAINTS, [table])
    for name, kind, expression, target, columns, target_columns in cursor.fetchall():
        if kind == "c":
            queries.append((name, "23514", f"SELECT row_index FROM refused_rows WHERE NOT ({expression})"))
        else:
            queries.append((name, FOREIGN_KEY, _dangling(target, columns, target_columns)))
    cursor.execute(UNIQUE_INDEXES, [table])
    for name, predicate, nulls_equal, columns, not_null in cursor.fetchall():
        queries.append((name.strip('"'), UNIQUE, _repeated(table, predicate, nulls_equal, columns, not_null)))
    cursor.execute(EXCLUSIONS, [table])
    for name, predicate, expressions, operators in cursor.fetchall():
        queries.append((name, EXCLUSION, _excluded(table, predicate, expressions, operators)))
    return queries


def _excluded(table: str, predicate: str, expressions: list[str], operators: list[str]) -> str:
    listed = ", ".join(f"{expression} AS x{n}" for n, expression in enumerate(expressions))
    clash = " AND ".join(f"t.x{n} {operator} o.x{n}" for n, operator in enumerate(operators))
    new = f"(SELECT row_index, {listed} FROM refused_rows WHERE {predicate})"
    return (
        f"SELECT t.row_index FROM {new} t JOIN {new} o ON t.row_index <> o.row_index AND {clash}"
        f' UNION SELECT t.row_index FROM {new} t JOIN (SELECT {listed} FROM "{table}" WHERE {predicate}) o ON {clash}'
    )


def _dangling(target: str, columns: list[str], target_columns: list[str]) -> str:
    given = " AND ".join(f"t.{column} IS NOT NULL" for column in columns)
    same = " AND ".join(f"r.{there} = t.{here}" for here, there in zip(columns, target_columns, strict=True))
    return f"SELECT row_index FROM refused_rows t WHERE {given} AND NOT EXISTS (SELECT FROM {target} r WHERE {same})"


def _repeated(table: str, predicate: str, nulls_equal: bool, columns: list[str], not_null: list[bool]) -> str:
    listed = ", ".join(columns)
    given = "true" if nulls_equal else " AND ".join(f"{column} IS NOT NULL" for column in columns)
    same = " AND ".join(
        f"o.{column} = t.{column}" if strict else f"o.{column} IS NOT DISTINCT FROM t.{column}"
        for column, strict in zip(columns, not_null, strict=True)
    )
    rows = f"(SELECT * FROM refused_rows WHERE ({predicate}) AND {given})"
    return (
        f"SELECT row_index FROM (SELECT row_index, count(*) OVER (PARTITION BY {listed}) AS times FROM {rows} n) d"
        f" WHERE times > 1 UNION SELECT t.row_index FROM {rows} t"
        f' JOIN (SELECT * FROM "{table}" WHERE {predicate}) o ON {same}'
    )
