"""What an answer says, as one letter."""

import json
import re
from typing import Any

from django.contrib.messages import ERROR

LETTERS = {
    "y": "done, or shown",
    "c": "let through, and its content refused",
    "n": "refused (403)",
    "h": "answered as if it did not exist",
    "l": "asked to log in",
    "x": "no such method here (405)",
    "k": "refused because the experiment is closed",
    "r": "shown, with the rows of the situation",
    "e": "shown, empty of them",
    "-": "answered, and nothing done",
}
LOG_IN = ("/accounts/login/", "/admin/login/")
NOT_ALLOWED, HIDDEN, CLOSED = (
    "You may not",
    ("There is no", "valid choice"),
    re.compile(r"experiment \S+ (is|was) closed"),
)


def letter(answer: Any, method: str, *, is_list: bool, shows_row: bool, has_written: bool) -> str:
    """``has_written``: something recorded changed. Raises AssertionError for a server error."""
    status, told = answer.status_code, _told(answer)
    is_closed = CLOSED.search(told) is not None
    assert status < 500, (status, told[:400])
    if status in (301, 302, 303) and answer["Location"].startswith(LOG_IN):
        return "l"
    for code, meant in {401: "l", 404: "h", 405: "x"}.items():
        if status == code:
            return meant
    if is_closed and status in (403, 409):
        return "k"
    if status == 403:
        return "n"
    if method in ("GET", "HEAD", "OPTIONS"):
        return _of_reading(answer, told, is_list, shows_row)
    return _of_writing(answer, told, has_written)


def _of_reading(answer: Any, told: str, is_list: bool, shows_row: bool) -> str:
    if answer.status_code >= 400:
        return "c"
    if answer.status_code == 302:
        return "h" if "exist" in told else "-"
    if is_list:
        return "r" if shows_row else "e"
    return "y"


def _of_writing(answer: Any, told: str, has_written: bool) -> str:
    if has_written:
        return "y"
    if CLOSED.search(told):
        return "k"
    if NOT_ALLOWED in told:
        return "n"
    if any(words in told for words in HIDDEN) or (answer.status_code == 302 and "exist" in told):
        return "h"
    return "c" if answer.status_code >= 400 or told else "-"


def _told(answer: Any) -> str:
    """Error messages of the answer: of its JSON, of its forms, or those that wait for the next page."""
    if answer.get("Content-Type", "").startswith("application/json"):
        return answer.content.decode() if answer.status_code >= 400 and not answer.streaming else ""
    queued = getattr(getattr(answer.wsgi_request, "_messages", None), "_queued_messages", [])
    texts = [str(m.message) for m in queued if m.level >= ERROR or "exist" in str(m.message)]
    context = getattr(answer, "context_data", None) or {}
    forms = [context.get("form"), getattr(context.get("adminform"), "form", None)]
    texts += [json.dumps(form.errors.get_json_data()) for form in forms if getattr(form, "is_bound", False)]
    for formset in context.get("inline_admin_formsets", ()):
        if formset.formset.is_bound:
            texts.append(json.dumps([e.get_json_data() for e in formset.formset.errors]))
    if answer.status_code == 403 and not answer.streaming:
        texts.append(answer.content.decode(errors="replace"))
    return " ".join(text for text in texts if text not in ("{}", "[]", "[{}]"))
