"""Two people who draw at once: one wins, the other is told."""

import threading

from django.core.exceptions import ValidationError
from django.db import connection

from experiments.actions.randomisation import randomise
from experiments.models import Allocation, Experiment, Randomisation


def test_of_two_who_draw_at_once_one_wins(committed_db, request):
    scientist, waiting = request.getfixturevalue("scientist"), request.getfixturevalue("experiment")
    request.getfixturevalue("animals")
    Allocation.objects.all().delete()
    barrier, told = threading.Barrier(2), []

    def attempt() -> None:
        try:
            barrier.wait()
            told.append(randomise(experiment=Experiment.objects.get(pk=waiting.pk), method="block", by=scientist))
        except ValidationError as error:
            told.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=attempt) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(type(each).__name__ for each in told) == ["Randomisation", "ValidationError"]
    refused = next(each for each in told if isinstance(each, ValidationError))
    assert "No animal is left" in str(refused)
    assert (Randomisation.objects.count(), Allocation.objects.count()) == (1, 6)
