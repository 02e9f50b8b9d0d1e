"""Row rules that the database keeps, with the message and the field that a person sees."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models


class Check(models.CheckConstraint):
    """A CHECK constraint whose message is shown at ``field``. In migrations it is an ordinary CheckConstraint."""

    def __init__(self, name: str, condition: Any, message: Any, field: str | None = None) -> None:
        self.field = field
        super().__init__(name=name, condition=condition, violation_error_message=message)

    def get_violation_error_message(self) -> Any:
        """As it was given: “100 %” is no format."""
        return self.violation_error_message

    def deconstruct(self) -> tuple[str, tuple, dict[str, Any]]:
        return ("django.db.models.CheckConstraint", (), {"name": self.name, "condition": self.condition})

    def clone(self) -> "Check":
        return Check(self.name, self.condition, self.violation_error_message, self.field)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, models.CheckConstraint):
            return (self.name, self.condition) == (other.name, other.condition)
        return NotImplemented

    __hash__ = models.CheckConstraint.__hash__

    def validate(self, model: Any, instance: Any, exclude: Any = None, using: str = "default") -> None:
        try:
            super().validate(model, instance, exclude=exclude, using=using)
        except ValidationError as error:
            if self.field is None or (exclude and self.field in exclude):
                raise
            raise ValidationError({self.field: error.messages}) from None
