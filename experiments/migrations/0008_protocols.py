"""The steps of an issued version of a protocol stay as they are, whoever writes and however; no alert is raised twice."""

from django.db import migrations, models

FUNCTIONS = """
CREATE FUNCTION experiments_keep_issued_steps() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    is_issued boolean;
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        SELECT EXISTS (SELECT FROM experiments_protocolversion WHERE issued_at IS NOT NULL) INTO is_issued;
    ELSE
        -- FOR SHARE: who is issuing the version ends first, who begins later waits.
        SELECT bool_or(issued) INTO is_issued FROM (
            SELECT issued_at IS NOT NULL AS issued FROM experiments_protocolversion WHERE id IN
              (CASE WHEN TG_OP <> 'INSERT' THEN OLD.version_id END, CASE WHEN TG_OP <> 'DELETE' THEN NEW.version_id END)
              ORDER BY id FOR SHARE) versions;
    END IF;
    IF is_issued THEN
        RAISE EXCEPTION 'This version is issued, its steps stay as they are; make a new version.'
            USING ERRCODE = '23514', TABLE = TG_TABLE_NAME, CONSTRAINT = 'protocol_step_issued';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE FUNCTION experiments_keep_issued_version() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'A version that is issued stays so.'
        USING ERRCODE = '23514', TABLE = TG_TABLE_NAME, CONSTRAINT = 'protocol_version_issued';
END $$;

CREATE TRIGGER keep_issued_steps BEFORE INSERT OR UPDATE OR DELETE ON experiments_protocolstep
    FOR EACH ROW EXECUTE FUNCTION experiments_keep_issued_steps();
CREATE TRIGGER keep_issued_steps_truncate BEFORE TRUNCATE ON experiments_protocolstep
    FOR EACH STATEMENT EXECUTE FUNCTION experiments_keep_issued_steps();
CREATE TRIGGER keep_issued_version BEFORE UPDATE ON experiments_protocolversion FOR EACH ROW
    WHEN (OLD.issued_at IS NOT NULL AND NEW.issued_at IS DISTINCT FROM OLD.issued_at)
    EXECUTE FUNCTION experiments_keep_issued_version();
"""

NO_FUNCTIONS = """
DROP TRIGGER keep_issued_version ON experiments_protocolversion;
DROP TRIGGER keep_issued_steps_truncate ON experiments_protocolstep;
DROP TRIGGER keep_issued_steps ON experiments_protocolstep;
DROP FUNCTION experiments_keep_issued_version();
DROP FUNCTION experiments_keep_issued_steps();
"""


class Migration(migrations.Migration):
    dependencies = [("experiments", "0007_stock")]

    operations = [
        migrations.RemoveConstraint("armprotocol", "arm_protocol_once"),
        migrations.AddConstraint(
            "armprotocol",
            models.UniqueConstraint(
                fields=("arm", "version"),
                name="arm_protocol_once",
                violation_error_message="The arm already follows this version.",
            ),
        ),
        migrations.AddConstraint(
            "alert",
            models.UniqueConstraint(
                condition=models.Q(("kind", "licence")),
                fields=("experiment", "message"),
                name="alert_licence_once",
                violation_error_message="This alert was already raised.",
            ),
        ),
        migrations.RunSQL(FUNCTIONS, NO_FUNCTIONS),
    ]
