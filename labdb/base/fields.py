"""Field types of the record."""

from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

MAX_DIGITS = 40
MAX_EXPONENT = 40


class NumericField(models.DecimalField):
    """An exact finite number: PostgreSQL ``numeric`` without a fixed scale, so nothing is ever rounded in storage.

    At most 40 significant digits, magnitude below 1e40. ``NaN`` and infinities are refused here and by a CHECK,
    because PostgreSQL holds ``'NaN' >= 0`` to be true.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)

    def check(self, **kwargs: Any) -> list:
        return super(models.DecimalField, self).check(**kwargs)  # the parent insists on a fixed scale

    def db_type(self, connection: Any) -> str:
        return "numeric"

    def cast_db_type(self, connection: Any) -> str:
        return "numeric"

    def db_check(self, connection: Any) -> str:
        column = connection.ops.quote_name(self.column)
        return f"{column} > '-Infinity' AND {column} < 'Infinity'"

    def to_python(self, value: Any) -> Decimal | None:
        if isinstance(value, float):
            value = repr(value)  # 0.1 means 0.1, not its binary neighbour
        number = super().to_python(value)
        if number is not None and not _storable(number):
            raise ValidationError(
                "“%(value)s” is not a finite number of at most %(digits)s digits below 1e%(exponent)s.",
                code="invalid",
                params={"value": str(value)[:60], "digits": MAX_DIGITS, "exponent": MAX_EXPONENT},
            )
        return number

    @property
    def validators(self) -> list:
        return super(models.DecimalField, self).validators

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        return value if hasattr(value, "as_sql") else self.to_python(value)

    get_db_prep_save = get_db_prep_value


def _storable(number: Decimal) -> bool:
    if not number.is_finite():
        return False
    return len(number.as_tuple().digits) <= MAX_DIGITS and (not number or abs(number.adjusted()) <= MAX_EXPONENT)
