"""Closings of experiments. The triggers on the tables of the record are made after each migrate (experiments.locks)."""

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

CLOSED_BEFORE = """
INSERT INTO experiments_experimentlock (id, experiment_id, closed_by_id, closed_at, reason, reopen_reason)
    SELECT gen_random_uuid(), id, NULL, now(), 'Closed before it was recorded who closed it, when and why.', ''
      FROM experiments_experiment WHERE status IN ('closed', 'signed');
"""

FUNCTIONS = """
CREATE FUNCTION experiments_lock_key(experiment uuid) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN hashtextextended('experiment ' || experiment::text, 0);

-- Called by the trigger of every table of the record, with the experiments that a statement's rows lead to.
CREATE FUNCTION experiments_refuse_closed(experiments uuid[], changed_table text) RETURNS void LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
DECLARE
    key bigint;
    told record;
BEGIN
    IF array_remove(experiments, NULL) = '{}' THEN
        RETURN;
    END IF;
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        -- An older snapshot would not see a closing that was committed since.
        RAISE EXCEPTION 'Rows of experiments are written in transactions that READ COMMITTED.'
            USING ERRCODE = '0A000', TABLE = changed_table;
    END IF;
    FOR key IN SELECT DISTINCT experiments_lock_key(e) FROM unnest(experiments) e WHERE e IS NOT NULL ORDER BY 1 LOOP
        PERFORM pg_advisory_xact_lock_shared(key);
    END LOOP;
    SELECT l.experiment_id, e.code, l.closed_at, l.reason,
           COALESCE(NULLIF(btrim(concat_ws(' ', u.first_name, u.last_name)), ''), u.username) AS person
      INTO told
      FROM experiments_experimentlock l
      LEFT JOIN experiments_experiment e ON e.id = l.experiment_id
      LEFT JOIN labdb_user u ON u.id = l.closed_by_id
     WHERE l.reopened_at IS NULL AND l.experiment_id = ANY (experiments)
     ORDER BY e.code LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '%', format('The experiment %s was closed%s on %s: %s', told.code, ' by ' || told.person,
                to_char(told.closed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'), told.reason)
            USING ERRCODE = '23514', TABLE = changed_table, CONSTRAINT = 'experiment_locked',
                DETAIL = told.experiment_id, HINT = 'A director of the experiment can reopen it, with a reason.';
    END IF;
END $$;

CREATE FUNCTION experiments_refuse_truncate() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM experiments_refuse_closed(ARRAY(SELECT experiment_id FROM experiments_experimentlock
        WHERE reopened_at IS NULL), TG_TABLE_NAME);
    RETURN NULL;
END $$;

CREATE FUNCTION experiments_keep_status() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF (NEW.status IN ('closed', 'signed')) <> EXISTS (SELECT FROM experiments_experimentlock
            WHERE experiment_id = NEW.id AND reopened_at IS NULL) THEN
        RAISE EXCEPTION 'An experiment is closed and reopened with a reason, not by its status.'
            USING ERRCODE = '23514', TABLE = TG_TABLE_NAME, CONSTRAINT = 'experiment_status_by_closing';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION experiments_keep_lock() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.reopened_at IS NULL THEN
            -- Waits for whoever is writing to the experiment; who comes later waits, and finds it closed.
            PERFORM pg_advisory_xact_lock(experiments_lock_key(NEW.experiment_id));
            NEW.closed_at := clock_timestamp();
            RETURN NEW;
        END IF;
    ELSIF TG_OP = 'UPDATE' THEN
        IF OLD.reopened_at IS NULL AND NEW.reopened_at IS NOT NULL AND
                (NEW.id, NEW.experiment_id, NEW.closed_by_id, NEW.closed_at, NEW.reason) IS NOT DISTINCT FROM
                (OLD.id, OLD.experiment_id, OLD.closed_by_id, OLD.closed_at, OLD.reason) THEN
            NEW.reopened_at := clock_timestamp();
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'A closing stays as it was recorded; it is ended once, by reopening.'
        USING ERRCODE = '23514', TABLE = TG_TABLE_NAME, CONSTRAINT = 'experiment_lock_kept';
END $$;

CREATE FUNCTION experiments_follow_lock() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE experiments_experiment SET status = CASE WHEN NEW.reopened_at IS NULL THEN 'closed' ELSE 'running' END
     WHERE id = NEW.experiment_id;
    RETURN NULL;
END $$;

CREATE TRIGGER keep_status BEFORE INSERT OR UPDATE OF status ON experiments_experiment
    FOR EACH ROW EXECUTE FUNCTION experiments_keep_status();
CREATE TRIGGER keep_lock BEFORE INSERT OR UPDATE OR DELETE ON experiments_experimentlock
    FOR EACH ROW EXECUTE FUNCTION experiments_keep_lock();
CREATE TRIGGER keep_lock_truncate BEFORE TRUNCATE ON experiments_experimentlock
    FOR EACH STATEMENT EXECUTE FUNCTION experiments_refuse_truncate();
CREATE TRIGGER follow_lock AFTER INSERT OR UPDATE ON experiments_experimentlock
    FOR EACH ROW EXECUTE FUNCTION experiments_follow_lock();
"""
NAMES = ("follow_lock()", "keep_lock()", "keep_status()", "refuse_truncate()", "refuse_closed(uuid[], text)")
DROP = "".join(f"DROP FUNCTION experiments_{name} CASCADE;" for name in (*NAMES, "lock_key(uuid)"))


def _person() -> models.ForeignKey:
    return models.ForeignKey(
        blank=True,
        null=True,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to=settings.AUTH_USER_MODEL,
    )


class Migration(migrations.Migration):
    dependencies = [
        ("experiments", "0003_roles"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ExperimentLock",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("closed_by", _person()),
                ("closed_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("reason", models.CharField(max_length=500)),
                ("reopened_by", _person()),
                ("reopened_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("reopen_reason", models.CharField(blank=True, max_length=500)),
                (
                    "experiment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="locks",
                        to="experiments.experiment",
                    ),
                ),
            ],
            options={
                "verbose_name": "closing",
                "ordering": ["experiment", "-closed_at"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=["experiment"],
                        condition=models.Q(reopened_at=None),
                        name="experiment_lock_open_once",
                        violation_error_message="The experiment is closed already.",
                    ),
                    models.CheckConstraint(condition=~models.Q(reason=""), name="experiment_lock_reason"),
                    models.CheckConstraint(
                        condition=models.Q(reopened_at=None, reopened_by=None, reopen_reason="")
                        | (
                            models.Q(reopened_at__isnull=False, reopened_by__isnull=False) & ~models.Q(reopen_reason="")
                        ),
                        name="experiment_lock_reopened_whole",
                    ),
                ],
            },
        ),
        migrations.RunSQL(CLOSED_BEFORE, migrations.RunSQL.noop),
        migrations.RunSQL(FUNCTIONS, DROP),
    ]
