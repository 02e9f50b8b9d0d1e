"""Numbers as a person reads them; the stored ones keep every digit."""


def shown_number(value: float | None, digits: int = 4) -> str:
    """``value`` to ``digits`` significant ones, whole numbers whole; a dash where there is none."""
    if value is None:
        return "–"
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    return f"{value:.{digits}g}"


def interval(lower: float | None, upper: float | None, digits: int = 3) -> str:
    if lower is None or upper is None:
        return "–"
    return f"{shown_number(lower, digits)} to {shown_number(upper, digits)}"


def p_value(value: float | None) -> str:
    if value is None:
        return "–"
    return "< 0.0001" if value < 1e-4 else f"{value:.4f}"
