"""Pages of what was done: saved by the verb that compares it with plan and limits."""

from typing import Any

from django.http import HttpRequest

from experiments.actions.recorded import save_recorded
from experiments.models import Procedure
from labdb.base.admin import DoorAdmin


class RecordedAdmin(DoorAdmin):
    """A procedure, or the details of one."""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        reason = obj.deviation_reason if isinstance(obj, Procedure) else None
        save_recorded(row=obj, by=request.user, deviation_reason=reason)
