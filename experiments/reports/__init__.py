"""Stored summaries into figures and documents. Nothing is computed again here."""
