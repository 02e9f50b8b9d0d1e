"""The program as gunicorn serves it to guessers: its hasher counts, and LABDB_TEST_SABOTAGE takes one guard away."""

import os

os.environ.setdefault("LABDB_TEST_SABOTAGE", "")

from labdb import settings as own

globals().update({name: value for name, value in vars(own).items() if name.isupper()})
PASSWORD_HASHERS = ["tests.hashers.CountingHasher"]
WSGI_APPLICATION = "tests.doors.guessing_wsgi.application"
