"""The outcome report: the stored summaries as a PDF. Equal records give equal bytes."""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.models import Experiment
from experiments.outcomes import points
from experiments.reports.contents import contents_of
from experiments.reports.figures import figures_of
from experiments.reports.stored import read_stored

TEMPLATE = Path(__file__).with_name("outcome.typ")
POINTS_PER_TEXT_WIDTH = 482  # 170 mm


@dataclass(frozen=True)
class Rendered:
    """A PDF and the digest of what it was made from."""

    pdf: bytes
    inputs_sha256: str


def render(experiment: Experiment, progress: Callable[..., None]) -> Rendered:
    """Render the outcome report of ``experiment`` as it is stored now; nothing is computed again.

    Raises typst.TypstError where the template fails.
    """
    progress(0, 3, "reading the summaries")
    stored = read_stored(experiment)
    progress(1, 3, "drawing the figures")
    shown = points(experiment)
    figures = {str(key): svg for key, svg in figures_of(stored, shown, "paper").items()}
    contents = contents_of(stored, shown, {key: _share_of_width(svg) for key, svg in figures.items()})
    digest = hashlib.sha256(json.dumps([contents, figures], sort_keys=True).encode()).hexdigest()
    progress(2, 3, "setting the pages")
    return Rendered(_typeset(contents | {"digest": digest}, figures), digest)


def _share_of_width(svg: str) -> int:
    """Percent of the text's width that the figure takes at its own size."""
    width = re.search(r'<svg [^>]*?width="([\d.]+)pt"', svg)
    return 100 if width is None else min(100, round(float(width[1]) / POINTS_PER_TEXT_WIDTH * 100))


def _typeset(contents: dict[str, Any], figures: dict[str, str]) -> bytes:
    import typst

    inputs = {"data": json.dumps(contents), "figures": json.dumps(figures)}
    return typst.compile(TEMPLATE.read_bytes(), format="pdf", sys_inputs=inputs, ignore_system_fonts=True)
