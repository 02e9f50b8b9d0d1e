"""Pages of one's own log-in that allauth does not have."""

from typing import Any

from django.contrib.auth.mixins import LoginRequiredMixin
from django.views.generic import TemplateView

from labdb.base.login import codes


class Overview(LoginRequiredMixin, TemplateView):
    template_name = "labdb/login/overview.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        person = self.request.user
        return super().get_context_data(
            has_second_factor=codes.has_second_factor(person), is_required=codes.is_required(person), **kwargs
        )
