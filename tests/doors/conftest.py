"""A world for the table of invalid cases, and a client of the REST door."""

import pytest

from tests.doors.invalid_cases import World, make_world


@pytest.fixture
def world(scientist, experiment, animals) -> World:
    return make_world(scientist, experiment, animals)


@pytest.fixture
def api(scientist):
    """A REST client with an access token of ``scientist``."""
    from rest_framework.test import APIClient

    from labdb.base.models import AccessToken

    _, token = AccessToken.objects.create(user=scientist, can_write=True)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    return client
