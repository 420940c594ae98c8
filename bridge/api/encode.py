"""A query's result as the JSON bytes that Prometheus writes for it."""

import asyncio
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache, partial
from itertools import pairwise
from operator import add
from typing import Final, assert_never

import numpy as np
import orjson

from bridge.api.histograms import most_bytes, points, with_histograms
from bridge.api.pieces import Piece, framed
from bridge.api.rows import POINT_LENGTH, ROW_LENGTH, write_matrix, write_samples, write_stamps
from bridge.api.words import BLOCK, Bytes
from bridge.engine.query import Result
from bridge.model.labels import Labels, LabelTable
from bridge.model.samples import Float64s, Int64s
from bridge.model.valued_labels import ValuedLabels
from bridge.model.vectors import Matrix, Scalar, String, Value, Windows
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

# What stands in JSON as it is.
_PLAIN: Final = re.compile(r"[ !#-\[\]-~]*")

# Points that are written at once, in less time than it takes a thread to begin.
_AT_ONCE: Final = 5000
_HISTOGRAM: Final = 100

# Rows are written piece by piece, so that a piece stays in the processor's cache.
_PIECE: Final = 1 << 20

# The labels of so many rows are kept as JSON with their table.
_KEPT_ROWS: Final = 1000

# Shorter answers are written as a whole, of a length that is told beforehand.
_MANY: Final = 4


async def encoded(result: Result) -> bytes:
    """What `encode_data` gives; made in a thread unless that would take longer than the work."""
    if _points(result.value) <= _AT_ONCE:
        return encode_data(result)
    return await asyncio.to_thread(encode_data, result)


def _points(value: Value) -> int:
    """How many points there may be to write, in floats: a histogram takes a hundred times one."""
    match value:
        case Matrix():
            return value.values.size * (1 if value.histograms is None else _HISTOGRAM)
        case Windows():
            floats = int((value.hi - value.lo).sum())
            native = value.histograms
            return floats + (
                0 if native is None else int((native.hi - native.lo).sum()) * _HISTOGRAM
            )
        case Scalar() | String():
            return 1


def encode_data(result: Result) -> bytes:
    """The `data` object of a query's answer: `{"resultType":…,"result":…}`."""
    return _written(encode_pieces(result))


def encode_pieces(result: Result) -> tuple[Piece, ...]:
    """The same in consecutive pieces, which may be written in any order.

    Each has about 1 MiB at most, unless a single series is larger or a range vector has native
    histograms.
    """
    before = b'{"resultType":"%s","result":' % result.type.value.encode()
    value = result.value
    match value:
        case Scalar(values):
            text = _fixed(float(values[0]))
        case String(text):
            text = text.translate(_STRING_ESCAPES)
        case Matrix():
            return _listed(before, _matrix(value, result))
        case Windows(histograms=None):
            return _listed(before, _samples(value))
        case Windows():
            return _listed(before, (partial(_joined, _mixed_samples, value),))
        case _:
            assert_never(value)
    return framed(before, (partial(_pair, result, text),), b"}")


def many_pieces(result: Result) -> bool:
    """Whether the answer is so long that it is worth sending piece by piece."""
    value = result.value
    if not isinstance(value, Matrix):
        return False
    if value.histograms is not None:
        return bool(_sizes(value).sum() > _MANY * _PIECE)
    return len(value) > _MANY * _rows_of_piece(value.steps)


def at_most(result: Result) -> int:
    """The bytes of such an answer if every value took as many digits as there are."""
    assert isinstance(result.value, Matrix)
    return _heads_length(result.value.labels) + ROW_LENGTH + int(_sizes(result.value).sum())


@lru_cache(maxsize=1 << 16)
def encode_labels(labels: Labels) -> bytes:
    """A label set as a JSON object, in name order; surrogate escapes become their bytes again."""
    try:
        text = orjson.dumps(dict(labels.pairs))
    except TypeError:  # surrogate escapes
        return _escaped(labels)
    # orjson has short forms for these two characters where jsoniter has none.
    if b"\\b" in text or b"\\f" in text:
        return _escaped(labels)
    # A copy: what orjson gives holds on to a kilobyte and more behind it.
    return bytes(memoryview(text))


def _escaped(labels: Labels) -> bytes:
    pairs = ",".join(f"{_quoted(name)}:{_quoted(value)}" for name, value in labels.pairs)
    return f"{{{pairs}}}".encode("utf-8", "surrogateescape")


def _quoted(text: str) -> str:
    return f'"{text.translate(_LABEL_ESCAPES)}"'


def _pair(result: Result, text: str) -> bytes:
    """A scalar or string, which goes through encoding/json: the time is a plain number."""
    return f'[{_fixed(result.steps.start / 1000)},"{text}"]'.encode()


def _fixed(value: float) -> str:
    """The shortest form without exponent, whatever the size."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    text = f"{Decimal(repr(value)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _listed(before: bytes, rows: Iterable[Piece]) -> tuple[Piece, ...]:
    """A JSON list of rows that end with a comma each, of which the last one goes."""
    return framed(before + b"[", tuple(rows), b"]}", cut=1)


def _written(pieces: Iterable[Piece]) -> bytes:
    return b"".join(piece() for piece in pieces)


def _joined(write: Callable[..., Iterator[bytes]], *arguments: object) -> bytes:
    return b"".join(write(*arguments))


@dataclass(frozen=True, slots=True, eq=False)
class _Heads:
    """The rows' labels as JSON, one after the other: row r is `text[ends[r - 1]:ends[r]]`."""

    text: Bytes
    ends: Int64s

    @staticmethod
    def of(labels: LabelTable, part: slice) -> "_Heads":
        """Those of some rows; kept with the table if they are all of it and not many."""
        if len(labels) > _KEPT_ROWS or (part.start, part.stop) != (0, len(labels)):
            return _Heads._made(labels, part)
        return labels.remembered(_Heads, lambda: _Heads._made(labels, part))

    @staticmethod
    def _made(labels: LabelTable, part: slice) -> "_Heads":
        heads = _heads(labels, part)
        lengths = np.fromiter(map(len, heads), np.int64, len(heads))
        text = np.frombuffer(b"".join((*heads, bytes(BLOCK))), np.uint8)
        return _Heads(text, np.cumsum(lengths))


def _heads(labels: LabelTable, part: slice) -> list[bytes]:
    """The labels of some rows as JSON."""
    if not isinstance(labels, ValuedLabels):
        return [encode_labels(row) for row in labels.rows[part]]
    form = labels.remembered(_Valued, lambda: _Valued.of(labels))
    pairs = zip(labels.group_of[part].tolist(), labels.text_of[part].tolist(), strict=True)
    before, behind, texts = form.before, form.behind, form.texts
    return [before[group] + texts[text] + behind[group] for group, text in pairs]


def _heads_length(labels: LabelTable) -> int:
    """How long all rows' labels are as JSON."""
    if not isinstance(labels, ValuedLabels):
        return sum(map(len, _heads(labels, slice(None))))
    form = labels.remembered(_Valued, lambda: _Valued.of(labels))
    of_groups, of_texts = (
        np.fromiter(map(len, parts), np.int64, len(parts))
        for parts in (list(map(add, form.before, form.behind)), form.texts)
    )
    return int(of_groups[labels.group_of].sum() + of_texts[labels.text_of].sum())


@dataclass(frozen=True, slots=True, eq=False)
class _Valued:
    """The parts of `ValuedLabels` as JSON: what surrounds each group's value, and the values."""

    before: Sequence[bytes]
    behind: Sequence[bytes]
    texts: Sequence[bytes]

    @staticmethod
    def of(labels: ValuedLabels) -> "_Valued":
        opening = f'{_quoted(labels.name)}:"'.encode("utf-8", "surrogateescape")
        halves = [
            [encode_labels(Labels.of_sorted(pairs)) for pairs in half] for half in labels.halves()
        ]
        texts: Sequence[str] = labels.texts
        if not _PLAIN.fullmatch("".join(texts)):
            texts = [text.translate(_LABEL_ESCAPES) for text in texts]
        return _Valued(
            [first[:-1] + (b"," if len(first) > 2 else b"") + opening for first, _ in halves],
            [b'"' + (b"," if len(last) > 2 else b"") + last[1:] for _, last in halves],
            [text.encode("utf-8", "surrogateescape") for text in texts],
        )


def _matrix(matrix: Matrix, result: Result) -> Iterator[Piece]:
    times, many = result.steps.times(), result.type is not ValueType.VECTOR
    assert len(times) == matrix.steps
    # Every piece must have a row, for its comma to go.
    matrix = matrix.without_empty_rows()
    if matrix.histograms is None:
        yield from _floats(matrix, times, many)
    else:
        for part in _parts(_sizes(matrix)):
            yield partial(_joined, _mixed, matrix, part, times, many)


def _sizes(matrix: Matrix) -> Int64s:
    """The most bytes that each row may take besides its labels; int64 [S]."""
    floats: Int64s = np.count_nonzero(matrix.present, axis=1) * POINT_LENGTH + ROW_LENGTH
    return floats if matrix.histograms is None else floats + most_bytes(matrix.histograms)


def _mixed(matrix: Matrix, part: slice, times: Int64s, many: bool) -> Iterator[bytes]:
    """Some rows of a matrix with histograms, one by one."""
    assert matrix.histograms is not None
    index, table = matrix.histograms.index[part], matrix.histograms.table
    there = index >= 0
    held = points(table, index[there], np.broadcast_to(times, there.shape)[there])
    ends = np.cumsum(np.count_nonzero(there, axis=1)).tolist()
    for row, (start, end) in enumerate(pairwise([0, *ends]), part.start):
        floats = b""
        if matrix.present[row].any():
            floats = _written(_floats(matrix.take(np.array([row])), times, many))
        yield with_histograms(encode_labels(matrix.labels[row]), floats, held[start:end], many)


def _floats(matrix: Matrix, times: Int64s, many: bool) -> Iterator[Piece]:
    steps = matrix.steps
    stamps, lengths = np.empty((steps + 1) * BLOCK, np.uint8), np.empty(steps, np.int64)
    write_stamps(times, stamps, lengths)
    bits, present = _bits(matrix.values), np.ascontiguousarray(matrix.present)

    def written(part: slice) -> bytes:
        heads = _Heads.of(matrix.labels, part)
        out = _room(heads, int(np.count_nonzero(present[part])))
        end = write_matrix(
            out, heads.text, heads.ends, stamps, lengths, bits[part], present[part], many
        )
        return out[:end].tobytes()

    if len(matrix) <= _rows_of_piece(steps):
        return iter((partial(written, slice(0, len(matrix))),) if len(matrix) else ())
    return (partial(written, part) for part in _parts(_sizes(matrix)))


def _rows_of_piece(steps: int) -> int:
    return max(1, _PIECE // (ROW_LENGTH + steps * POINT_LENGTH))


def _samples(windows: Windows) -> Iterator[Piece]:
    lo, hi = windows.lo[:, 0].copy(), windows.hi[:, 0].copy()
    times, bits = windows.columns.timestamps, _bits(windows.columns.values)

    def written(part: slice) -> bytes:
        heads = _Heads.of(windows.labels, part)
        out = _room(heads, int((hi[part] - lo[part]).sum()))
        end = write_samples(out, heads.text, heads.ends, lo[part], hi[part], times, bits)
        return out[:end].tobytes()

    parts = _parts((hi - lo) * POINT_LENGTH + ROW_LENGTH)
    return (partial(written, part) for part in parts if (hi[part] > lo[part]).any())


def _mixed_samples(windows: Windows) -> Iterator[bytes]:
    """The rows of a range vector with histograms, one by one."""
    assert windows.histograms is not None
    columns = windows.histograms.columns
    for row, labels in enumerate(windows.labels):
        alone = replace(
            windows,
            labels=windows.labels[row : row + 1],
            lo=windows.lo[row : row + 1],
            hi=windows.hi[row : row + 1],
        )
        seen = np.arange(windows.histograms.lo[row, 0], windows.histograms.hi[row, 0])
        held = points(columns.table, seen, columns.timestamps[seen])
        yield with_histograms(encode_labels(labels), _written(_samples(alone)), held, True)


def _bits(values: Float64s) -> Int64s:
    return np.ascontiguousarray(values).view(np.int64)


def _room(heads: _Heads, points: int) -> Bytes:
    """Where so many rows and points fit."""
    length = len(heads.text) + len(heads.ends) * ROW_LENGTH + (points + 1) * POINT_LENGTH
    return np.empty(length, np.uint8)


def _parts(sizes: Int64s) -> Iterator[slice]:
    """Row ranges of about a piece each, of rows that take so many bytes at most."""
    pieces = np.cumsum(sizes) // _PIECE
    cuts = np.flatnonzero(np.diff(pieces)) + 1
    edges = [0, *cuts.tolist(), len(sizes)]
    return (slice(start, end) for start, end in pairwise(edges) if end > start)
