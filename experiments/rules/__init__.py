"""Rules of the bench as plain functions over plain data: no Django, no database; one file a rule."""
