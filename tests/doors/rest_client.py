"""A REST client that changes rows as a careful script does: from the version that it read, with a reason."""

from typing import Any
from urllib.parse import urlencode

from rest_framework.test import APIClient

REASON = "as it was written down"


class RestClient(APIClient):
    """``change`` and ``remove`` read the row first; where it cannot be read they send on all the same."""

    def change(self, place: str, data: Any, reason: str = REASON) -> Any:
        """PATCH ``data`` with the row's ETag and ``reason``."""
        body = {**data, "reason_for_change": reason} if reason else data
        return self.patch(place, body, format="json", HTTP_IF_MATCH=self.tag(place))

    def remove(self, place: str, reason: str = REASON) -> Any:
        """DELETE with the row's ETag and ``reason``."""
        query = f"?{urlencode({'reason_for_change': reason})}" if reason else ""
        return self.delete(f"{place}{query}", HTTP_IF_MATCH=self.tag(place))

    def tag(self, place: str) -> str:
        """The ETag of the row at ``place``; ``*`` where it has none to read."""
        return self.get(place).headers.get("ETag", "*")


def rest_client(person: Any, **token: Any) -> RestClient:
    """A client with an access token of ``person``: to read and write unless told otherwise."""
    from labdb.base.models import AccessToken

    _, secret = AccessToken.objects.create(user=person, **{"can_write": True, **token})
    client = RestClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {secret}")
    return client
