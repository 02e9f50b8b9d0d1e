"""What Django cannot declare: composite foreign keys, and the triggers that say which summaries may be stale."""

from django.db import migrations

SAME_EXPERIMENT = {  # table: [(constraint, columns, target)]
    "experiments_arm": [
        ("arm_reference_same_experiment", "reference_id, experiment_id", "experiments_arm (id, experiment_id)"),
    ],
    "experiments_allocation": [
        ("allocation_enrolment_same_experiment", "enrolment_id, experiment_id", "experiments_enrolment (id, experiment_id)"),
        ("allocation_arm_same_experiment", "arm_id, experiment_id", "experiments_arm (id, experiment_id)"),
    ],
    "experiments_disposition": [
        ("disposition_enrolment_same_experiment", "enrolment_id, experiment_id", "experiments_enrolment (id, experiment_id)"),
    ],
    "experiments_procedure": [
        ("procedure_enrolment_same_experiment", "enrolment_id, experiment_id", "experiments_enrolment (id, experiment_id)"),
    ],
    "experiments_specimen": [
        ("specimen_animal_enrolled", "experiment_id, animal_id", "experiments_enrolment (experiment_id, animal_id)"),
        ("specimen_timepoint_same_experiment", "timepoint_id, experiment_id", "experiments_timepoint (id, experiment_id)"),
    ],
    "experiments_observation": [
        ("observation_animal_enrolled", "experiment_id, animal_id", "experiments_enrolment (experiment_id, animal_id)"),
        ("observation_timepoint_same_experiment", "timepoint_id, experiment_id", "experiments_timepoint (id, experiment_id)"),
    ],
}  # fmt: skip

# The design of an experiment, and its observations: what a summary reads.
DESIGN = ("arm", "allocation", "enrolment", "timepoint", "disposition")

FUNCTIONS = """
CREATE FUNCTION experiments_note_design_change() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO experiments_datachange (experiment_id) SELECT DISTINCT experiment_id FROM changed_rows;
    RETURN NULL;
END $$;

CREATE FUNCTION experiments_note_observation_change() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO experiments_datachange (experiment_id, endpoint_id)
        SELECT DISTINCT experiment_id, endpoint_id FROM changed_rows;
    RETURN NULL;
END $$;

CREATE FUNCTION experiments_note_experiment_change() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO experiments_datachange (experiment_id) SELECT id FROM changed_rows;
    RETURN NULL;
END $$;

CREATE FUNCTION experiments_note_whereabouts_change() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO experiments_datachange (experiment_id)
        SELECT DISTINCT e.experiment_id FROM changed_rows r JOIN experiments_enrolment e USING (animal_id);
    RETURN NULL;
END $$;

CREATE FUNCTION experiments_note_litter_change() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO experiments_datachange (experiment_id)
        SELECT DISTINCT e.experiment_id FROM changed_rows n JOIN earlier_rows o USING (id)
          JOIN experiments_enrolment e ON e.animal_id = n.id WHERE n.litter_id IS DISTINCT FROM o.litter_id;
    RETURN NULL;
END $$;

CREATE FUNCTION experiments_note_endpoint_change() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO experiments_datachange (experiment_id, endpoint_id)
        SELECT experiment_id, endpoint_id FROM experiments_outcomesummary
         WHERE is_current AND endpoint_id IN (
             SELECT n.id FROM changed_rows n JOIN earlier_rows o USING (id)
              WHERE (n.default_scale, n.unit) IS DISTINCT FROM (o.default_scale, o.unit));
    RETURN NULL;
END $$;
"""
NAMES = ("design", "observation", "experiment", "endpoint", "whereabouts", "litter")


def _constraints() -> tuple[str, str]:
    add, drop = [], []
    for table, constraints in SAME_EXPERIMENT.items():
        for name, columns, target in constraints:
            add.append(f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY ({columns}) REFERENCES {target};")
            drop.append(f"ALTER TABLE {table} DROP CONSTRAINT {name};")
    return "\n".join(add), "\n".join(drop)


# An update may take a row from one experiment to another: both are told.
EVENTS = (("INSERT", "NEW"), ("UPDATE", "NEW"), ("UPDATE", "OLD"), ("DELETE", "OLD"))


def _trigger(table: str, function: str, event: str, rows: str) -> str:
    return (
        f"CREATE TRIGGER note_{event.lower()}_{rows.lower()} AFTER {event} ON experiments_{table}"
        f" REFERENCING {rows} TABLE AS changed_rows FOR EACH STATEMENT"
        f" EXECUTE FUNCTION experiments_note_{function}_change();"
    )


def _triggers() -> str:
    made = []
    for name in (*DESIGN, "observation"):
        function = "observation" if name == "observation" else "design"
        made += [_trigger(name, function, event, rows) for event, rows in EVENTS]
    made += [_trigger("housing", "whereabouts", event, rows) for event, rows in EVENTS]
    made.append(
        "CREATE TRIGGER note_update AFTER UPDATE ON experiments_experiment REFERENCING NEW TABLE AS changed_rows"
        " FOR EACH STATEMENT EXECUTE FUNCTION experiments_note_experiment_change();"
    )
    made.append(
        "CREATE TRIGGER note_update AFTER UPDATE ON experiments_animal"
        " REFERENCING NEW TABLE AS changed_rows OLD TABLE AS earlier_rows"
        " FOR EACH STATEMENT EXECUTE FUNCTION experiments_note_litter_change();"
    )
    made.append(
        "CREATE TRIGGER note_update AFTER UPDATE ON experiments_endpoint"
        " REFERENCING NEW TABLE AS changed_rows OLD TABLE AS earlier_rows"
        " FOR EACH STATEMENT EXECUTE FUNCTION experiments_note_endpoint_change();"
    )
    return "\n".join(made)


class Migration(migrations.Migration):
    dependencies = [("experiments", "0001_initial")]

    operations = [
        migrations.RunSQL(*_constraints()),
        migrations.RunSQL(
            FUNCTIONS + _triggers(),
            "".join(f"DROP FUNCTION experiments_note_{name}_change() CASCADE;" for name in NAMES),
        ),
    ]
