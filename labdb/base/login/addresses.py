"""From which address a request comes, in spite of headers that anybody can send."""

import ipaddress
from typing import Any

from django.conf import settings


def of_client(request: Any) -> str:
    """The client's address; of an IPv6 one its /64, which one subscriber holds as a whole.

    ``X-Forwarded-For`` counts only behind LABDB_TRUSTED_PROXIES proxies: each of them appended the address it saw, so the
    client's stands that many places from the right. What stands further left was written by the client.
    """
    address = request.META.get("REMOTE_ADDR", "")
    trusted = settings.LABDB_TRUSTED_PROXIES
    if trusted:
        passed = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
        if len(passed) >= trusted:
            address = passed[-trusted]
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(known, ipaddress.IPv6Address):
        if known.ipv4_mapped:
            return str(known.ipv4_mapped)
        return str(ipaddress.ip_network((known, 64), strict=False))
    return str(known)
