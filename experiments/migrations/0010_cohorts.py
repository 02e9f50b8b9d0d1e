"""Exclusions make summaries stale, and what is locked stays: analysis plans and criteria of POI with their parts."""

from django.db import migrations

LOCKED = {  # table of what is locked: (its word, table of its parts, their column, rule of the whole, rule of a part)
    "experiments_analysisplan": (
        "plan", "experiments_plannedcomparison", "plan_id", "analysis_plan_locked", "planned_comparison_locked",
    ),
    "experiments_poicriteria": (
        "list of criteria", "experiments_poicriterion", "criteria_id", "poi_criteria_locked", "poi_criterion_locked",
    ),
}  # fmt: skip

FUNCTIONS = """
CREATE FUNCTION experiments_note_exclusion_change() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO experiments_datachange (experiment_id, endpoint_id)
        SELECT DISTINCT e.experiment_id, r.endpoint_id FROM changed_rows r JOIN experiments_enrolment e ON e.id = r.enrolment_id;
    RETURN NULL;
END $$;

-- Arguments: the rule's name, the word for what is locked.
CREATE FUNCTION experiments_keep_locked() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF OLD.locked_at IS NOT NULL THEN
        RAISE EXCEPTION '%', format('This %s is locked; make a new version.', TG_ARGV[1])
            USING ERRCODE = '23514', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_ARGV[0];
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END $$;

-- Arguments: the rule's name, the word, the table of the whole, the part's column that names it.
-- Who locks the whole waits for whoever writes a part, and the other way round.
CREATE FUNCTION experiments_keep_locked_part() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    whole uuid;
    stamp timestamptz;
BEGIN
    FOREACH whole IN ARRAY CASE TG_OP
        WHEN 'INSERT' THEN ARRAY[(to_jsonb(NEW) ->> TG_ARGV[3])::uuid]
        WHEN 'DELETE' THEN ARRAY[(to_jsonb(OLD) ->> TG_ARGV[3])::uuid]
        ELSE ARRAY[(to_jsonb(OLD) ->> TG_ARGV[3])::uuid, (to_jsonb(NEW) ->> TG_ARGV[3])::uuid] END LOOP
        EXECUTE format('SELECT locked_at FROM %I WHERE id = $1 FOR SHARE', TG_ARGV[2]) INTO stamp USING whole;
        IF stamp IS NOT NULL THEN
            RAISE EXCEPTION '%', format('This %s is locked; make a new version.', TG_ARGV[1])
                USING ERRCODE = '23514', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_ARGV[0];
        END IF;
    END LOOP;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END $$;

-- Arguments: the rule's name, the word, the table of the whole.
CREATE FUNCTION experiments_keep_locked_truncate() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    is_any boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE locked_at IS NOT NULL)', TG_ARGV[2]) INTO is_any;
    IF is_any THEN
        RAISE EXCEPTION '%', format('A %s is locked; it stays.', TG_ARGV[1])
            USING ERRCODE = '23514', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_ARGV[0];
    END IF;
    RETURN NULL;
END $$;
"""
EVENTS = (("INSERT", "NEW"), ("UPDATE", "NEW"), ("UPDATE", "OLD"), ("DELETE", "OLD"))
NAMES = ("note_exclusion_change", "keep_locked", "keep_locked_part", "keep_locked_truncate")


def _triggers() -> str:
    made = [
        f"CREATE TRIGGER note_{event.lower()}_{rows.lower()} AFTER {event} ON experiments_exclusion"
        f" REFERENCING {rows} TABLE AS changed_rows FOR EACH STATEMENT"
        " EXECUTE FUNCTION experiments_note_exclusion_change();"
        for event, rows in EVENTS
    ]
    for whole, (word, part, column, of_whole, of_part) in LOCKED.items():
        made.append(
            f"CREATE TRIGGER keep_locked BEFORE UPDATE OR DELETE ON {whole}"
            f" FOR EACH ROW EXECUTE FUNCTION experiments_keep_locked('{of_whole}', '{word}');"
        )
        made.append(
            f"CREATE TRIGGER keep_locked BEFORE INSERT OR UPDATE OR DELETE ON {part} FOR EACH ROW"
            f" EXECUTE FUNCTION experiments_keep_locked_part('{of_part}', '{word}', '{whole}', '{column}');"
        )
        made += [
            f"CREATE TRIGGER keep_locked_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT"
            f" EXECUTE FUNCTION experiments_keep_locked_truncate('{rule}', '{word}', '{whole}');"
            for table, rule in ((whole, of_whole), (part, of_part))
        ]
    return "\n".join(made)


class Migration(migrations.Migration):
    dependencies = [("experiments", "0009_events")]

    operations = [
        migrations.RunSQL(
            FUNCTIONS + _triggers(),
            "".join(f"DROP FUNCTION experiments_{name}() CASCADE;" for name in NAMES),
        )
    ]
