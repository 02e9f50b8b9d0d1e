"""The admin's pages of assays."""

from assays.admin import counts, panels, runs, wells

__all__ = ["counts", "panels", "runs", "wells"]
