"""Two people who fill the same cells of a cage at the same moment."""

import threading

import pytest
from django.db import connections

from experiments.models import Observation
from tests.doors.rest_client import rest_client
from tests.doors.test_grids import cell, send


@pytest.mark.parametrize("round_", range(3))
def test_of_two_people_who_fill_one_cell_at_once_one_is_refused(round_, committed_db, experiment, animals, member):
    clients = [rest_client(member("technician", experiment, name)) for name in ("ada", "bea")]
    start, codes, told = threading.Barrier(2), [], []

    def fill(client, value):
        start.wait()
        answer = send(client, experiment, [cell(animal, value) for animal in animals])
        codes.append(answer.status_code)
        told.extend(row["current"]["text"] for row in answer.json()["rows"])
        connections.close_all()

    threads = [threading.Thread(target=fill, args=pair) for pair in zip(clients, (20, 21), strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [200, 400]
    assert Observation.objects.count() == len(animals)
    assert told == [f"{Observation.objects.first().value:f}"] * len(animals)
