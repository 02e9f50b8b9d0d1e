"""The ledger of the stock is kept by the database: it only grows, and what is left in a vial is its sum."""

from django.conf import settings
from django.db import migrations, models

FUNCTIONS = """
CREATE FUNCTION experiments_compare_ledger(vial uuid) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    told record;
BEGIN
    SELECT v.code, v.amount_left,
           (SELECT coalesce(sum(m.amount), 0) FROM experiments_stockmovement m WHERE m.vial_id = v.id) AS moved
      INTO told FROM experiments_vial v WHERE v.id = vial;
    IF told.amount_left <> told.moved THEN
        RAISE EXCEPTION 'Vial % is said to hold %, but its movements sum up to %.', told.code,
                trim_scale(told.amount_left), trim_scale(told.moved)
            USING ERRCODE = '23514', TABLE = 'experiments_vial', CONSTRAINT = 'vial_ledger',
                HINT = 'Nothing enters or leaves a vial without a movement; count it and correct it with a reason.';
    END IF;
END $$;

CREATE FUNCTION experiments_vial_ledger() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM experiments_compare_ledger(NEW.id);
    RETURN NULL;
END $$;

CREATE FUNCTION experiments_movement_ledger() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM experiments_compare_ledger(NEW.vial_id);
    RETURN NULL;
END $$;

CREATE FUNCTION experiments_keep_movements() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'A movement of the stock stays as it was recorded; a wrong one is corrected by another.'
        USING ERRCODE = '23514', TABLE = TG_TABLE_NAME, CONSTRAINT = 'stock_movement_kept';
END $$;

-- That experiments use lots means that they use whatever the lots were made from.
CREATE FUNCTION experiments_note_stock_uses(used_in uuid[], used uuid[]) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    -- Whoever is telling what one of them was made from ends first.
    PERFORM FROM experiments_lot WHERE id = ANY (used) ORDER BY id FOR SHARE;
    INSERT INTO experiments_stockuse (id, experiment_id, lot_id, batch_id)
    WITH RECURSIVE lots(experiment, lot) AS (
        SELECT * FROM unnest(used_in, used)
        UNION
        SELECT l.experiment, s.source_lot_id FROM lots l JOIN experiments_lotsource s ON s.lot_id = l.lot
         WHERE s.source_lot_id IS NOT NULL
    ), passages(experiment, passage) AS (
        SELECT l.experiment, o.passage_id FROM lots l JOIN experiments_lot o ON o.id = l.lot
        UNION
        SELECT l.experiment, s.source_passage_id FROM lots l JOIN experiments_lotsource s ON s.lot_id = l.lot
    ), uses(experiment, lot, batch) AS (
        SELECT experiment, lot, NULL::uuid FROM lots
        UNION
        SELECT p.experiment, NULL, o.batch_id FROM passages p JOIN experiments_passage o ON o.id = p.passage
    )
    SELECT gen_random_uuid(), u.experiment, u.lot, u.batch FROM uses u
     WHERE NOT EXISTS (SELECT FROM experiments_stockuse k WHERE k.experiment_id = u.experiment
             AND k.lot_id IS NOT DISTINCT FROM u.lot AND k.batch_id IS NOT DISTINCT FROM u.batch)
     ORDER BY u.experiment, u.lot, u.batch
        ON CONFLICT DO NOTHING;
END $$;

CREATE FUNCTION experiments_movement_uses() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    used_in uuid[]; used uuid[];
BEGIN
    SELECT array_agg(experiment_id ORDER BY experiment_id, lot_id), array_agg(lot_id ORDER BY experiment_id, lot_id)
      INTO used_in, used FROM (SELECT DISTINCT m.experiment_id, v.lot_id FROM new_rows m
          JOIN experiments_vial v ON v.id = m.vial_id WHERE m.experiment_id IS NOT NULL) found;
    IF used IS NOT NULL THEN
        PERFORM experiments_note_stock_uses(used_in, used);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION experiments_dose_vial_uses() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    used_in uuid[]; used uuid[];
BEGIN
    SELECT array_agg(experiment_id ORDER BY experiment_id, lot_id), array_agg(lot_id ORDER BY experiment_id, lot_id)
      INTO used_in, used FROM (SELECT DISTINCT p.experiment_id, v.lot_id FROM new_rows n
          JOIN experiments_vial v ON v.id = n.vial_id JOIN experiments_dose d ON d.id = n.dose_id
          JOIN experiments_procedure p ON p.id = d.procedure_id) found;
    IF used IS NOT NULL THEN
        PERFORM experiments_note_stock_uses(used_in, used);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION experiments_lot_source_uses() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    used_in uuid[]; used uuid[];
BEGIN
    -- Two that close a circle between them wait for each other here.
    PERFORM pg_advisory_xact_lock(hashtextextended('experiments_lotsource', 0));
    PERFORM FROM experiments_lot WHERE id IN (SELECT lot_id FROM new_rows) ORDER BY id FOR NO KEY UPDATE;
    IF EXISTS (WITH RECURSIVE behind(start, lot) AS (
            SELECT n.lot_id, n.source_lot_id FROM new_rows n WHERE n.source_lot_id IS NOT NULL
            UNION
            SELECT b.start, s.source_lot_id FROM behind b JOIN experiments_lotsource s ON s.lot_id = b.lot
             WHERE s.source_lot_id IS NOT NULL
        ) SELECT FROM behind WHERE start = lot) THEN
        RAISE EXCEPTION 'A lot cannot be made from what was made from it.'
            USING ERRCODE = '23514', TABLE = TG_TABLE_NAME, CONSTRAINT = 'lot_source_no_circle';
    END IF;
    SELECT array_agg(experiment_id), array_agg(lot_id) INTO used_in, used FROM (SELECT DISTINCT u.experiment_id, u.lot_id
        FROM new_rows n JOIN experiments_stockuse u ON u.lot_id = n.lot_id) found;
    IF used IS NOT NULL THEN
        PERFORM experiments_note_stock_uses(used_in, used);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION experiments_keep_lot_sources() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM old_rows o JOIN experiments_stockuse u ON u.lot_id = o.lot_id)
       OR EXISTS (SELECT FROM old_rows o JOIN experiments_stockmovement m ON m.made_lot_id = o.lot_id
            JOIN experiments_vial v ON v.id = m.vial_id WHERE v.lot_id = o.source_lot_id) THEN
        RAISE EXCEPTION 'What a lot was made from stays once it was given or consumed.'
            USING ERRCODE = '23514', TABLE = TG_TABLE_NAME, CONSTRAINT = 'lot_source_kept';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION experiments_lot_passage_uses() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    used_in uuid[]; used uuid[];
BEGIN
    SELECT array_agg(experiment_id), array_agg(lot_id) INTO used_in, used FROM (SELECT DISTINCT u.experiment_id, u.lot_id
        FROM new_rows n JOIN old_rows o USING (id) JOIN experiments_stockuse u ON u.lot_id = n.id
       WHERE n.passage_id IS DISTINCT FROM o.passage_id) found;
    IF used IS NOT NULL THEN
        PERFORM experiments_note_stock_uses(used_in, used);
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER vial_ledger AFTER INSERT OR UPDATE OF amount_left ON experiments_vial
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION experiments_vial_ledger();
CREATE CONSTRAINT TRIGGER vial_ledger AFTER INSERT ON experiments_stockmovement
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION experiments_movement_ledger();
CREATE TRIGGER keep_movements BEFORE UPDATE OR DELETE OR TRUNCATE ON experiments_stockmovement
    FOR EACH STATEMENT EXECUTE FUNCTION experiments_keep_movements();
CREATE TRIGGER note_uses AFTER INSERT ON experiments_stockmovement REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION experiments_movement_uses();
CREATE TRIGGER note_uses AFTER INSERT ON experiments_dosevial REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION experiments_dose_vial_uses();
CREATE TRIGGER note_uses AFTER INSERT ON experiments_lotsource REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION experiments_lot_source_uses();
CREATE TRIGGER note_uses_changed AFTER UPDATE ON experiments_lotsource REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION experiments_lot_source_uses();
CREATE TRIGGER keep_sources AFTER DELETE ON experiments_lotsource REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION experiments_keep_lot_sources();
CREATE TRIGGER note_uses AFTER UPDATE ON experiments_lot REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION experiments_lot_passage_uses();
"""
NAMES = (
    "vial_ledger()", "movement_ledger()", "compare_ledger(uuid)", "keep_movements()", "movement_uses()", "dose_vial_uses()",
    "lot_source_uses()", "keep_lot_sources()", "lot_passage_uses()", "note_stock_uses(uuid[], uuid[])",
)  # fmt: skip
DROP = "".join(f"DROP FUNCTION experiments_{name} CASCADE;" for name in NAMES)


class Migration(migrations.Migration):
    dependencies = [
        ("experiments", "0006_imports"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="consent",
            name="withdrawal_note",
            field=models.CharField(blank=True, editable=False, max_length=250),
        ),
        migrations.AlterField(
            model_name="consent",
            name="withdrawn_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        *(
            migrations.AddConstraint(
                model_name="recall",
                constraint=models.UniqueConstraint(
                    condition=models.Q(("lifted_at", None)),
                    fields=(subject,),
                    name=f"recall_of_{subject}_once",
                    violation_error_message=f"This {subject} is recalled already.",
                ),
            )
            for subject in ("batch", "lot")
        ),
        migrations.AddConstraint(
            model_name="vial",
            constraint=models.CheckConstraint(
                condition=~models.Q(("state__in", ["stored", "thawed"])) | models.Q(("amount_left__gt", 0)),
                name="vial_empty_is_used",
            ),
        ),
        migrations.RunSQL(FUNCTIONS, DROP),
    ]
