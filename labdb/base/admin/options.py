"""Base classes of every admin page: rows a person may see, what ``may()`` allows, and errors at their fields."""

from typing import Any, ClassVar

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from unfold import admin as unfold
from unfold.contrib.filters.admin import RelatedDropdownFilter
from unfold.views import ChangeList

from labdb.base.access import may
from labdb.base.admin import trail_pages
from labdb.base.admin.editing import EditingMixin
from labdb.base.admin.forms import DoorForm, InlineDoorForm, InlineDoorFormSet, RefusalMixin, is_shown_again
from labdb.base.admin.verbs import VerbsMixin
from labdb.base.models import ValidatedModel
from labdb.base.panels import list_page, shown_panels
from labdb.base.site import change_url


class VisibleFilter(RelatedDropdownFilter):
    """A filter by a related row that offers only the rows which the person may see."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        rows = field.related_model._default_manager.visible_to(request.user)
        return [(row.pk, str(row)) for row in rows]


class VisibleMixin:
    """Rows, and rows to choose from, are those that the person may see."""

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).visible_to(request.user)  # type: ignore[misc]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        queryset = kwargs.get("queryset")
        if queryset is None:
            queryset = db_field.remote_field.model._default_manager.all()
        kwargs["queryset"] = queryset.visible_to(request.user)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]


class PageList(ChangeList):
    """A list whose rows lead to their page."""

    def url_for_result(self, result: Any) -> str:
        return self.model_admin.page_url(result)


class DoorAdmin(VisibleMixin, VerbsMixin, EditingMixin, unfold.ModelAdmin):
    """A page of rows that a person enters and changes.

    Drafts of a deletable model may be deleted, one by one. ``is_searched``: the search box finds the rows. A row's
    history tells what happened to it, to the rows of its inlines, and to all that refers to it over ``history_depth``
    relations.
    """

    form = DoorForm
    is_searched: ClassVar[bool] = False
    history_depth: ClassVar[int] = 0
    list_per_page = 50
    list_max_show_all = 0
    list_filter_submit = True
    show_full_result_count = False
    compressed_fields = True
    warn_unsaved_form = True
    save_on_top = False
    change_form_outer_before_template = "labdb/row_head.html"
    list_before_template = "labdb/list_head.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """Also fields and searches tell a row by its relations. Django's list forgets its own where some are given."""
        related = self.list_select_related
        rows = super().get_queryset(request)
        return rows.select_related(*related) if isinstance(related, list | tuple) and related else rows

    def get_ordering(self, request: HttpRequest) -> Any:
        """The model's own order, said aloud: Django forgets it where a list counts related rows."""
        return self.ordering or self.opts.ordering

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What the model fixes is told, not offered."""
        told = super().get_readonly_fields(request, obj)
        if obj is None or not isinstance(obj, ValidatedModel):
            return told
        fixed = (*obj.fixed_once_made, *(name for name in obj.fixed_once_set if getattr(obj, name) is not None))
        return (*told, *(name for name in fixed if name not in told))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """In the model's order also where some are told only."""
        names = super().get_fields(request, obj)
        order = {field.name: place for place, field in enumerate(self.opts.fields)}
        return names if self.fields else sorted(names, key=lambda name: order.get(name, len(order)))

    def lookup_allowed(self, lookup: str, value: str, request: Any) -> bool:
        """Backwards along a relation only where a filter is declared: Django lets ``?allocation__lt=…`` through, and whoever
        halves the keys of rows that they may not see, of an animal's allocation and of an arm's, learns which is which.
        Never by what the trail withholds: ``?seed__lt=…`` would tell a sealed seed digit by digit.
        """
        if lookup.split("__")[0] in getattr(self.model, "trail_withheld", ()):
            return False
        field = next((f for f in self.opts.get_fields(include_hidden=True) if f.name == lookup.split("__")[0]), None)
        if isinstance(field, models.ForeignObjectRel):
            declared = [each[0] if isinstance(each, tuple) else each for each in self.get_list_filter(request)]
            if not any(isinstance(each, str) and lookup.startswith(each) for each in declared):
                return False
        return super().lookup_allowed(lookup, value, request)

    def told(self, row: Any) -> str:
        """The row as a field that refers to it, and the search, tell it."""
        return str(row)

    def page_url(self, row: Any) -> str:
        return change_url(row)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return PageList

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Above the list stand the panels of its page."""
        panels = shown_panels(list_page(self.model), request)
        return super().changelist_view(request, {"list_panels": panels, **(extra_context or {})})

    # -- who may

    def _allows(self, request: HttpRequest, verb: str, row: Any) -> bool:
        if isinstance(row, str):  # the theme asks with the key
            row = self.get_object(request, row)
        return may(request.user, verb, self.model if row is None else row)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._allows(request, "view", obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._allows(request, "add", None)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_shown_again(request) or self._allows(request, "change", obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        row = self.get_object(request, obj) if isinstance(obj, str) else obj
        if row is None or not getattr(row, "is_deletable", False):
            return False
        return self._allows(request, "delete", row) and row.is_draft()

    def visible_row(self, request: HttpRequest, object_id: str) -> Any:
        """The row, if this person may see it. Raises Http404, the same for a hidden and for a missing one."""
        row = self.get_object(request, unquote(object_id))
        if row is None or not self.has_view_permission(request, row):
            raise Http404(f"There is no such {self.opts.verbose_name}.")
        return row

    # -- pages

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        verb = self.admin_site.admin_view(self.verb_view)
        return [path("<path:object_id>/do/<str:name>/", verb, name=f"{name}_do"), *super().get_urls()]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        if not issubclass(form, RefusalMixin):  # Django's own form of a person, say
            form = type(form.__name__, (RefusalMixin, form), {})
        form.request = request  # a class of this request's own
        return form

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        with _naming(type(obj)):
            super().save_model(request, obj, form, change)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: Any) -> None:
        with _naming(formset.model):
            super().save_formset(request, form, formset, change)

    def response_post_save_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        own = self.page_url(obj)
        changed = super().response_post_save_change(request, obj)
        return changed if own == change_url(obj) else HttpResponseRedirect(own)

    def response_post_save_add(self, request: HttpRequest, obj: Any) -> HttpResponse:
        own = self.page_url(obj)
        added = super().response_post_save_add(request, obj)
        return added if own == change_url(obj) else HttpResponseRedirect(own)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponseBase:
        """What happened to the row, also where it is gone, as far as the person may see it."""
        row = self.get_object(request, unquote(object_id))
        if row is None:
            entries = trail_pages.visible_entries(request).of_row(self.model, unquote(object_id))
            if not entries.exists():
                raise Http404(f"There is no such {self.opts.verbose_name}.")
            title = f"What happened to a {self.opts.verbose_name} that is gone"
            return trail_pages.trail_page(request, entries, title=title, opts=self.opts)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        url = self.page_url(row)
        title, back = f"What happened to {self.told(row)}", (f"Page of {row}", url)
        known = trail_pages.of_row(request, row, [inline.model for inline in self.inlines], self.history_depth)
        return trail_pages.trail_page(request, known, title=title, back=back, own_url=url, opts=self.opts)

    # -- Django's own log: the trail tells the same and more, so nothing is written there

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any: ...

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any: ...

    def log_deletions(self, request: HttpRequest, queryset: QuerySet) -> Any: ...

    # -- deleting

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Tells how many rows are in the way, not which: some may be of experiments that the person cannot see."""
        _, counts, needed, protected = super().get_deleted_objects(objs, request)
        told = [f"{len(protected)} rows that refer to it"] if protected else []
        return [str(obj) for obj in objs], counts, set() if told else needed, told

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet) -> None:
        for row in queryset:  # a queryset that was filtered through a join refuses to be deleted as a whole
            row.delete()


class _naming:
    """Says on a ValidationError which model's row was refused."""

    def __init__(self, model: type[models.Model]) -> None:
        self.model = model

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        if isinstance(error, ValidationError):
            error.refused_model = self.model  # type: ignore[attr-defined]


class VerbOwnedAdmin(DoorAdmin):
    """A page of rows that verbs own: read-only here, changed by the buttons."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class InlineMixin(VisibleMixin):
    """Rows inside their parent's form: whoever may change the parent."""

    form = InlineDoorForm
    formset = InlineDoorFormSet
    is_deletable: ClassVar[bool] = True
    extra = 0
    show_change_link = True

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)  # type: ignore[misc]
        formset.form.request = request
        return formset

    def _allows(self, request: HttpRequest, obj: Any) -> bool:
        parent = self.parent_model if obj is None else obj  # type: ignore[attr-defined]
        return is_shown_again(request) or may(request.user, "change", parent)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request.user, "view", self.parent_model if obj is None else obj)  # type: ignore[attr-defined]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._allows(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._allows(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.is_deletable and self._allows(request, obj)


class DoorTabularInline(InlineMixin, unfold.TabularInline):
    """Rows as a table."""


class DoorStackedInline(InlineMixin, unfold.StackedInline):
    """Rows one below the other."""
