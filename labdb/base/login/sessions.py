"""Sessions that end when nobody uses them: each use, at most once a minute, moves the end on."""

from datetime import timedelta
from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.models import Session
from django.utils import timezone

NOTED = timedelta(minutes=1)


class SessionStore(DatabaseStore):
    ends_at: Any = None

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def _get_session_from_db(self) -> Any:
        row = super()._get_session_from_db()  # type: ignore[misc]
        self.ends_at = row.expire_date if row else None
        return row

    def keep_alive(self) -> None:
        """Moves the end on, where the session was read and the last move is not of this minute."""
        if (
            self.ends_at is not None
            and self.ends_at < timezone.now() + timedelta(seconds=self.get_expiry_age()) - NOTED
        ):
            self.modified = True
