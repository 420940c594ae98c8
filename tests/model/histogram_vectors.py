"""What Prometheus' own code made of random histograms, and how those are written in JSON.

A histogram is a list: schema, hint, zero threshold, zero count, count, sum, positive spans and
counts, negative spans and counts, custom bounds. Numbers that JSON has no words for are strings.
"""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from bridge.model.histogram import Hint, Histogram, Histograms

Json = Any


def cases(path: Path) -> list[Json]:
    """The cases of a file."""
    return list(json.loads(path.read_text()))


def numbers(values: Json) -> tuple[float, ...]:
    """Numbers as JSON has them."""
    return tuple(float(value) for value in values)


def histogram(parts: Json) -> Histogram:
    """A histogram as JSON has it."""
    schema, hint, threshold, zeros, count, total, spans, counts, below, below_counts, bounds = parts
    return Histogram(
        schema=schema,
        hint=Hint(hint),
        zero_threshold=float(threshold),
        zero_count=float(zeros),
        count=float(count),
        sum=float(total),
        positive_spans=tuple(map(tuple, spans)),
        positive=numbers(counts),
        negative_spans=tuple(map(tuple, below)),
        negative=numbers(below_counts),
        bounds=numbers(bounds),
    )


def table(parts: Json) -> Histograms:
    """A table of histograms as JSON has them."""
    return Histograms.of(map(histogram, parts))


def bits(value: float) -> int | str:
    """What makes two float64 the same: their bits, or that both are NaN."""
    return "NaN" if math.isnan(value) else int(np.float64(value).view(np.int64))


def identity(one: Histogram) -> tuple[object, ...]:
    """What makes two histograms the same: hint, layout, and every number's bits."""
    return (
        one.schema,
        one.hint,
        one.positive_spans,
        one.negative_spans,
        *map(bits, (one.zero_threshold, one.zero_count, one.count, one.sum)),
        tuple(map(bits, one.positive)),
        tuple(map(bits, one.negative)),
        tuple(map(bits, one.bounds)),
    )


def same(found: Histograms, row: int, expected: Json) -> bool:
    """Whether a row is the histogram expected."""
    return identity(found.literal(row)) == identity(histogram(expected))
