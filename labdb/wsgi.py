"""The WSGI application that gunicorn serves."""

import os
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "labdb.settings")

_answer = get_wsgi_application()
_PART_BYTES = 64 * 1024


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Django's answer, after what it left of the request's body is read.

    A refusal (401, 403, 415) is given before the body is read. Were the connection closed with a part unread, the proxy
    that is still writing would take that for a failure and answer 502 in place of the refusal.
    """
    answer = _answer(environ, start_response)
    left = settings.LABDB_MAX_UPLOAD_BYTES
    while left > 0 and (part := environ["wsgi.input"].read(_PART_BYTES)):
        left -= len(part)
    return answer
