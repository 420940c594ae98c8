"""A query's result as the JSON bytes that Prometheus writes for it."""

import math
from decimal import Decimal
from functools import lru_cache
from typing import Final, assert_never

import numpy as np

from bridge.engine.query import Result
from bridge.model.labels import Labels
from bridge.model.vectors import Matrix, Scalar, String, Windows
from bridge.promql.ast import ValueType

# jsoniter's WriteString: no HTML escapes, bytes from 0x80 on untouched.
_LABEL_ESCAPES: Final = {
    **{code: f"\\u{code:04x}" for code in range(0x20)},
    ord("\n"): "\\n",
    ord("\r"): "\\r",
    ord("\t"): "\\t",
    ord('"'): '\\"',
    ord("\\"): "\\\\",
}
# encoding/json's strings: HTML and JavaScript safe, broken UTF-8 replaced.
_STRING_ESCAPES: Final = _LABEL_ESCAPES | {
    ord("\b"): "\\b",
    ord("\f"): "\\f",
    **{code: f"\\u{code:04x}" for code in map(ord, "<>&\u2028\u2029")},
    **dict.fromkeys(range(0xD800, 0xE000), "\\ufffd"),
}


def encode_data(result: Result) -> bytes:
    """The `data` object of a query's answer: `{"resultType":…,"result":…}`."""
    return b"".join(
        (b'{"resultType":"', result.type.value.encode(), b'","result":', _value(result), b"}")
    )


@lru_cache(maxsize=1 << 16)
def encode_labels(labels: Labels) -> bytes:
    """A label set as a JSON object, in name order; surrogate escapes become their bytes again."""
    pairs = ",".join(f"{_quoted(name)}:{_quoted(value)}" for name, value in labels.pairs)
    return f"{{{pairs}}}".encode("utf-8", "surrogateescape")


def _quoted(text: str) -> str:
    return f'"{text.translate(_LABEL_ESCAPES)}"'


def _value(result: Result) -> bytes:
    value = result.value
    match value:
        case Scalar(values):
            return f'[{_seconds(result.steps.start)},"{_fixed(float(values[0]))}"]'.encode()
        case String(text):
            escaped = text.translate(_STRING_ESCAPES)
            return f'[{_seconds(result.steps.start)},"{escaped}"]'.encode()
        case Matrix():
            return _matrix(value, result)
        case Windows():
            return _samples(value)
        case _:
            assert_never(value)


def _matrix(matrix: Matrix, result: Result) -> bytes:
    times = result.steps.times()
    rows = []
    for labels, values, present in zip(matrix.labels, matrix.values, matrix.present, strict=True):
        points = _points(times[present], values[present])
        if result.type is ValueType.VECTOR:
            rows.append(b'{"metric":%s,"value":%s}' % (encode_labels(labels), points))
        else:
            rows.append(b'{"metric":%s,"values":[%s]}' % (encode_labels(labels), points))
    return b"[" + b",".join(rows) + b"]"


def _samples(windows: Windows) -> bytes:
    rows = []
    for row, labels in enumerate(windows.labels):
        lo, hi = windows.lo[row, 0], windows.hi[row, 0]
        points = _points(windows.columns.timestamps[lo:hi], windows.columns.values[lo:hi])
        rows.append(b'{"metric":%s,"values":[%s]}' % (encode_labels(labels), points))
    return b"[" + b",".join(rows) + b"]"


def _points(times: np.ndarray, values: np.ndarray) -> bytes:
    pairs = zip(times.tolist(), values.tolist(), strict=True)
    return ",".join(f'[{_timestamp(time)},"{_shortest(value)}"]' for time, value in pairs).encode()


def _timestamp(milliseconds: int) -> str:
    sign, (seconds, rest) = "-" if milliseconds < 0 else "", divmod(abs(milliseconds), 1000)
    return f"{sign}{seconds}.{rest:03d}" if rest else f"{sign}{seconds}"


def _seconds(milliseconds: int) -> str:
    return _fixed(milliseconds / 1000)


def _shortest(value: float) -> str:
    size = abs(value)
    if size == 0 or 1e-6 <= size < 1e21 or not math.isfinite(value):
        return _fixed(value)
    mantissa, _, exponent = repr(value).partition("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent):+03d}"


def _fixed(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    text = f"{Decimal(repr(value)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
