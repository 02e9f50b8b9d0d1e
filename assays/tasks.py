"""The door of the workers: importing the verbs registers what assays do in the background."""

from assays.actions import runs

__all__ = ["runs"]
