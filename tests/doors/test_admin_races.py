"""Two people save one form at once: one is saved, the other sees the conflict."""

import threading

from django.db import connection
from django.test import Client
from django.urls import reverse

from experiments.models import Animal
from tests.doors.browser_forms import shown_form


def test_of_two_at_once_one_is_saved_and_one_sees_it(committed_db, client, scientist, animals):
    client.force_login(scientist)
    url = reverse("admin:experiments_animal_change", args=[animals[0].pk])
    data = shown_form(client.get(url)) | {"reason_for_change": "read again"}
    cookies, answers, start = client.cookies, [], threading.Barrier(2)

    def send(day: str) -> None:
        own = Client()
        own.cookies = cookies
        start.wait()
        answers.append(own.post(url, data | {"born_on": day}).status_code)
        connection.close()

    for _ in range(5):
        answers.clear()
        data = shown_form(client.get(url)) | {"reason_for_change": "read again"}
        now = str(Animal.objects.get(pk=animals[0].pk).born_on)
        days = [day for day in ("2026-01-01", "2026-01-02", "2026-01-03") if day != now][:2]
        threads = [threading.Thread(target=send, args=[day]) for day in days]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(answers) == [302, 409]
