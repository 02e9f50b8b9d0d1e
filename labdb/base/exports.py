"""What every CSV file of the program keeps to."""

from decimal import Decimal, InvalidOperation

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # what makes a spreadsheet run a cell


class Echo:
    """The file of a ``csv.writer`` whose lines are streamed as they are written."""

    def write(self, line: str) -> str:
        return line


def harmless(text: str) -> str:
    """An apostrophe before text that a spreadsheet would run; numbers stay numbers."""
    if not text.startswith(FORMULA):
        return text
    try:
        return text if Decimal(text).is_finite() and text == text.strip() else f"'{text}"
    except InvalidOperation:
        return f"'{text}"
