"""A protocol of induction and transplantation, and a product, for the tests of plans."""

from datetime import UTC, date, datetime
from decimal import Decimal

from experiments.actions.observations import NewObservation, record_observations
from experiments.actions.protocols import issue_version
from experiments.models import (
    ArmProtocol,
    Endpoint,
    Licence,
    Observation,
    Product,
    Protocol,
    ProtocolStep,
    ProtocolVersion,
)

DAY_0 = date(2026, 3, 2)


def product(**fields):
    made = Product(**{"name": "UC-MSC", "kind": "cell_suspension", "dose_unit": "viable cells", **fields})
    made.save()
    return made


def draft(name="CTX, then cells", **induction):
    """Cyclophosphamide 120 mg/kg IP, 2 times every 7 days from day 0; cells 7 days after the last of them."""
    protocol = Protocol(name=name)
    protocol.save()
    version = ProtocolVersion(protocol=protocol, number=1)
    version.save()
    values = {
        "name": "induction", "kind": "induction", "induction_model": "chemotherapy", "agent": "cyclophosphamide",
        "amount": Decimal(120), "amount_unit": "mg/kg", "concentration_mg_per_ml": Decimal(10), "route": "intraperitoneal",
        "repeats": 2, "every_days": 7, **induction,
    }  # fmt: skip
    first = ProtocolStep(version=version, **values)
    first.save()
    values = {
        "name": "cells", "kind": "transplantation", "product": product(name=f"cells of {name}"), "amount": Decimal(10**6),
        "amount_unit": "viable cells", "volume_ul": Decimal(100), "route": "intravenous", "site": "tail_vein",
        "after": first, "relative_day": 7, "window_before_days": 1, "window_after_days": 2, "anaesthesia": "isoflurane",
        "analgesia": "buprenorphine", "analgesia_every_h": Decimal(8), "analgesia_for_h": Decimal(24),
    }  # fmt: skip
    ProtocolStep(version=version, position=1, **values).save()
    return version


def issued(by, **induction):
    return issue_version(version=draft(**induction), by=by)


def followed(version, experiment, shift_days=0, arms=None):
    """``version``, which every arm of ``experiment`` follows from now on."""
    for arm in arms or experiment.arms.all():
        ArmProtocol(arm=arm, version=version, shift_days=shift_days).save()
    return version


def licence(experiment, **fields):
    made = Licence(
        **{"number": "L-1", "expires_on": date(2027, 1, 1), "animals_allowed": 60, "severity": "moderate", **fields}
    )
    made.save()
    type(experiment).objects.filter(pk=experiment.pk).update(licence=made)
    experiment.refresh_from_db()
    return made


def weigh(animal, experiment, grams, day, by, endpoint="body_weight", hour=9):
    """Record a weight (or a score) on a day of March 2026, and return its row."""
    new = NewObservation(
        endpoint=Endpoint.objects.get(key=endpoint).pk,
        animal=animal.pk,
        observed_at=datetime(2026, 3, day, hour, tzinfo=UTC),
        number=Decimal(grams),
    )
    record_observations(experiment=experiment, observations=[new], by=by)
    return Observation.objects.get(pk=new.id)
