"""The reason that a verb asks for."""

from django.core.exceptions import ValidationError

LONGEST_REASON = 500


def given_reason(reason: str, message: str, field: str = "reason") -> str:
    """``reason`` as it is stored. Raises ValidationError with ``message`` where there is none, or where it is too long."""
    told = reason.strip()
    if not told:
        raise ValidationError({field: message})
    if len(told) > LONGEST_REASON:
        raise ValidationError({field: f"{len(told)} characters; expected at most {LONGEST_REASON}."})
    return told
