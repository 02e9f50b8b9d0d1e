"""Every address that the URL resolver knows, with what stands in its variable parts."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from django.contrib import admin
from django.contrib.admin.sites import site
from django.contrib.auth import get_user_model
from django.db import models
from django.urls import URLResolver, get_resolver
from django.urls.resolvers import RegexPattern

READING, WRITING = ("GET", "HEAD", "OPTIONS"), ("POST", "PUT", "PATCH", "DELETE")
METHODS = READING + WRITING
VARIABLE = re.compile(r"<(?:\w+:)?(\w+)>")
KEYS = ("pk", "object_id", "id")


@dataclass(frozen=True)
class Address:
    """``path`` as the resolver spells it; ``values`` stand in for its variable parts but for a row's key.

    ``query`` may hold ``{word}``, what all texts of a situation's rows begin with.
    """

    path: str
    name: str
    model: type[models.Model] | None = None
    query: str = ""
    values: dict[str, str] = field(default_factory=dict, hash=False, compare=False)
    view: Any = field(default=None, hash=False, compare=False)

    @property
    def key(self) -> str:
        """How the table calls it."""
        told = VARIABLE.sub(lambda found: self.values.get(found[1], found[0]), self.path)
        return (told or "/") + (f"?{self.query}" if self.query else "")

    @property
    def has_row(self) -> bool:
        return bool(set(VARIABLE.findall(self.path)) & set(KEYS) - set(self.values))

    @property
    def is_list(self) -> bool:
        """Whether rows of several experiments may stand on it."""
        if self.has_row or self.name.endswith("_add"):
            return False
        return self.model is not None or "{word}" in self.query or self.name in LISTS

    @property
    def has_situations(self) -> bool:
        return is_of_experiments(self.model) or "{word}" in self.query or self.name in LISTS

    @property
    def is_sign(self) -> bool:
        """Leads elsewhere, or nowhere, whatever the row."""
        return self.path.endswith("<path:object_id>/") or self.values.get("name") == "nothing"

    @property
    def answered(self) -> tuple[str, ...]:
        """The methods that the view has."""
        actions = getattr(self.view, "actions", None)
        return METHODS if actions is None else tuple(method.upper() for method in actions)

    def url(self, key: Any, word: str) -> str:
        path = VARIABLE.sub(lambda found: str(self.values.get(found[1], key)), self.path)
        return f"/{path}" + (f"?{self.query.format(word=word)}" if self.query else "")


def is_of_experiments(model: type[models.Model] | None) -> bool:
    """Whether rows of ``model`` belong to experiments, not to the laboratory or to persons."""
    path = getattr(model, "experiment_path", None) or ()
    return any(not each.startswith("@") for each in ((path,) if isinstance(path, str) else path))


LISTS = ("index",)  # pages without a model on which rows of experiments stand


def addresses() -> list[Address]:
    """Every address; a variable part with few values (the verbs of a page) is an address for each of them."""
    found = [each for path, pattern in _patterns(get_resolver(), "") for each in _expanded(path, pattern)]
    return found + list(_popups(found)) + list(_choices())


def _patterns(resolver: URLResolver, prefix: str) -> Iterator[tuple[str, Any]]:
    for pattern in resolver.url_patterns:
        path = prefix + _spelt(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _patterns(pattern, path)
        else:
            yield path, pattern


def _spelt(pattern: Any) -> str:
    text = str(pattern)
    if not isinstance(pattern, RegexPattern):
        return text
    text = text.removeprefix("^").removesuffix("$").removesuffix(r"\Z")
    return re.sub(r"\(\?P<(\w+)>[^()]*(?:\([^()]*\)[^()]*)*\)", r"<\1>", text)


def _expanded(path: str, pattern: Any) -> Iterator[Address]:
    view, name = pattern.callback, pattern.name or ""
    model = _model(view, name, path)
    made = Address(path, name, model, view=view)
    if path.startswith("admin/") and name.endswith("_do"):
        known = [verb.name for verb in site.get_model_admin(model).verbs] if model else []
        for verb in known or ["nothing"]:
            yield replace(made, values={"name": verb})
    elif "<app_label>" in path:
        for label in sorted({m._meta.app_label for m in site._registry}):
            yield replace(made, values={"app_label": label})
    else:
        yield replace(made, values=VALUES.get(name) or VALUES.get(path, {}))


# What stands in a variable part that is not the key of a row.
VALUES: dict[str, dict[str, str]] = {
    "account_reset_password_from_key": {"uidb36": "a", "key": "set-password"},
    "account_invitation": {"token": "no-such"},
    "experiments_experiment_figure": {"endpoint": "body_weight", "theme": "light"},
    "admin/<url>": {"url": "nowhere"},
}


def _model(view: Any, name: str, path: str) -> Any:
    serializer = getattr(getattr(view, "cls", None), "serializer_class", None)
    if serializer is not None:
        return serializer.Meta.model
    if path.startswith("admin/trail/person/"):
        return get_user_model()
    if path.startswith("admin/"):
        for model in site._registry:
            if path.startswith(f"admin/{model._meta.app_label}/{model._meta.model_name}/"):
                return model
    return None


def _popups(found: list[Address]) -> Iterator[Address]:
    for each in found:
        if each.path.startswith("admin/") and each.model and each.name.endswith(("_add", "_change", "_changelist")):
            yield replace(each, query="_popup=1")


def _choices() -> Iterator[Address]:
    """The choices of every field that the admin completes while one types."""
    view = next(pattern for path, pattern in _patterns(get_resolver(), "") if pattern.name == "autocomplete")
    owners = set()
    for model, page in site._registry.items():
        for owner in (page, *(inline(model, admin.site) for inline in page.inlines)):
            owners |= {(owner.model, name) for name in owner.autocomplete_fields}
    for model, name in sorted(owners, key=lambda owner: (owner[0]._meta.label, owner[1])):
        query = f"app_label={model._meta.app_label}&model_name={model._meta.model_name}&field_name={name}"
        related: Any = model._meta.get_field(name).related_model
        if is_of_experiments(related):  # all of them would fill several pages
            query += "&term={word}"
        yield Address("admin/autocomplete/", "choices", related, query, view=view.callback)
