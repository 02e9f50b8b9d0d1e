"""The REST door of assays."""
