"""The record: one file per bench topic."""

from experiments.models.animals import Allocation, Animal, Cage, Disposition, Enrolment, Housing, Litter, Strain
from experiments.models.batches import CellCount, IsolationBatch, Passage
from experiments.models.cohorts import EligibilityCriterion, Exclusion, Randomisation
from experiments.models.donors import Consent, Donor, TissueSample
from experiments.models.events import AdverseEvent, FertilityTrial, Tumour
from experiments.models.files import SourceFile
from experiments.models.imports import ImportRow, ImportRun, ImportTemplate
from experiments.models.jobs import Job
from experiments.models.licences import Licence
from experiments.models.locks import ExperimentLock
from experiments.models.observations import Endpoint, Observation, Specimen
from experiments.models.outcomes import DataChange, Estimate, OutcomeSummary, Report, ReportSchedule
from experiments.models.plans import AnalysisPlan, PlannedComparison, PlannedEndpoint
from experiments.models.poi import PoiConfirmation, PoiCriteria, PoiCriterion
from experiments.models.procedures import Dose, DoseLimit, DoseVial, Induction, Medication, Procedure
from experiments.models.products import Lot, LotSource, Product, StockUse, VesicleCharacterisation
from experiments.models.protocols import (
    ArmProtocol,
    PlannedProcedure,
    Protocol,
    ProtocolStep,
    ProtocolVersion,
    StepKind,
)
from experiments.models.quality import IdentityTest, MarkerResult, Recall, Release, SafetyTest
from experiments.models.stock import StockMovement, StorageBox, Vial
from experiments.models.studies import Arm, Experiment, Membership, Timepoint
from experiments.models.terms import Term, TermField
from experiments.models.welfare import Alert, Note, NoteMention, WelfareRule

__all__ = [
    "AdverseEvent",
    "Alert",
    "Allocation",
    "AnalysisPlan",
    "Animal",
    "Arm",
    "ArmProtocol",
    "Cage",
    "CellCount",
    "Consent",
    "DataChange",
    "Disposition",
    "Donor",
    "Dose",
    "DoseLimit",
    "DoseVial",
    "EligibilityCriterion",
    "Endpoint",
    "Enrolment",
    "Estimate",
    "Exclusion",
    "Experiment",
    "ExperimentLock",
    "FertilityTrial",
    "Housing",
    "IdentityTest",
    "ImportRow",
    "ImportRun",
    "ImportTemplate",
    "Induction",
    "IsolationBatch",
    "Job",
    "Licence",
    "Litter",
    "Lot",
    "LotSource",
    "MarkerResult",
    "Medication",
    "Membership",
    "Note",
    "NoteMention",
    "Observation",
    "OutcomeSummary",
    "Passage",
    "PlannedComparison",
    "PlannedEndpoint",
    "PlannedProcedure",
    "PoiConfirmation",
    "PoiCriteria",
    "PoiCriterion",
    "Procedure",
    "Product",
    "Protocol",
    "ProtocolStep",
    "ProtocolVersion",
    "Randomisation",
    "Recall",
    "Release",
    "Report",
    "ReportSchedule",
    "SafetyTest",
    "SourceFile",
    "Specimen",
    "StepKind",
    "StockMovement",
    "StockUse",
    "StorageBox",
    "Strain",
    "Term",
    "TermField",
    "Timepoint",
    "TissueSample",
    "Tumour",
    "VesicleCharacterisation",
    "Vial",
    "WelfareRule",
]
