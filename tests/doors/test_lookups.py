"""What an assessor can find out by asking: every lookup of every list, and every byte of every page that they reach.

The oracle: the same world with its allocations dealt out anew. Whatever the assessor receives must stay the same.
"""

import logging
import random
import re
from collections.abc import Iterator
from weakref import WeakKeyDictionary

import pytest
from django.contrib.admin.sites import site
from django.db import models, transaction
from django.test import RequestFactory, override_settings

from experiments.models import Allocation, Arm, Procedure
from tests.contracts.matrix.addresses import addresses
from tests.contracts.matrix.execution import Execution
from tests.contracts.matrix.world import make_world

LOOKUPS = ("", "__exact", "__in", "__gte", "__lt", "__isnull", "__contains", "__regex")
DEPTH = 3
# What differs between two answers to the same request: tokens of forms and scripts, signatures, cookies, the hour.
CHANGING = re.compile(
    rb'name="csrfmiddlewaretoken" value="[^"]*"|nonce="[^"]*"|X-CSRFToken[^}]*'
    rb'|(?<=name="_versions" value=")(\.?[^":]*):[^"]*'  # the versions stay, when they were signed goes
    rb"|changed \d{4}-\d\d-\d\d \d\d:\d\d UTC"
)
HEADERS_LEFT_OUT = ("Set-Cookie", "Content-Security-Policy", "Content-Length", "Expires", "Last-Modified")
# What a person receives while the arms are as they are: the same for every permutation, so it is asked for once.
UNDEALT: WeakKeyDictionary[Execution, dict[str, dict[str, tuple]]] = WeakKeyDictionary()
FORGED = ("_to_field=arm", "_facets=1", "o=99.-1", "e=1", "_changelist_filters=arm__isnull%3D1", "all=")


def is_hidden(model: type[models.Model]) -> bool:
    return bool(getattr(model, "hidden_while_masked", False))


def paths(model: type[models.Model], depth: int = DEPTH) -> Iterator[tuple[str, bool]]:
    """Every path of fields from ``model``, and whether it passes rows that tell the arm."""
    for field in model._meta.get_fields():
        related = field.related_model if field.is_relation else None
        name = field.name
        if name.endswith("+"):  # no lookup leads there
            continue
        reaches = isinstance(related, type) and is_hidden(related)
        yield name, reaches and not field.concrete  # a row's own key of another is no word of that
        if isinstance(related, type) and depth > 1:
            for rest, deeper in paths(related, depth - 1):
                yield f"{name}__{rest}", (reaches and rest != related._meta.pk.name) or deeper


@pytest.fixture(scope="module")
def execution(django_db_setup, django_db_blocker, tmp_path_factory):
    quick = {"PASSWORD_HASHERS": ["tests.hashers.QuickHasher"], "LABDB_FILES_DIR": tmp_path_factory.mktemp("files")}
    logging.disable(logging.ERROR)
    with django_db_blocker.unblock(), override_settings(**quick), transaction.atomic():
        yield Execution(make_world())
        transaction.set_rollback(True)
    logging.disable(logging.NOTSET)


OWN = [model for model in site._registry if not is_hidden(model)]


@pytest.mark.parametrize("model", OWN, ids=lambda model: model.__name__)
def test_no_lookup_of_a_list_passes_rows_that_tell_the_arm(model, execution):
    person = execution.world.people["assessor"]
    request = RequestFactory().get("/")
    request.user = person
    asked = [path + lookup for path, reaches in paths(model) if reaches for lookup in LOOKUPS]
    page = site.get_model_admin(model)
    allowed = [name for name in asked if page.lookup_allowed(name, "1", request)]
    assert not allowed, (len(asked), allowed[:20])
    url = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    for name in random.Random(0).sample(asked, min(6, len(asked))):
        answer = execution.clients["assessor"].get(url, {name: "1"})
        is_refused = answer.status_code in (400, 403) or (answer.status_code == 302 and answer.url.endswith("?e=1"))
        assert is_refused, (name, answer.status_code)


def deal(execution: Execution, order: random.Random | None) -> None:
    """Deal the arms out anew among all allocations of the blinded experiment (None: as they are)."""
    experiment = execution.world.situations["blinded"].rows[Arm].experiment
    arms = list(Arm.objects.filter(experiment=experiment).order_by("pk"))
    for number, allocation in enumerate(Allocation.objects.filter(experiment=experiment).order_by("pk")):
        others = [arm for arm in arms if number or arm != allocation.arm]  # the first one surely changes
        arm = allocation.arm if order is None else order.choice(others)
        Allocation.objects.filter(pk=allocation.pk).update(arm=arm)
        told = "vehicle" if order is None else f"drug {order.random()} of {number}"
        Procedure.objects.filter(enrolment=allocation.enrolment).update(description=told)


def urls(execution: Execution) -> list[str]:
    """Every page on which rows of the blinded experiment stand, or could."""
    place = execution.world.situations["blinded"]
    found = []
    for address in addresses():
        if address.has_situations and address.name != "choices":
            found.append(address.url(execution.key(address, "blinded"), place.word))
        if address.name == "experiments_animal_changelist" and not address.query:
            found += [f"/{address.path}?{forged}" for forged in FORGED]
    return found


def received(execution: Execution, person: str, asked: list[str], order: random.Random | None) -> dict[str, tuple]:
    """Status, headers and body of every answer, with the arms dealt out by ``order``."""
    found = {}
    with transaction.atomic():
        deal(execution, order)
        for url in asked:
            with transaction.atomic():
                answer = execution.clients[person].get(url)
                content = b"".join(answer.streaming_content) if answer.streaming else answer.content
                transaction.set_rollback(True)
            headers = {name: value for name, value in answer.headers.items() if name not in HEADERS_LEFT_OUT}
            found[url] = (answer.status_code, headers, CHANGING.sub(rb"\1", content))
        transaction.set_rollback(True)
    return found


def differing(execution: Execution, person: str, seed: int) -> list[str]:
    """Addresses whose answer follows the arms. What differs is asked for again as it was: it may have been the hour."""
    undealt = UNDEALT.setdefault(execution, {})
    if person not in undealt:
        undealt[person] = received(execution, person, urls(execution), None)
    before = undealt[person]
    after = received(execution, person, list(before), random.Random(seed))
    changed = [url for url in before if before[url] != after[url]]
    again = received(execution, person, changed, None)
    return [url for url in changed if again[url] != after[url]]


def test_another_allocation_changes_no_byte_that_an_assessor_receives(execution):
    assert not differing(execution, "assessor", 1)


@pytest.mark.stress
@pytest.mark.parametrize("seed", range(2, 202))
@pytest.mark.parametrize("person", ["assessor", "analyst", "manager", "outsider"])
def test_no_permutation_changes_a_byte(seed, person, execution):
    assert not differing(execution, person, seed)


def test_who_is_unmasked_receives_the_difference(execution):
    """The twin: the oracle sees what changes."""
    assert any("allocation" in url for url in differing(execution, "technician", 1))
