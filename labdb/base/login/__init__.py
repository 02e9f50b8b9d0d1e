"""Who is let in: one check of user name, password and second factor behind every door, and one limiter in front of it.

``passwords.checked`` is the only place that compares a password with its hash, ``codes.checked`` the only one that tries a
second factor's code; both reserve a guess first (``limiter``). Pages are allauth's in the project's own templates.
"""
