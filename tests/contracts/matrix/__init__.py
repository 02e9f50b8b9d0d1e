"""Who may do what at which address, declared in ``declared/*.txt`` and executed.

``addresses`` walks the URL resolver, ``world`` makes the people and the rows of four experiments, ``bodies`` makes requests
that are valid but for the permission, ``outcomes`` reads an answer as one letter, ``table`` reads what is declared.
"""

PEOPLE = (
    "director", "scientist", "technician", "assessor", "analyst", "auditor", "manager", "administrator", "outsider",
    "anonymous",
)  # fmt: skip
ROLES = PEOPLE[:6]
MASKED = ("assessor", "analyst")
# own: open-label and running; other: the person is no member of it; locked: closed; blinded: running.
SITUATIONS = ("own", "other", "locked", "blinded")
