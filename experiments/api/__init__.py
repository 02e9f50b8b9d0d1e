"""The REST door of the record; one file per bench topic."""
