"""Notes call on people who may see what they are on; these find them on the home page and get a mail without its words."""

import pytest
from django.core import mail
from django.urls import reverse

from experiments.actions import jobs
from experiments.models import Job, Note, NoteMention
from tests.conftest import set_masking
from tests.doors.invalid_cases import World
from tests.doors.rest_client import rest_client
from tests.experiments.stock_world import make_stock

pytestmark = pytest.mark.django_db
API = "/api/v1/notes"
WORDS = "fur is ruffled, please look tomorrow"


def write(api, world: World, **fields):
    told = {"experiment": str(world.experiment.pk), "text": WORDS, **fields}
    return api.post(API, {name: value for name, value in told.items() if value is not None}, format="json")


def test_who_is_called_on_finds_the_note_and_marks_it_seen(api, client, member, world: World):
    technician = member("technician", world.experiment)
    made = write(api, world, animal=str(world.animals[0].pk), mentions=[str(technician.pk)])
    assert made.status_code == 201, made.json()
    theirs = rest_client(technician)
    (mention,) = theirs.get("/api/v1/note-mentions", {"note": made.json()["id"]}).json()["results"]
    assert mention["seen_at"] is None
    client.force_login(technician)
    home = client.get(reverse("admin:index")).content.decode()
    assert WORDS in home
    assert api.post(f"/api/v1/note-mentions/{mention['id']}/seen").status_code == 403
    assert theirs.post(f"/api/v1/note-mentions/{mention['id']}/seen").json()["seen_at"]
    assert WORDS not in client.get(reverse("admin:index")).content.decode()


def test_the_mail_tells_that_there_is_a_note_and_not_what_it_says(api, member, world: World):
    technician = member("technician", world.experiment)
    type(technician).objects.filter(pk=technician.pk).update(email="t@example.org")
    write(api, world, mentions=[str(technician.pk)])
    job = Job.objects.get(kind="mail_mentions")
    assert jobs.run(job.pk)
    (sent,) = mail.outbox
    assert sent.to == ["t@example.org"]
    assert not any(word in sent.subject + sent.body for word in (WORDS, world.experiment.code, world.experiment.title))
    assert NoteMention.objects.get().mailed_at


def test_who_may_not_see_the_subject_is_refused_by_name(api, scientist, member, world: World):
    outsider = type(scientist).objects.create_user("pat", first_name="Pat", last_name="Outside")
    refused = write(api, world, mentions=[str(member("technician", world.experiment).pk), str(outsider.pk)])
    assert (refused.status_code, "Pat Outside" in str(refused.json())) == (400, True)
    assert not Note.objects.exists()
    assert not Job.objects.exists()


def test_a_masked_person_is_not_called_on_in_a_blinded_experiment(api, member, world: World):
    set_masking(world.experiment, "blinded")
    assert write(api, world, mentions=[str(member("assessor", world.experiment).pk)]).status_code == 400
    assert write(api, world, mentions=[str(member("technician", world.experiment).pk)]).status_code == 201


def test_an_animal_of_another_experiment_is_refused(api, world: World):
    assert write(api, world, animal=str(world.stranger.pk)).status_code == 400


def test_a_note_on_a_batch_is_for_everybody_who_sees_the_batch(api, member, scientist, world: World):
    technician = member("technician", world.experiment)
    batch = make_stock(scientist).batch
    made = write(api, world, experiment=None, batch=str(batch.pk), mentions=[str(technician.pk)])
    assert made.status_code == 201, made.json()
    assert rest_client(technician).get(f"{API}/{made.json()['id']}").json()["text"] == WORDS


@pytest.mark.parametrize("kind", ["experiment", "animal", "isolationbatch", "lot"])
def test_pages_have_a_button_for_a_note_and_show_it(client, scientist, member, world: World, kind):
    stock = make_stock(scientist)
    rows = {"experiment": world.experiment, "animal": world.animals[0], "isolationbatch": stock.batch, "lot": stock.lot}
    row, technician = rows[kind], member("technician", world.experiment)
    client.force_login(scientist)
    url = reverse(f"admin:experiments_{kind}_do", args=[row.pk, "note"])
    page = reverse(f"admin:experiments_{kind}_page", args=[row.pk])
    assert url in client.get(page).content.decode()
    told = {"text": WORDS, "mentions": [str(technician.pk)], "experiment": str(world.experiment.pk)}
    assert client.post(url, told).status_code == 302
    assert WORDS in client.get(page).content.decode()
    assert NoteMention.objects.get().person == technician
