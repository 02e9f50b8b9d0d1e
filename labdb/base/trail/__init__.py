"""The trail of every change, kept by triggers of the database; ``install`` puts them on every table."""

from labdb.base.trail.versions import changes_since, version_of, versions_of

__all__ = ["changes_since", "version_of", "versions_of"]
