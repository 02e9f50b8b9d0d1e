"""The record tables that can be imported, and how a sheet names the rows that others refer to."""

from experiments.actions.imports.tables.columns import KEYS, SCOPES, Column, Key, Kind, Table, register_table
from experiments.actions.imports.tables.observations import ObservationTable
from experiments.models import (
    Allocation,
    Animal,
    Arm,
    Cage,
    Disposition,
    Endpoint,
    Enrolment,
    Experiment,
    Housing,
    Litter,
    Procedure,
    Specimen,
    Strain,
    Timepoint,
)
from labdb.base.models import User

OF_EXPERIMENT = "experiment"

KEYS |= {
    Experiment: Key("code", example="POI-1"),
    Strain: Key("name", example="C57BL/6J"),
    Animal: Key("lab_id", example="M001"),
    Endpoint: Key("key", example="body_weight"),
    User: Key("username", example="ada"),
    Litter: Key("code", OF_EXPERIMENT, "L1"),
    Cage: Key("label", OF_EXPERIMENT, "C1"),
    Arm: Key("label", OF_EXPERIMENT, "POI + PBS"),
    Timepoint: Key("label", OF_EXPERIMENT, "day 7"),
    Specimen: Key("code", OF_EXPERIMENT, "M001-d28"),
    Enrolment: Key(
        "animal__lab_id",
        OF_EXPERIMENT,
        "M001",
        missing="The animal “{value}” is not enrolled in {within}.",
        joined=("animal",),
    ),
}
SCOPES[OF_EXPERIMENT] = Column(
    OF_EXPERIMENT,
    Kind.LINK,
    target=Experiment,
    help="Code of the experiment whose cages and litters are meant; empty for those of the whole laboratory.",
)

register_table(Table("strains", Strain, "name species mgi_id rrid"))
register_table(Table("litters", Litter, "experiment code dam born_on"))
register_table(Table("cages", Cage, "experiment label"))
register_table(Table("animals", Animal, "lab_id strain sex born_on experiment litter"))
register_table(Table("housings", Housing, "animal experiment cage started_on ended_on"))
register_table(Table("enrolments", Enrolment, "experiment animal day_0"))
register_table(Table("arms", Arm, "experiment label kind description position planned_n reference"))
register_table(Table("timepoints", Timepoint, "experiment label study_day window_before_days window_after_days"))
register_table(Table("allocations", Allocation, "experiment animal:enrolment arm method"))
register_table(Table("dispositions", Disposition, "experiment animal:enrolment kind occurred_on note"))
register_table(
    Table(
        "procedures",
        Procedure,
        "experiment animal:enrolment name description performed_on",
        once=("enrolment", "name", "description", "performed_on"),
    )
)
register_table(Table("specimens", Specimen, "experiment animal code matrix timepoint collected_at is_haemolysed"))
register_table(ObservationTable())
