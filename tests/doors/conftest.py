"""A world for the table of invalid cases, and a client of the REST door."""

import pytest

from tests.doors.invalid_cases import World, make_world
from tests.doors.rest_client import RestClient, rest_client


@pytest.fixture
def world(scientist, experiment, animals) -> World:
    return make_world(scientist, experiment, animals)


@pytest.fixture
def api(scientist) -> RestClient:
    """A REST client with an access token of ``scientist``."""
    return rest_client(scientist)
