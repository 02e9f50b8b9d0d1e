"""What holds for every model, found by walking them; the exceptions are listed, the members are not."""

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection, models

from labdb.base.access import visibility
from labdb.base.models import AccessToken, User, ValidatedModel

APPS = ("labdb", "experiments", "assays")
NOT_VALIDATED = {"labdb.User", "labdb.AccessToken", "labdb.GuessBudget", "experiments.DataChange"}
NOT_VALIDATED |= {"labdb.TrailStatement", "labdb.TrailEntry"}  # written by the database's triggers
OURS = [model for label in APPS for model in apps.get_app_config(label).get_models()]
RECORD = [model for model in OURS if model._meta.label not in NOT_VALIDATED]
IDS = [model._meta.label for model in RECORD]


@pytest.mark.parametrize("model", RECORD, ids=IDS)
def test_a_row_is_validated_and_knows_who_may_see_it(model):
    assert issubclass(model, ValidatedModel)
    assert model._meta.pk.get_internal_type() == "UUIDField"
    visibility(model, User())  # raises where experiment_path is missing


@pytest.mark.django_db
def test_strangers_see_only_what_is_lab_wide(experiment, animals, django_user_model):
    stranger = django_user_model.objects.create_user("stranger")
    outsider = django_user_model.objects.create_user("gone", is_active=False)
    seen = {model for model in RECORD if _of_experiments(model, model.objects.visible_to(stranger)).exists()}
    assert [model._meta.label for model in seen if model.experiment_path] == []
    assert [model._meta.label for model in RECORD if model.objects.visible_to(outsider).exists()] == []


def _of_experiments(model, rows):
    """Without the laboratory's own rows of a model that has both: the rule of welfare that comes with the program."""
    return rows.exclude(experiment=None) if "experiment__isnull" in model.experiment_path else rows


@pytest.mark.parametrize("model", RECORD, ids=IDS)
def test_every_rule_has_a_message_for_a_person(model):
    default = models.BaseConstraint.default_violation_error_message
    unsaid = [
        constraint.name
        for constraint in model._meta.constraints
        if constraint.violation_error_message == default and not _is_of_the_program(constraint)
    ]
    assert unsaid == []


def _is_of_the_program(constraint):
    """Targets of composite foreign keys and keys of rows that only verbs write: no person can break them."""
    return constraint.name.endswith("_with_experiment") or constraint.name in {"estimate_once", "import_row_once"}


@pytest.mark.parametrize("model", OURS, ids=[model._meta.label for model in OURS])
def test_no_row_is_deleted_behind_another(model):
    allowed = {models.PROTECT, models.DO_NOTHING}
    parts = {"Estimate.summary", "ImportRow.run", "Membership.experiment", "AccessToken.user"}
    cascades = [
        f"{model.__name__}.{field.name}"
        for field in model._meta.local_fields
        if field.is_relation and field.remote_field.on_delete not in allowed
    ]
    assert set(cascades) <= parts


@pytest.mark.django_db
def test_the_application_owns_no_table():
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tableowner = current_user")
        owned = cursor.fetchall()
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        (is_superuser,) = cursor.fetchone()
    assert owned == []
    assert not is_superuser


@pytest.mark.django_db
def test_the_migrations_say_what_the_models_say():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_tokens_are_stored_as_hashes():
    assert {field.name for field in AccessToken._meta.local_fields} & {"token", "secret"} == set()
