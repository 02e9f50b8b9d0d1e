"""What a browser sends for a form of a page: every field with the value that it shows."""

from html.parser import HTMLParser
from typing import Any


class _Forms(HTMLParser):
    """The POST forms of a page, each a dictionary of lists of values."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, Any]] = []
        self.form: dict[str, Any] | None = None
        self.select: str | None = None
        self.option: str | None = None
        self.area: str | None = None

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        given = dict(attrs)
        if tag == "form" and given.get("method", "").lower() == "post":
            self.form = {"id": given.get("id", ""), "action": given.get("action", ""), "data": {}}
            self.forms.append(self.form)
        if self.form is None or "disabled" in given:
            return
        name, data = given.get("name"), self.form["data"]
        if tag == "input" and name:
            is_ticked = given.get("type") not in ("checkbox", "radio") or "checked" in given
            if is_ticked and given.get("type") != "submit":
                data.setdefault(name, []).append(given.get("value", "on" if "checked" in given else ""))
        elif tag == "select" and name:
            self.select = name
        elif tag == "option" and self.select and "selected" in given:
            data[self.select] = [given.get("value", "")]
        elif tag == "textarea" and name:
            self.area = name
            data[name] = [""]

    def handle_data(self, text: str) -> None:
        if self.area and self.form is not None:
            self.form["data"][self.area][0] += text

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.form = None
        elif tag == "select":
            self.select = None
        elif tag == "textarea" and self.area and self.form is not None:
            # the first line break after the tag is the page's, not the value's
            self.form["data"][self.area][0] = self.form["data"][self.area][0].replace("\r\n", "\n").removeprefix("\n")
            self.area = None


def shown_form(answer: Any, holding: str = "_versions") -> dict[str, Any]:
    """The data of the page's longest form that has a field ``holding``, as the client sends it."""
    reader = _Forms()
    reader.feed(answer.content.decode())
    found = [form["data"] for form in reader.forms if holding in form["data"]]
    assert found, "the page has no such form"
    return {name: values if len(values) > 1 else values[0] for name, values in max(found, key=len).items()}
