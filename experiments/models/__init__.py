"""The record: one file per bench topic."""

from experiments.models.animals import (
    Allocation,
    Animal,
    Cage,
    Disposition,
    Enrolment,
    Housing,
    Litter,
    Procedure,
    Strain,
)
from experiments.models.files import SourceFile
from experiments.models.imports import ImportRow, ImportRun, ImportTemplate
from experiments.models.jobs import Job
from experiments.models.locks import ExperimentLock
from experiments.models.observations import Endpoint, Observation, Specimen
from experiments.models.outcomes import DataChange, Estimate, OutcomeSummary, Report, ReportSchedule
from experiments.models.studies import Arm, Experiment, Membership, Timepoint

__all__ = [
    "Allocation",
    "Animal",
    "Arm",
    "Cage",
    "DataChange",
    "Disposition",
    "Endpoint",
    "Enrolment",
    "Estimate",
    "Experiment",
    "ExperimentLock",
    "Housing",
    "ImportRow",
    "ImportRun",
    "ImportTemplate",
    "Job",
    "Litter",
    "Membership",
    "Observation",
    "OutcomeSummary",
    "Procedure",
    "Report",
    "ReportSchedule",
    "SourceFile",
    "Specimen",
    "Strain",
    "Timepoint",
]
