"""The record's addresses under ``/api/v1``."""

from experiments.api import animals, experiments, files, imports, jobs, locks, observations, outcomes, studies
from labdb.base.rest.views import ApiRouter

RESOURCES = {
    "people": studies.People,
    "experiments": experiments.Experiments,
    "experiment-locks": locks.ExperimentLocks,
    "memberships": studies.Memberships,
    "arms": studies.Arms,
    "timepoints": studies.Timepoints,
    "strains": animals.Strains,
    "litters": animals.Litters,
    "cages": animals.Cages,
    "housings": animals.Housings,
    "animals": animals.Animals,
    "enrolments": animals.Enrolments,
    "allocations": animals.Allocations,
    "dispositions": animals.Dispositions,
    "procedures": animals.Procedures,
    "endpoints": observations.Endpoints,
    "specimens": observations.Specimens,
    "observations": observations.Observations,
    "source-files": files.SourceFiles,
    "import-templates": imports.ImportTemplates,
    "import-runs": imports.ImportRuns,
    "import-rows": imports.ImportRows,
    "jobs": jobs.Jobs,
    "outcome-summaries": outcomes.OutcomeSummaries,
    "estimates": outcomes.Estimates,
    "reports": outcomes.Reports,
    "report-schedules": outcomes.ReportSchedules,
}

router = ApiRouter()
for noun, view in RESOURCES.items():
    router.register(noun, view, basename=noun)

urlpatterns = router.urls
