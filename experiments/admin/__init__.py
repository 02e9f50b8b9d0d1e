"""The admin's pages of the record: one module a topic."""

from experiments.admin import (
    animal_page,
    animals,
    experiment_outcomes,
    experiment_page,
    files,
    home,
    imports,
    jobs,
    observations,
    outcomes,
    people,
    reports,
    studies,
)

__all__ = [
    "animal_page",
    "animals",
    "experiment_outcomes",
    "experiment_page",
    "files",
    "home",
    "imports",
    "jobs",
    "observations",
    "outcomes",
    "people",
    "reports",
    "studies",
]
