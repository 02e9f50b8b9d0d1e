"""Numbers as a reader wants them. Only the printed text is rounded, nothing before it."""

SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def number(value: float | None, digits: int = 4) -> str:
    """``value`` with so many significant digits: 21.40, 0.01234, 1.2 × 10⁻⁷; an em dash where there is none."""
    if value is None:
        return "—"
    if value == 0:
        return "0"
    size = abs(float(f"{value:.{digits - 1}e}"))
    if not 1e-3 <= size < 1e7:
        mantissa, exponent = f"{value:.{digits - 2}e}".split("e")
        return f"{mantissa} × 10{str(int(exponent)).translate(SUPERSCRIPT)}".replace("-", "−")
    decimals = digits - len(f"{size:.0f}") if size >= 1 else digits - int(f"{size:e}".split("e")[1]) - 1
    return f"{value:.{max(decimals, 0)}f}".replace("-", "−")


def interval(lower: float | None, upper: float | None, digits: int = 4) -> str:
    """``lower to upper``, or nothing where there is no interval."""
    return "" if lower is None or upper is None else f"{number(lower, digits)} to {number(upper, digits)}"


def p_value(value: float) -> str:
    """``p = 0.0312`` to two significant digits, ``p < 0.001`` below."""
    return "p < 0.001" if value < 0.001 else f"p = {value:.2f}" if value >= 0.1 else f"p = {value:.2g}"
