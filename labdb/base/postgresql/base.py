"""The backend that ``ENGINE`` names."""

from typing import Any

from django.db.backends.postgresql import base as django_base

from labdb.base.postgresql import cursors
from labdb.base.postgresql.operations import DatabaseOperations


class DatabaseWrapper(django_base.DatabaseWrapper):
    """Django's, with cursors that tell who acts, and a ``flush`` that leaves the trail."""

    ops_class = DatabaseOperations

    def get_connection_params(self) -> dict[str, Any]:
        params = super().get_connection_params()
        ours = {django_base.Cursor: cursors.Cursor, django_base.ServerBindingCursor: cursors.ServerBindingCursor}
        params["cursor_factory"] = ours.get(params["cursor_factory"], params["cursor_factory"])
        return params

    def _commit(self) -> None:
        self._forget()
        super()._commit()  # type: ignore[misc]

    def _rollback(self) -> None:
        self._forget()
        super()._rollback()  # type: ignore[misc]

    def _set_autocommit(self, autocommit: bool) -> None:
        self._forget()
        super()._set_autocommit(autocommit)  # type: ignore[misc]

    def _forget(self) -> None:
        if self.connection is not None:
            cursors.Told.of(self.connection).forget()
