"""Django's PostgreSQL backend, which tells the database who acts, through which door and why, before it writes."""
