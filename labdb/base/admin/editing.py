"""Saving and deleting at the admin: with the reason for a change, and never over what somebody else changed meanwhile."""

from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import ProtectedError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse

from labdb.base.access import OfClosed, refusal
from labdb.base.acting import acting
from labdb.base.admin import reasons, stale, versions
from labdb.base.admin.forms import Refused
from labdb.base.admin.timeline import tell
from labdb.base.admin.versions import Versions
from labdb.base.panels import shown_notices
from labdb.base.reasons import FIELD as REASON

UNVERSIONED = (
    "Nothing is saved yet: this form did not say what it was made from, so nobody could tell whether somebody else "
    "changed the row meanwhile. Compare it with what stands, then save again."
)
NOT_DELETED = "Nothing is deleted yet: the row changed since this page was made. Look at it again."


class EditingMixin:
    """For a ModelAdmin: its forms carry the versions of their rows and ask for a reason."""

    change_form_before_template = "labdb/versions.html"
    change_form_after_template = "labdb/reason.html"
    delete_confirmation_template: ClassVar[Any] = "labdb/delete.html"

    def changeform_view(
        self: Any, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        context = dict(extra_context or {})
        save = self._save if request.method == "POST" and object_id else self._show
        with acting(reason=reasons.given_reason(request)):
            try:
                return save(request, object_id, form_url, context)
            except (ValidationError, IntegrityError) as error:
                # Nothing was written. The second time the form is invalid, so the page shows what was refused.
                request.refused = Refused.of(error)  # type: ignore[attr-defined]
                return save(request, object_id, form_url, context)

    def _show(self: Any, request: HttpRequest, object_id: str | None, form_url: str, context: dict) -> HttpResponse:
        row = self.get_object(request, unquote(object_id)) if object_id else None
        if row is not None:
            context |= {"row": row, "row_url": self.page_url(row), "buttons": self.verb_buttons(request, row)}
            context["notices"] = shown_notices(request, row)
            # before the rows are read: what changes in between is then taken for newer, never for known
            made_from = versions.of_form(self, request, row)
            context |= self._of_edit(request, row.pk, made_from)
        return super().changeform_view(request, object_id, form_url, context)  # type: ignore[misc]

    def _save(self: Any, request: HttpRequest, object_id: str, form_url: str, context: dict) -> HttpResponse:
        with transaction.atomic():
            row = self.get_object(request, unquote(object_id))
            if row is None:
                gone = self._gone(request, unquote(object_id))
                return gone or super().changeform_view(request, object_id, form_url, context)  # type: ignore[misc]
            made_from = versions.read(request, self.model, row.pk)
            if not self.has_change_permission(request, row):
                if made_from is not None and self._is_closed_meanwhile(request, row):
                    context |= self._of_edit(request, row.pk, made_from)
                return super().changeform_view(request, object_id, form_url, context)  # type: ignore[misc]
            if made_from is None:
                made_from = versions.of_form(self, request, row)
                request.refused = Refused(None, {NON_FIELD_ERRORS: [UNVERSIONED]})  # type: ignore[attr-defined]
            parts = stale.stale_parts(self, request, row, made_from)
            if parts:
                again = stale.sent_again(self, request, row, parts, made_from)
                return self._conflict_page(request, row.pk, parts, again)
            context |= self._of_edit(request, row.pk, made_from)
            return super().changeform_view(request, object_id, form_url, context)  # type: ignore[misc]

    def _is_closed_meanwhile(self: Any, request: HttpRequest, row: models.Model) -> bool:
        """Whether only the closing of its experiment keeps the person from changing ``row``.

        Then the form comes again as an invalid one, with what was entered: it could be saved once it is open again.
        """
        told = refusal(request.user, "change", row)
        if not isinstance(told, OfClosed):
            return False
        lines = [*shown_notices(request, row), f"Nothing is saved. {told}"]
        request.refused = Refused(None, {NON_FIELD_ERRORS: lines})  # type: ignore[attr-defined]
        request.is_shown_again = True  # type: ignore[attr-defined]
        return bool(self.has_change_permission(request, row))

    def _of_edit(self: Any, request: HttpRequest, key: Any, made_from: Versions) -> dict[str, Any]:
        """What the templates around the form's fields show."""
        form = reasons.ReasonForm(request)
        if form.is_bound and form.errors and not getattr(request, "refused", None):
            request.refused = Refused(None, {REASON: []})  # type: ignore[attr-defined]
        is_asked = any(reasons.is_asked_of(model) for model in (self.model, *(i.model for i in self.inlines)))
        return {
            "versions": versions.sign(request, self.model, key, made_from),
            "reason": form[REASON] if is_asked else None,
        }

    # -- what changed meanwhile

    def _gone(self: Any, request: HttpRequest, text: str) -> HttpResponse | None:
        """The page that says who deleted the row of the form; None where the person has not seen the row."""
        try:
            key = self.model._meta.pk.to_python(text)
        except ValidationError:
            return None
        made_from = versions.read(request, self.model, key)
        part = stale.deleted_part(self, request, key, made_from) if made_from else None
        return self._conflict_page(request, key, [part], []) if part else None

    def _conflict_page(self: Any, request: HttpRequest, key: Any, parts: list, again: list) -> HttpResponse:
        row = next((part.now for part in parts if part.prefix is None), None)
        row = row or self.model._base_manager.filter(pk=key).first()
        dropped = ("csrfmiddlewaretoken", versions.FIELD, REASON)
        now = None if row is None else versions.of_form(self, request, row)
        entries = sorted({e.pk: e for part in parts for e in part.entries}.values(), key=lambda e: e.pk, reverse=True)
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}"
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Changed meanwhile" if row is not None else "Deleted meanwhile",
            "subtitle": None if row is None else str(row),
            "original": row,
            "parts": parts,
            "events": tell(request, entries),
            "sent": [(name, value) for name, value in again if name not in dropped],
            "versions": "" if now is None else versions.sign(request, self.model, key, now),
            "reason": reasons.ReasonForm(request)[REASON],
            "keep_url": reverse(f"{name}_changelist") if row is None else reverse(f"{name}_change", args=[key]),
            "anew_url": self._anew(request, name) if row is None and self.has_add_permission(request) else "",
            "is_popup": "_popup" in request.POST,
            "media": self.media,
        }
        return TemplateResponse(request, "labdb/conflict.html", context, status=409).render()

    def _anew(self: Any, request: HttpRequest, name: str) -> str:
        """The form of a new row, with what was entered."""
        fields = {f.name for f in self.opts.local_concrete_fields if f.editable}
        query = QueryDict(mutable=True)
        for sent, values in request.POST.lists():
            if sent in fields and values[-1]:
                query[sent] = values[-1]
        return f"{reverse(f'{name}_add')}?{query.urlencode()}"

    # -- deleting

    def delete_view(self: Any, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        context = dict(extra_context or {})
        is_sent = request.method == "POST"
        with acting(reason=reasons.given_reason(request)):
            try:
                with transaction.atomic():
                    return self._delete(request, object_id, context, is_sent)
            except ValidationError as error:
                if not reasons.is_reason_missing(error):
                    raise
                request.refused = Refused.of(error)  # type: ignore[attr-defined]
                return self._delete(request, object_id, context, False)
            except (ProtectedError, IntegrityError):
                messages.error(request, "It was not deleted: something refers to it.")
                return HttpResponseRedirect(request.path.removesuffix("delete/") + "change/")

    def _delete(self: Any, request: HttpRequest, object_id: str, context: dict, is_sent: bool) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        if row is not None and self.has_delete_permission(request, row):
            form = reasons.ReasonForm(request)
            made_from = versions.read(request, self.model, row.pk) if is_sent else None
            now = versions.present([(self.model, [row.pk])])
            if is_sent and made_from is not None:
                stale.lock(self.model, [row.pk])
                now = versions.present([(self.model, [row.pk])])
                if made_from.of(self.model, row.pk) != now.of(self.model, row.pk):
                    is_sent, context["changes"] = False, self._since(request, row, made_from)
            elif is_sent:
                is_sent, context["unversioned"] = False, NOT_DELETED
            context |= {
                "versions": versions.sign(request, self.model, row.pk, now),
                "reason": form[REASON] if reasons.is_asked_of(self.model) else None,
                "row_url": self.page_url(row),
            }
        if not is_sent:
            request.POST = QueryDict()  # Django deletes wherever there is one
        return super().delete_view(request, object_id, context)  # type: ignore[misc]

    def _since(self: Any, request: HttpRequest, row: models.Model, made_from: Versions) -> list:
        from labdb.base.trail import changes_since

        entries = changes_since(self.model, row.pk, made_from.of(self.model, row.pk))
        return tell(request, list(entries.order_by("-id")))
