"""Import templates that come with the program, written to their table after every migrate where they are missing."""

import json
from pathlib import Path
from typing import Any

from django.apps import apps

TEMPLATES = Path(__file__).parent / "sheets" / "templates"


def write_templates(**kwargs: Any) -> None:
    """Add the shipped templates by name; one that the laboratory has changed stays as it is."""
    try:
        model = kwargs.get("apps", apps).get_model("experiments", "ImportTemplate")
    except LookupError:  # a migration state from before the table
        return
    for file in sorted(TEMPLATES.glob("*.json")):
        mapping = json.loads(file.read_text())
        if mapping["kind"] != "animals":
            continue  # a tally of follicles comes in as an assay run
        values = {"kind": mapping["kind"], "mapping": mapping}
        model._base_manager.using(kwargs["using"]).get_or_create(name=mapping["name"], defaults=values)
