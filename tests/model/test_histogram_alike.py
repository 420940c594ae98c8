"""Histograms of one layout: what is added or subtracted in place is what adding any two gives."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bridge.model import histogram_rate, histogram_sums
from bridge.model.bucket_bounds import CUSTOM_SCHEMA
from bridge.model.histogram import Histogram, Histograms
from tests.model.histogram_vectors import bits

COUNTS = st.floats(0.0, 1e300) | st.sampled_from([0.0, 1.0, 0.1, 1e16, 1.7e308])
ROWS = st.lists(st.tuples(*[COUNTS] * 6), min_size=2, max_size=5)
SCHEMAS = st.sampled_from([0, 3, CUSTOM_SCHEMA])
Numbers = tuple[float, ...]


def one(schema: int, numbers: Numbers, *, wider: bool = False) -> Histogram:
    """Three positive buckets, one negative one; `wider` by one bucket that counts nothing."""
    zeros, count, total, *positive = numbers
    custom = schema == CUSTOM_SCHEMA
    return Histogram(
        schema=schema,
        zero_threshold=0.0 if custom else 1e-9,
        zero_count=0.0 if custom else zeros,
        count=count,
        sum=total,
        positive_spans=((0, 3 + wider),),
        positive=(*positive, *[0.0] * wider),
        negative_spans=() if custom else ((2, 1),),
        negative=() if custom else (zeros,),
        bounds=(1.0, 2.0, 5.0, 7.0) if custom else (),
    )


def shown(table: Histograms, row: int) -> tuple[object, ...]:
    """Every number's bits; the buckets by their place, as those that count nothing may be there."""
    literal, places = table.literal(row), list[int]()
    at = 0
    for offset, length in literal.positive_spans:
        places += range(at + offset, at + offset + length)
        at += offset + length
    held = zip(places, literal.positive, strict=True)
    return (
        *map(bits, (literal.zero_count, literal.count, literal.sum, *literal.negative)),
        sorted((place, bits(count)) for place, count in held if count),
    )


def folded(rows: list[Histogram], *, mean: bool) -> Histograms:
    index, notes = np.zeros(1, np.int64), np.zeros(1, np.int64)
    table = Histograms.of(rows).arrays
    bounds = np.array([[0]]), np.array([[len(rows)]])
    return Histograms.frozen(histogram_sums.over_windows(table, *bounds, mean, index, notes))


@given(SCHEMAS, ROWS, st.booleans())
def test_sums_and_means_are_those_of_histograms_whose_layouts_differ(
    schema: int, rows: list[Numbers], mean: bool
) -> None:
    alike = folded([one(schema, row) for row in rows], mean=mean)
    others = [one(schema, row, wider=at % 2 == 1) for at, row in enumerate(rows)]
    assert shown(alike, 0) == shown(folded(others, mean=mean), 0)


def increase(rows: list[Histogram]) -> tuple[Histograms, int]:
    index, notes = np.zeros(1, np.int64), np.zeros(1, np.int64)
    times = np.arange(1, len(rows) + 1, dtype=np.int64) * 10_000
    found = histogram_rate.extrapolated_rates(
        Histograms.of(rows).arrays,
        times,
        np.empty(0, np.int64),
        np.array([[0]]),
        np.array([[len(rows)]]),
        np.array([0]),
        times[-1:],
        True,
        0.0,
        index,
        notes,
    )
    return Histograms.frozen(found), int(notes[0])


@given(SCHEMAS, ROWS, st.booleans())
def test_increases_are_those_of_histograms_whose_layouts_differ(
    schema: int, rows: list[Numbers], rising: bool
) -> None:
    counts = np.cumsum(np.array(rows) / 8, axis=0).tolist() if rising else rows
    alike, notes = increase([one(schema, row) for row in counts])
    last = len(counts) - 1
    others = [one(schema, row, wider=at == last) for at, row in enumerate(counts)]
    different, other_notes = increase(others)
    assert (shown(alike, 0), notes) == (shown(different, 0), other_notes)
