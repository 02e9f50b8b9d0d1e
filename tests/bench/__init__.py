"""Speed, each time as a ratio to a named alternative of the same run: ``make bench``."""
