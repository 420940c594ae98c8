"""What Go writes for a number, derived from Python's own shortest form."""

import math
from decimal import Decimal


def sample_text(value: float) -> str:
    """A sample value as Prometheus' MarshalFloat writes it."""
    size = abs(value)
    if not math.isfinite(value) or size == 0 or 1e-6 <= size < 1e21:
        return fixed_text(value)
    mantissa, _, exponent = repr(value).partition("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent):+03d}"


def fixed_text(value: float) -> str:
    """Format 'f' of Go's strconv in its shortest form."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    text = f"{Decimal(repr(value)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def time_text(milliseconds: int) -> str:
    """A timestamp as Prometheus' MarshalTimestamp writes it."""
    seconds, rest = divmod(abs(milliseconds), 1000)
    sign = "-" if milliseconds < 0 else ""
    return f"{sign}{seconds}.{rest:03d}" if rest else f"{sign}{seconds}"
