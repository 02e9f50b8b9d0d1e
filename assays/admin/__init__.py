"""The admin's pages of assays."""

from assays.admin import panels, runs, wells

__all__ = ["panels", "runs", "wells"]
