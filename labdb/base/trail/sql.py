"""What PostgreSQL runs: the functions of the trail's triggers, the statements they run, and who may touch its tables.

Every trigger carries its statement as an argument, written here for its table, so that one function serves all of them.
The statements read whole rows (``to_jsonb``) and find changed columns by themselves: a column that a migration adds is
seen from its first change on.
"""

from collections.abc import Sequence

STATEMENTS, ENTRIES = "public.labdb_trailstatement", "public.labdb_trailentry"
WITHHELD = "(withheld)"

# Values are told the same way whatever the session has set: instants in UTC, numbers with every digit. The schema of
# temporary tables is searched last, so that no table of a session can take the place of one of ours.
_DEFINER = """SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET "TimeZone" = 'UTC'
    SET "DateStyle" = 'ISO, YMD' SET "IntervalStyle" = 'iso_8601' SET extra_float_digits = 1 SET bytea_output = 'hex'"""

_STATEMENT = f"""INSERT INTO {STATEMENTS}
            (id, at, table_name, action, person_id, db_role, door, reason, transaction_id)
        VALUES (statement, clock_timestamp(), TG_TABLE_NAME, left(TG_OP, 1),
            nullif(current_setting('labdb.person', true), '')::uuid, session_user,
            coalesce(current_setting('labdb.door', true), ''), coalesce(current_setting('labdb.reason', true), ''),
            pg_current_xact_id()::text::bigint);"""

FUNCTIONS = f"""
-- Runs the statement that the trigger carries. The second is for the time between a migration that takes away a column
-- on the way to the experiment and the end of all migrations, when the triggers are made anew: it names no experiment.
CREATE OR REPLACE FUNCTION public.labdb_trail_write() RETURNS trigger LANGUAGE plpgsql {_DEFINER} AS $$
DECLARE
    statement bigint := nextval('{STATEMENTS}_id_seq');
    entries bigint;
BEGIN
    IF TG_TABLE_SCHEMA <> 'public' THEN
        RAISE EXCEPTION 'The trail is of the tables in the schema public, not of %.%', TG_TABLE_SCHEMA, TG_TABLE_NAME;
    END IF;
    IF TG_NARGS = 1 THEN
        EXECUTE TG_ARGV[0] USING statement;
        GET DIAGNOSTICS entries = ROW_COUNT;
    ELSE
        BEGIN
            EXECUTE TG_ARGV[0] USING statement;
            GET DIAGNOSTICS entries = ROW_COUNT;
        EXCEPTION WHEN undefined_column OR undefined_table THEN
            EXECUTE TG_ARGV[1] USING statement;
            GET DIAGNOSTICS entries = ROW_COUNT;
        END;
    END IF;
    IF entries > 0 THEN
        {_STATEMENT}
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION public.labdb_trail_refuse_key() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation', TABLE = TG_TABLE_NAME,
        CONSTRAINT = 'primary_key_stays',
        MESSAGE = format('The primary key of a row never changes (%s.%s).', TG_TABLE_NAME, TG_ARGV[0]),
        HINT = 'Add a new row instead.';
END $$;

CREATE OR REPLACE FUNCTION public.labdb_trail_refuse() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', TABLE = TG_TABLE_NAME,
        MESSAGE = format('The trail is only added to: no %s on %s.', TG_OP, TG_TABLE_NAME);
END $$;

REVOKE EXECUTE ON FUNCTION public.labdb_trail_write(), public.labdb_trail_refuse_key(), public.labdb_trail_refuse()
    FROM PUBLIC;
"""

# Default privileges hand the application's role every new table. The trail's are written by triggers alone.
PROTECT = """
DO $$
DECLARE given record;
BEGIN
    FOR given IN
        SELECT c.oid::regclass AS name, c.relkind,
               CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END AS grantee
          FROM pg_class c
          LEFT JOIN pg_depend d ON d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'i'
          CROSS JOIN LATERAL (
              SELECT grantee FROM aclexplode(c.relacl)
              UNION SELECT e.grantee FROM pg_attribute, aclexplode(attacl) e WHERE attrelid = c.oid) a
         WHERE coalesce(d.refobjid, c.oid) IN ('public.labdb_trailstatement'::regclass, 'public.labdb_trailentry'::regclass)
           AND c.relkind IN ('r', 'S') AND a.grantee <> c.relowner
    LOOP
        EXECUTE format('REVOKE ALL ON %s %s FROM %s',
                       CASE given.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, given.name, given.grantee);
        IF given.relkind = 'r' THEN
            EXECUTE format('GRANT SELECT ON %s TO %s', given.name, given.grantee);
        END IF;
    END LOOP;
END $$;
"""

UNHANG = """
DROP FUNCTION IF EXISTS public.labdb_trail_write() CASCADE;
DROP FUNCTION IF EXISTS public.labdb_trail_refuse_key() CASCADE;
DROP FUNCTION IF EXISTS public.labdb_trail_refuse() CASCADE;
"""

# OFFSET 0 keeps the planner from building the JSON of a row again wherever it is used.
_WHOLE = "SELECT to_jsonb(r) AS v FROM {rows} r OFFSET 0"
_CHANGED = """SELECT (SELECT jsonb_object_agg(c, o_v -> c) FROM unnest(changed) c) AS old,
        (SELECT jsonb_object_agg(c, v -> c) FROM unnest(changed) c) AS new, v
    FROM (SELECT o.v AS o_v, n.v, ARRAY(SELECT e.key FROM jsonb_each(n.v) e
            WHERE e.value::text IS DISTINCT FROM (o.v -> e.key)::text{ignored}) AS changed
        FROM (SELECT to_jsonb(r) AS v FROM new_rows r OFFSET 0) n
        LEFT JOIN (SELECT to_jsonb(r) AS v FROM old_rows r OFFSET 0) o ON o.v ->> {key} = n.v ->> {key} OFFSET 0) d
    WHERE changed <> ARRAY[]::text[]"""


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def entries(
    table: str, key: str, experiment: str, rows: str, withheld: Sequence[str], ignored: Sequence[str] = ()
) -> str:
    """The statement that writes the entries of one table; the id of their statement is ``$1``.

    ``rows`` says of what: ``added``, ``changed``, ``deleted``, ``truncated``, or ``there`` for the rows as they are.
    ``experiment`` is an expression of the row ``v``, as JSON. Comparing is by text: 1.0 and 1.00 are not the same record.
    """
    table_rows = f'public."{table}"'
    old_only = {"deleted": "old_rows", "truncated": table_rows}
    new_only = {"added": "new_rows", "there": table_rows}
    if rows == "changed":
        skipped = f" AND e.key <> ALL (ARRAY[{', '.join(map(literal, ignored))}])" if ignored else ""
        source = _CHANGED.format(key=literal(key), ignored=skipped)
    elif rows in old_only:
        source = f"SELECT v AS old, NULL::jsonb AS new, v FROM ({_WHOLE.format(rows=old_only[rows])}) r"
    else:
        source = f"SELECT NULL::jsonb AS old, v AS new, v FROM ({_WHOLE.format(rows=new_only[rows])}) r"
    row_id = f"v ->> {literal(key)}"
    if key in withheld:
        row_id = f"encode(sha256(convert_to({row_id}, 'UTF8')), 'hex')"
    old, new = (_without(name, withheld) for name in ("old", "new"))
    return (
        f"INSERT INTO {ENTRIES} (statement_id, table_name, row_id, experiment_id, old, new)"
        f" SELECT $1, {literal(table)}, {row_id}, {experiment}, {old}, {new} FROM ({source}) x"
    )


def _without(name: str, withheld: Sequence[str]) -> str:
    """The values, of the withheld columns only whether there is one."""
    if not withheld:
        return name
    columns = ", ".join(map(literal, withheld))
    kept = f"CASE WHEN c = ANY (ARRAY[{columns}]) AND w <> 'null' THEN to_jsonb({literal(WITHHELD)}::text) ELSE w END"
    return f"(SELECT jsonb_object_agg(c, {kept}) FROM jsonb_each({name}) AS e(c, w))"
