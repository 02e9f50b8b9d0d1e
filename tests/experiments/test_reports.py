"""The outcome report and its figures: what the record says, on every page, and the same bytes for the same record."""

import re
import shutil
import subprocess
import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from xml.etree import ElementTree

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from experiments.actions.jobs import Progress, request_job
from experiments.actions.observations import NewObservation, record_observations
from experiments.actions.reports import render_report, request_report
from experiments.actions.summaries import SUMMARISE, summarise
from experiments.models import Arm, Disposition, Endpoint, Experiment, Timepoint
from experiments.outcomes import Design, Point
from experiments.reports.figures import THEMES, experiment_figures
from experiments.reports.numbers import interval, number, p_value
from experiments.reports.outcome import render
from experiments.reports.picture import PAGE_WIDTH_IN, Picture
from experiments.reports.stored import Stored
from experiments.reports.strips import draw_strips
from tests.conftest import set_masking

pytestmark = pytest.mark.django_db
WEIGHTS_G = ["21.4", "24.9", "20.35", "23.0", "22.125", "26.2"]
HOSTILE = 'MSC #read("/etc/passwd") *bold* $x$ <b>&'


@pytest.fixture
def measured(experiment, animals, scientist):
    rows = []
    for day, key in ((7, "body_weight"), (14, "body_weight"), (14, "e2")):
        for animal, value in zip(animals, WEIGHTS_G, strict=True):
            below = key == "e2" and animal is animals[0]
            rows.append(
                NewObservation(
                    endpoint=Endpoint.objects.get(key=key).pk,
                    animal=animal.pk,
                    observed_at=datetime(2026, 3, 2, 9, tzinfo=UTC) + timedelta(days=day),
                    timepoint=experiment.timepoints.get(study_day=day).pk,
                    number=Decimal(value),
                    qualifier="<" if below else "=",
                )
            )
    record_observations(experiment=experiment, observations=rows, by=scientist)
    enrolment = experiment.enrolments.get(animal=animals[1])
    Disposition(experiment=experiment, enrolment=enrolment, kind="found_dead", occurred_on=date(2026, 3, 20)).save()
    Arm.objects.filter(experiment=experiment, label="POI + MSC").update(label=HOSTILE)
    return experiment


def summarised(experiment):
    summarise(request_job(kind=SUMMARISE, subject_id=experiment.pk, experiment=experiment), Progress())
    return experiment


def pages_of(pdf, tmp_path):
    if not shutil.which("pdftotext"):
        pytest.skip("pdftotext is not installed (Debian: apt-get install poppler-utils)")
    file = tmp_path / "report.pdf"
    file.write_bytes(pdf)
    text = subprocess.run(["pdftotext", "-layout", file, "-"], check=True, capture_output=True, text=True).stdout
    return text.split("\f")[:-1]


def test_the_report_says_what_the_record_says(measured, tmp_path):
    pages = pages_of(render(summarised(measured), Progress()).pdf, tmp_path)
    whole = "\n".join(pages)
    flat = re.sub(r"\s+", " ", whole)
    assert "MSC in POI mice" in flat
    assert all("open-label" in page and "DRAFT" in page and f"of {len(pages)}" in page for page in pages)
    assert "SIMULATED" not in whole
    assert "read(" in whole  # shown as text, not carried out
    assert "root:" not in whole
    row = next(line for line in whole.splitlines() if line.strip().startswith("POI + PBS") and "21.29" in line)
    assert re.search(r"3 +0 +21\.29 \[19\.0\d to 23\.5\d\]", row)
    assert "1 of 3 values below the lower limit of quantification in arm POI + PBS" in flat
    assert "Welch 1951" in flat
    assert re.search(r"\b1 found dead", whole)
    assert "Not in this report" not in flat


def test_what_enters_no_summary_is_counted_with_its_reason(measured, animals, scientist, tmp_path):
    weight = Endpoint.objects.get(key="body_weight").pk
    day = datetime(2026, 3, 12, 9, tzinfo=UTC)
    rows = [
        NewObservation(endpoint=weight, animal=animals[0].pk, observed_at=day, number=Decimal(20)),
        NewObservation(endpoint=weight, animal=animals[1].pk, observed_at=day, number=Decimal(21)),
    ]
    record_observations(experiment=measured, observations=rows, by=scientist)
    flat = re.sub(r"\s+", " ", "".join(pages_of(render(summarised(measured), Progress()).pdf, tmp_path)))
    assert "Not in this report: 2 current observations (2 at no planned timepoint)." in flat


def test_simulated_and_stale_data_are_named(measured, tmp_path):
    Experiment.objects.filter(pk=measured.pk).update(is_simulated=True)  # it is fixed once the experiment exists
    measured.refresh_from_db()
    summarised(measured)
    pages = pages_of(render(measured, Progress()).pdf, tmp_path)
    assert all("SIMULATED DATA" in page for page in pages)
    assert "Data changed after" not in pages[0]
    measured.observations.filter(endpoint__key="e2").update(is_current=False)
    assert "Data changed after" in pages_of(render(measured, Progress()).pdf, tmp_path)[0]


def test_a_blinded_report_has_pooled_counts_and_no_arm(measured, tmp_path):
    set_masking(measured, "blinded")
    pages = pages_of(render(summarised(measured), Progress()).pdf, tmp_path)
    assert all("blinded" in page for page in pages)
    assert "all arms" in "".join(pages)
    assert "POI + PBS" not in "".join(pages)
    assert "Hedges" not in "".join(pages)
    assert experiment_figures(measured) == []


def test_equal_records_give_equal_bytes_and_changed_ones_another_digest(measured):
    first, second = render(summarised(measured), Progress()), render(measured, Progress())
    assert first == second
    measured.title = "Another title"
    measured.save()
    assert render(measured, Progress()).inputs_sha256 != first.inputs_sha256


def test_the_job_keeps_the_pdf_by_its_digest(measured, scientist):
    report = request_report(experiment=summarised(measured), by=scientist)
    result = render_report(report.job, Progress())
    report.refresh_from_db()
    assert report.path.read_bytes().startswith(b"%PDF")
    assert (result["sha256"], report.rendered_at is not None) == (report.sha256, True)


def test_figures_show_every_animal(measured):
    figures = dict(experiment_figures(summarised(measured), "dark"))
    assert set(figures) == {"Body weight", "Estradiol (E2)"}
    uses = {title: _markers(svg) for title, svg in figures.items()}
    assert uses["Body weight"] == 12  # six animals on two days
    assert uses["Estradiol (E2)"] == 6  # one of them a triangle at the limit
    with pytest.raises(ValueError, match="expected one of paper, light, dark"):
        experiment_figures(measured, "sepia")


LONG = [
    "POI + PBS intraovarian",
    "POI + 1×10⁶ UC-MSC IV",
    "Normal",
    "CTX 120 + Bu 12 mg/kg + oestradiol valerate",
    "EV IV",
]


@pytest.mark.parametrize("n_arms", [3, 6, 11])
@pytest.mark.parametrize("n_timepoints", [1, 3])
@pytest.mark.parametrize("labels", [LONG[:3], LONG])
def test_arm_labels_never_touch(n_arms, n_timepoints, labels):
    endpoint = Endpoint(name="Estradiol (E2)", unit="pg/mL", default_scale="log")
    arms = tuple(Arm(label=f"{labels[i % len(labels)]} {i}", position=i) for i in range(n_arms))
    timepoints = tuple(Timepoint(label=f"day {t}", study_day=t) for t in range(n_timepoints))
    shown = [
        Point(endpoint.pk, t.pk, arm.pk, uuid.uuid4(), sign, Decimal(10 + i))
        for t in timepoints for arm in arms for i, sign in enumerate("<=====>")
    ]  # fmt: skip
    design = Design(False, arms, timepoints)
    stored = Stored(Experiment(), design, {}, {}, {}, is_stale=False)
    picture = Picture(endpoint, design, shown, stored, THEMES["paper"], Figure(layout="constrained"))
    draw_strips(picture)
    picture.figure.draw_without_rendering()
    texts = [text for text in picture.figure.findobj(Text) if text.get_text() and text.get_visible()]
    boxes = [text.get_window_extent() for text in texts if "n = " in text.get_text() or "POI" in text.get_text()]
    assert len(boxes) >= n_arms * n_timepoints
    assert not [(a, b) for i, a in enumerate(boxes) for b in boxes[i + 1 :] if a.overlaps(b)]
    assert picture.figure.get_figwidth() <= PAGE_WIDTH_IN


def _markers(svg):
    """Marks of scatter collections: a `use` each, or the path itself where a collection has one mark."""
    svg = ElementTree.fromstring(svg)
    name = "{http://www.w3.org/2000/svg}"
    collections = [g for g in svg.iter(f"{name}g") if g.get("id", "").startswith("PathCollection")]
    return sum(len(list(g.iter(f"{name}use"))) or 1 for g in collections)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(21.4, "21.40"), (0.012345, "0.01235"), (12345.6, "12346"), (1.2e-7, "1.20 × 10⁻⁷"), (-3.0, "−3.000"), (0, "0"),
     (9.99996, "10.00"), (None, "—")],
)  # fmt: skip
def test_numbers_as_a_reader_wants_them(value, shown):
    assert number(value) == shown


def test_intervals_and_p_values():
    assert interval(-0.5, 1.25, 3) == "−0.500 to 1.25"
    assert interval(None, None) == ""
    assert [p_value(p) for p in (0.00099, 0.0312, 0.5)] == ["p < 0.001", "p = 0.031", "p = 0.50"]
