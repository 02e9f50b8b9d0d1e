"""What Django cannot declare: the order of a run's states, and that a decided run no longer changes."""

from django.db import migrations

PARTS = ("plate", "well", "reading", "curve", "curveparameter", "wellresult", "result", "tally", "remark")

FUNCTIONS = """
CREATE FUNCTION assays_keep_order() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'draft' THEN
            RAISE EXCEPTION 'A run begins as a draft.' USING ERRCODE = '23514', TABLE = TG_TABLE_NAME,
                CONSTRAINT = 'assay_run_order';
        END IF;
        RETURN NEW;
    ELSIF TG_OP = 'DELETE' THEN
        IF OLD.state <> 'draft' THEN
            RAISE EXCEPTION 'Only a draft can be deleted.' USING ERRCODE = '23514', TABLE = TG_TABLE_NAME,
                CONSTRAINT = 'assay_run_frozen';
        END IF;
        RETURN OLD;
    ELSIF OLD.state IN ('rejected', 'published') THEN
        RAISE EXCEPTION 'A rejected or published run no longer changes.' USING ERRCODE = '23514',
            TABLE = TG_TABLE_NAME, CONSTRAINT = 'assay_run_frozen';
    ELSIF (OLD.state, NEW.state) NOT IN (('draft', 'draft'), ('draft', 'quantified'), ('draft', 'rejected'),
            ('quantified', 'quantified'), ('quantified', 'draft'), ('quantified', 'accepted'),
            ('quantified', 'rejected'), ('accepted', 'published'), ('accepted', 'rejected')) THEN
        RAISE EXCEPTION 'A run cannot go from % to %.', OLD.state, NEW.state USING ERRCODE = '23514',
            TABLE = TG_TABLE_NAME, CONSTRAINT = 'assay_run_order';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION assays_keep_frozen() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM changed_rows c JOIN assays_assayrun r ON r.id = c.run_id
                WHERE r.state IN ('accepted', 'rejected', 'published')) THEN
        RAISE EXCEPTION 'The run is accepted, rejected or published: it no longer changes.' USING ERRCODE = '23514',
            TABLE = TG_TABLE_NAME, CONSTRAINT = 'assay_run_frozen';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION assays_keep_publication() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        RAISE EXCEPTION 'What was published stays.' USING ERRCODE = '23514', TABLE = TG_TABLE_NAME,
            CONSTRAINT = 'assay_publication_fixed';
    ELSIF NOT EXISTS (SELECT FROM assays_assayrun r WHERE r.id = NEW.run_id AND r.state = 'accepted') THEN
        RAISE EXCEPTION 'Only an accepted run is published.' USING ERRCODE = '23514', TABLE = TG_TABLE_NAME,
            CONSTRAINT = 'assay_publication_of_accepted';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER keep_order BEFORE INSERT OR UPDATE OR DELETE ON assays_assayrun
    FOR EACH ROW EXECUTE FUNCTION assays_keep_order();
CREATE TRIGGER keep_publication BEFORE INSERT OR UPDATE OR DELETE ON assays_publication
    FOR EACH ROW EXECUTE FUNCTION assays_keep_publication();
"""

COMPOSITE = """
ALTER TABLE assays_assayrun ADD CONSTRAINT assay_run_timepoint_same_experiment
    FOREIGN KEY (timepoint_id, experiment_id) REFERENCES experiments_timepoint (id, experiment_id);
ALTER TABLE assays_well ADD CONSTRAINT well_plate_same_run
    FOREIGN KEY (plate_id, run_id) REFERENCES assays_plate (id, run_id);
"""
DROP_COMPOSITE = """
ALTER TABLE assays_assayrun DROP CONSTRAINT assay_run_timepoint_same_experiment;
ALTER TABLE assays_well DROP CONSTRAINT well_plate_same_run;
"""


def _frozen() -> str:
    return "\n".join(
        f"CREATE TRIGGER keep_frozen_{event.lower()} AFTER {event} ON assays_{part}"
        f" REFERENCING {rows} TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION assays_keep_frozen();"
        for part in PARTS
        for event, rows in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD"))
    )


class Migration(migrations.Migration):
    dependencies = [("assays", "0001_initial"), ("experiments", "0002_rules_across_rows")]

    operations = [
        migrations.RunSQL(COMPOSITE, DROP_COMPOSITE),
        migrations.RunSQL(
            FUNCTIONS + _frozen(),
            "".join(f"DROP FUNCTION assays_keep_{name}() CASCADE;" for name in ("order", "frozen", "publication")),
        ),
    ]
