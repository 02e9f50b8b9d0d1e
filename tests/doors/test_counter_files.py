"""A cell counter's file is uploaded at a passage, over REST and in the admin, and fills in what is not told yet."""

from decimal import Decimal
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from experiments.models import CellCount, Passage
from tests.doors.rest_client import rest_client
from tests.experiments.stock_world import make_stock

pytestmark = pytest.mark.django_db
NUCLEO = (
    "Viability and Cell Count Assay - example; ;\r\nImage;20231120-0012-c-S1;\r\nOperator;Ann;\r\nViability (%);68.2;\r\n"
    "Live (cells/ml);2.45E6;\r\nDead (cells/ml);1.14E6;\r\nTotal (cells/ml);3.58E6;\r\n ; ;\r\n"
    "Estimated cell diameter (um);9.1;\r\nMultiplication factor;1.000;\r\n;\r\ncm filename;a.cm\r\n"
)
BLU = (
    "Sample ID,Cell count,Viable cells,Total (x10^6) cells/mL,Viable (x10^6) cells/mL,Viability (%),"
    "Average diameter (μm),Average viable diameter (μm),Analysis date/time,Reanalysis date/time,Analysis by,Dilution,Tag\n"
    "A1,2191,2123,0.78,0.75,96.9,18.51,18.72,3/21/2022 16:56,,Ann,1,P3\n"
    "A2,7670,7425,2.72,2.63,96.81,19.24,19.48,3/4/2022 9:06,,Bea,2,\n"
)


@pytest.fixture
def passage(scientist, experiment) -> Passage:
    return make_stock(scientist).passage


def upload(api, passage: Passage, text: str | bytes, name: str = "counts.csv", **more):
    data = text if isinstance(text, bytes) else text.encode()
    file = SimpleUploadedFile(name, data)
    return api.post(f"/api/v1/passages/{passage.pk}/counts", {"file": file, **more}, format="multipart")


def test_a_file_of_one_sample_fills_in_the_passage(api, passage: Passage):
    made = upload(api, passage, NUCLEO, volume_ml="2")
    assert made.status_code == 201, made.json()
    told = api.get(f"/api/v1/passages/{passage.pk}").json()
    assert (told["viability_percent"], told["harvested_cells"], told["viable_cells"]) == (68.2, 7160000, 4900000)
    count = CellCount.objects.get()
    assert (count.total_cells_per_ml, count.source_file.name) == (Decimal(3580000), "counts.csv")
    twice = upload(api, passage, NUCLEO)
    assert (twice.status_code, CellCount.objects.count()) == (400, 1)


def test_of_several_samples_one_is_picked(api, passage: Passage):
    asked = upload(api, passage, BLU)
    assert asked.status_code == 400
    assert "A1" in asked.json()["samples"][0]
    assert "A2" in asked.json()["samples"][0]
    strange = upload(api, passage, BLU, samples=["A9"])
    assert (strange.status_code, "A9" in str(strange.json())) == (400, True)
    assert not CellCount.objects.exists()
    assert upload(api, passage, BLU, samples=["A2"]).status_code == 201
    assert Passage.objects.get(pk=passage.pk).viability_percent == Decimal("96.81")
    assert CellCount.objects.get().sample_name == "A2"


def test_all_samples_are_taken_by_their_mean(api, passage: Passage):
    assert len(upload(api, passage, BLU, samples=["all"]).json()["ids"]) == 2


def test_what_is_no_counter_file_is_refused_with_its_place(api, passage: Passage):
    refused = upload(api, passage, "name,colour\nA,red\n")
    assert (refused.status_code, "expected" in str(refused.json()["file"])) == (400, True)


def test_an_assessor_uploads_no_counts(member, experiment, passage: Passage):
    assert upload(rest_client(member("assessor", experiment)), passage, NUCLEO).status_code == 403


def test_the_passage_page_has_a_button_for_it(client, scientist, passage: Passage):
    client.force_login(scientist)
    url = reverse("admin:experiments_passage_do", args=[passage.pk, "counts"])
    assert url in client.get(reverse("admin:experiments_passage_change", args=[passage.pk])).content.decode()
    several = client.post(url, {"file": SimpleUploadedFile("b.csv", BLU.encode())})
    assert "A2" in several.content.decode()
    assert client.post(url, {"file": SimpleUploadedFile("b.csv", BLU.encode()), "samples": "A2"}).status_code == 302
    assert CellCount.objects.get().sample_name == "A2"


FIRST = {  # name and viability of the first sample, as the files print them
    "Beckman_Vi-Cell-BLU_example01.csv": ("CLB001", "96.9"),
    "Beckman_Vi-Cell-BLU_example02.csv": ("CLB001", "92.03"),
    "Beckman_Vi-Cell-XR_example04_instrumentOutput.xlsx": ("CLB001", "98.1"),
    "chemometec_nucleoview_example01.csv": ("20231120-0012-c-cellsABCD", "68.2"),
    "chemometec_nucleoview_example02.csv": ("20231120-0002-c-cellsABCD", "92.8"),
    "chemometec_nucleoview_example03.csv": ("20231120-0002-c-cellsABCD", "95.5"),
}


def test_real_files_of_three_counters(api, scientist, experiment, real_data: Path):
    for name, (sample, viability) in FIRST.items():
        passage = make_stock(scientist).passage
        made = upload(api, passage, (real_data / "counters" / name).read_bytes(), name, samples=[sample])
        assert made.status_code == 201, (name, made.json())
        assert Passage.objects.get(pk=passage.pk).viability_percent == Decimal(viability), name
