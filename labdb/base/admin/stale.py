"""Edits of what changed meanwhile: what a form was made from, what stands now, and what was entered, side by side."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.db import models
from django.forms.models import ModelForm
from django.http import HttpRequest
from django.utils.text import capfirst

from labdb.base.admin import versions
from labdb.base.admin.versions import Versions
from labdb.base.trail import changes_since

DELETE = "DELETE"


@dataclass
class ChangedField:
    """One field in its three states, as they are told to a person."""

    name: str
    label: str
    began: str
    now: str
    entered: str
    is_mine: bool
    is_theirs: bool
    is_conflict: bool
    by: Any = None  # the trail entry that made what stands now


@dataclass
class Part:
    """A row of the form that changed meanwhile: its own row, or one of its inline rows."""

    model: type[models.Model]
    key: Any
    title: str
    entries: list[Any]  # of the trail, newest first
    now: models.Model | None
    began: models.Model
    form_class: type[ModelForm]
    prefix: str | None = None
    fields: list[ChangedField] = field(default_factory=list)

    @property
    def is_deleted(self) -> bool:
        return self.now is None

    @property
    def is_touched(self) -> bool:
        """Something was entered in it."""
        return any(each.is_mine for each in self.fields)


@dataclass
class Inline:
    """The inline rows of a sent form: those that stood when it was made, by their place."""

    model: type[models.Model]
    prefix: str
    form_class: type[ModelForm]
    keys: dict[int, str]
    total: int


def stale_parts(model_admin: Any, request: HttpRequest, row: models.Model, made_from: Versions) -> list[Part]:
    """What changed of the sent form's rows since it was made. Their rows stay locked until the transaction ends."""
    inlines = list(sent_inlines(model_admin, request, row, made_from))
    lock(model_admin.model, [row.pk])
    for inline in inlines:
        lock(inline.model, inline.keys.values())
    now = versions.present([(type(row), [row.pk]), *((i.model, i.keys.values()) for i in inlines)])
    parts = []
    if made_from.of(type(row), row.pk) != now.of(type(row), row.pk):
        fields = _flattened(model_admin.get_fieldsets(request, row))
        form_class = model_admin.get_form(request, row, change=True, fields=fields)
        parts.append(_part(request, type(row), row.pk, made_from, form_class, None))
    for inline in inlines:
        rows = inline.model._base_manager.filter(pk__in=inline.keys.values())
        standing = {str(key) for key in rows.values_list("pk", flat=True)}
        for place, key in inline.keys.items():
            if key not in standing or made_from.of(inline.model, key) != now.of(inline.model, key):
                parts.append(
                    _part(request, inline.model, key, made_from, inline.form_class, f"{inline.prefix}-{place}")
                )
    return parts


def deleted_part(model_admin: Any, request: HttpRequest, key: Any, made_from: Versions) -> Part | None:
    """The row that is gone, where the person may know of it."""
    visible = changes_since(model_admin.model, key, 0).visible_to(request.user)
    last = visible.order_by("-id").first()
    if last is None or last.new is not None:
        return None
    form_class = model_admin.get_form(request, None, change=True)
    return _part(request, model_admin.model, key, made_from, form_class, None)


def sent_inlines(model_admin: Any, request: HttpRequest, row: models.Model, made_from: Versions) -> Iterator[Inline]:
    """Rows that the form did not show are left to the form, which refuses them."""
    seen: dict[str, int] = {}
    for formset_class, inline in model_admin.get_formsets_with_inlines(request, row):
        prefix = formset_class.get_default_prefix()
        seen[prefix] = seen.get(prefix, 0) + 1
        prefix = prefix if seen[prefix] == 1 else f"{prefix}-{seen[prefix]}"
        if not inline.has_change_permission(request, row):
            continue
        name = inline.model._meta.pk.name
        sent = {
            place: request.POST.get(f"{prefix}-{place}-{name}", "")
            for place in range(_count(request, prefix, "INITIAL"))
        }
        keys = {place: key for place, key in sent.items() if made_from.knows(inline.model, key)}
        yield Inline(inline.model, prefix, formset_class.form, keys, _count(request, prefix, "TOTAL"))


def _count(request: HttpRequest, prefix: str, which: str) -> int:
    text = request.POST.get(f"{prefix}-{which}_FORMS", "")
    return min(int(text), 1000) if text.isascii() and text.isdecimal() and len(text) < 6 else 0


def lock(model: type[models.Model], keys: Any) -> None:
    """Whoever else saves these rows waits, so that of two at once the second sees the first."""
    list(model._base_manager.select_for_update(no_key=True).filter(pk__in=list(keys)).order_by("pk").values_list("pk"))


def _flattened(fieldsets: Any) -> list[str]:
    from django.contrib.admin.utils import flatten_fieldsets

    return flatten_fieldsets(fieldsets)


# -- what it was, what it is, what was entered


def _part(
    request: HttpRequest,
    model: type[models.Model],
    key: Any,
    made_from: Versions,
    form_class: type[ModelForm],
    prefix: str | None,
) -> Part:
    entries = list(changes_since(model, key, made_from.of(model, key)).order_by("-id"))
    now = model._base_manager.filter(pk=key).first()
    began = _as_it_was(model, now, entries)
    part = Part(model, key, _title(model, now or began), entries, now, began, form_class, prefix)
    part.fields = list(_fields(request, part))
    return part


def _title(model: type[models.Model], row: models.Model) -> str:
    return capfirst(f"{model._meta.verbose_name} {row}")


def _as_it_was(model: type[models.Model], now: models.Model | None, newest_first: list[Any]) -> models.Model:
    """The row before ``newest_first``: each entry is taken back."""
    stands = {} if now is None else {f.column: getattr(now, f.attname) for f in model._meta.local_concrete_fields}
    for entry in newest_first:
        stands |= entry.old or {}
    values = {}
    for each in model._meta.local_concrete_fields:
        value = stands.get(each.column)
        values[each.attname] = each.to_python(value) if value is not None else None
    return model(**values)


def _fields(request: HttpRequest, part: Part) -> Iterator[ChangedField]:
    sent = part.form_class(request.POST, request.FILES, instance=_copy(part.began), prefix=part.prefix)
    began = part.form_class(instance=_copy(part.began), prefix=part.prefix)
    now = None if part.now is None else part.form_class(instance=_copy(part.now), prefix=part.prefix)
    if part.prefix is not None and f"{part.prefix}-{DELETE}" in request.POST:
        stands = "deleted" if now is None else "changed"
        yield ChangedField(
            DELETE, "The whole row", "it stood", stands, "to be deleted", now is not None, True, now is not None
        )
        return
    for name, each in sent.fields.items():
        if _is_key_field(part, name) or each.disabled:
            continue
        first, entered = began.get_initial_for_field(each, name), sent[name].data
        present = None if now is None else now.get_initial_for_field(each, name)
        is_mine = bool(each.has_changed(first, entered))
        is_theirs = now is None or present != first
        is_conflict = is_mine and is_theirs and (now is None or bool(each.has_changed(present, entered)))
        if is_mine or (is_theirs and now is not None):
            yield ChangedField(
                name, str(each.label), told(each, first), "deleted" if now is None else told(each, present),
                told_entered(each, entered), is_mine, is_theirs, is_conflict, _who_changed(part, name),
            )  # fmt: skip


def _is_key_field(part: Part, name: str) -> bool:
    if name == part.model._meta.pk.name or name == DELETE:
        return True
    return part.prefix is not None and isinstance(
        part.form_class.base_fields.get(name), forms.models.InlineForeignKeyField
    )


def _copy(row: models.Model) -> models.Model:
    """A form writes into its instance."""
    values = {f.attname: getattr(row, f.attname) for f in row._meta.local_concrete_fields}
    copy = type(row)(**values)
    copy._state.adding = False
    return copy


def _who_changed(part: Part, name: str) -> Any:
    column = next((f.column for f in part.model._meta.local_concrete_fields if f.name == name), None)
    return next((e for e in part.entries if e.new is None or column in e.new), None)


def told(each: forms.Field, value: Any) -> str:
    """A value of the form's field as a person reads it."""
    from labdb.base.admin.timeline import told_value

    if isinstance(each, forms.ModelChoiceField):
        rows: Any = each.queryset
        found = rows.filter(pk=value).first() if value not in (None, "") else None
        return "–" if value in (None, "") else str(found or "a row that is not shown to you")
    if isinstance(each, forms.ChoiceField):
        choices = dict(each.choices)  # type: ignore[arg-type]
        return str(choices.get(value, value)) if value not in (None, "") else "–"
    return told_value(value)


def told_entered(each: forms.Field, entered: Any) -> str:
    """What was sent, read by the field where it can be; else as it was typed."""
    try:
        value = each.clean(entered)
    except (forms.ValidationError, ValueError, TypeError):
        return " ".join(map(str, entered)) if isinstance(entered, list | tuple) else str(entered or "–")
    return str(value) if isinstance(value, models.Model) else told(each, value)


# -- what is sent again where “Save mine over it” is chosen


def sent_again(
    model_admin: Any, request: HttpRequest, row: models.Model, parts: list[Part], made_from: Versions
) -> list[tuple[str, str]]:
    """The sent data upon what stands now: what was entered stays, what was left alone takes the present value.

    An inline row that is gone is left out; where something was entered in it, it is sent as a new row.
    """
    data = {name: request.POST.getlist(name) for name in request.POST}
    for part in parts:
        if part.now is None or any(each.name == DELETE for each in part.fields):
            continue
        now = part.form_class(instance=_copy(part.now), prefix=part.prefix)
        for each in part.fields:
            if each.is_theirs and not each.is_mine:
                for name in _names(now, each.name):
                    data.pop(name, None)
                data |= _as_sent(now, each.name)
    gone = {part.prefix: part.is_touched for part in parts if part.prefix is not None and part.is_deleted}
    for inline in sent_inlines(model_admin, request, row, made_from):
        if any(prefix.startswith(f"{inline.prefix}-") for prefix in gone):
            data = _renumbered(inline, gone, data)
    return [(name, value) for name, values in data.items() for value in values]


def _widget(form: ModelForm, name: str) -> Any:
    widget: Any = form.fields[name].widget
    return getattr(widget, "widget", widget)  # the admin wraps the fields of relations


def _names(form: ModelForm, name: str) -> list[str]:
    sent_name, widget = form.add_prefix(name), _widget(form, name)
    return [sent_name + suffix for suffix in getattr(widget, "widgets_names", [""])]


def _as_sent(form: ModelForm, name: str) -> dict[str, list[str]]:
    """What a browser sends for the present value of a field."""
    value, widget = form[name].value(), _widget(form, name)
    if isinstance(widget, forms.MultiWidget):
        values: Any = widget.decompress(value)
        shown = [single.format_value(each) for single, each in zip(widget.widgets, values, strict=True)]
    elif isinstance(widget, forms.CheckboxInput):
        return {form.add_prefix(name): ["on"]} if value else {}
    else:
        shown = [widget.format_value(value)]
    lists = [each if isinstance(each, list) else [each] for each in shown]
    return {
        key: ["" if one is None else str(one) for one in each]
        for key, each in zip(_names(form, name), lists, strict=True)
    }


def _renumbered(inline: Inline, gone: dict[str, bool], data: dict[str, list[str]]) -> dict[str, list[str]]:
    key_name = inline.model._meta.pk.name
    standing, added = [], []
    rest = dict(data)
    for place in range(inline.total):
        prefix = f"{inline.prefix}-{place}"
        own = {name.removeprefix(f"{prefix}-"): rest.pop(name) for name in list(rest) if name.startswith(f"{prefix}-")}
        if prefix in gone:
            if gone[prefix]:
                added.append(own | {key_name: [""]})
        elif place in inline.keys:
            standing.append(own)
        else:
            added.append(own)
    rest[f"{inline.prefix}-INITIAL_FORMS"] = [str(len(standing))]
    rest[f"{inline.prefix}-TOTAL_FORMS"] = [str(len(standing) + len(added))]
    for place, own in enumerate(standing + added):
        rest |= {f"{inline.prefix}-{place}-{name}": values for name, values in own.items()}
    return rest
