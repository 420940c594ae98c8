"""Native histograms: tables, operators and functions, beside vectors of Prometheus' own code."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.model import histogram_neighbours, histogram_operators, histogram_quantile
from bridge.model.histogram import EMPTY, Hint, Histogram, HistogramCells, Histograms, concatenate
from bridge.model.histogram_math import COLLISION, MIXED_SCHEMAS, RECONCILED
from tests.model.histogram_vectors import bits, cases, identity, same, table

CASES = cases(Path(__file__).with_name("histogram_vectors.json"))
EVERY = np.arange(len(CASES))
A, B = table(case["a"] for case in CASES), table(case["b"] for case in CASES)
OBSERVED = table(case["qa"] for case in CASES)

ONE = Histogram(
    schema=1,
    count=10.0,
    sum=3.5,
    zero_count=1.0,
    zero_threshold=0.001,
    positive_spans=((0, 2), (1, 1)),
    positive=(1.0, 2.0, 3.0),
    negative_spans=((-2, 2),),
    negative=(1.0, 2.0),
)


def column(name: str) -> np.ndarray:
    return np.array([float(case[name]) for case in CASES])


def compacted(found: Histograms) -> Histograms:
    ones = np.ones(len(found))
    every = np.arange(len(found))
    return Histograms.frozen(histogram_operators.products(found.arrays, every, ones, True))


@pytest.mark.parametrize("name", ["add", "sub"])
def test_sums_are_those_of_prometheus(name: str) -> None:
    notes = np.zeros(len(CASES), np.int64)
    found = Histograms.frozen(
        histogram_operators.sums(A.arrays, EVERY, B.arrays, EVERY, name == "sub", notes)
    )
    for row, case in enumerate(CASES):
        if case[name] == "mixed":
            assert notes[row] == MIXED_SCHEMAS
            continue
        collision, reconciled = case[f"{name}f"]
        assert notes[row] == COLLISION * collision + RECONCILED * reconciled
        expected = compacted(table([case[name]])).literal(0)
        hint = Hint.GAUGE if name == "sub" else expected.hint
        assert identity(found.literal(row)) == identity(replace(expected, hint=hint))


def test_products_quotients_and_trims_are_those_of_prometheus() -> None:
    factors, values = column("f"), column("v")
    operators = histogram_operators
    found = {
        "mul": operators.products(A.arrays, EVERY, factors, True),
        "div": operators.quotients(A.arrays, EVERY, factors),
        "tu": operators.trims(A.arrays, EVERY, values, True),
        "tl": operators.trims(A.arrays, EVERY, values, False),
    }
    for name, arrays in found.items():
        results = Histograms.frozen(arrays)
        for row, case in enumerate(CASES):
            if case[name] != "panic":
                assert same(results, row, case[name]), (name, row)


def test_equality_and_resets_are_those_of_prometheus() -> None:
    pairs = concatenate([A, B]).take(np.stack([EVERY, EVERY + len(CASES)], 1).ravel())
    times, none = np.zeros(len(pairs), np.int64), np.zeros(0, np.int64)
    resets, changes = np.zeros(len(pairs), np.bool_), np.zeros(len(pairs), np.bool_)
    offsets = np.arange(0, len(pairs) + 1, 2)
    histogram_neighbours.compare(pairs.arrays, offsets, times, none, resets, changes)
    assert A.equal(B).tolist() == [case["eq"] for case in CASES]
    assert (~changes[1::2]).tolist() == [case["eq"] for case in CASES]
    assert resets[1::2].tolist() == [case["det"] for case in CASES]
    assert not resets[::2].any()


def test_quantiles_and_fractions_are_those_of_prometheus() -> None:
    out, notes = np.zeros(len(CASES)), np.zeros(len(CASES), np.int64)
    histogram_quantile.quantiles(OBSERVED.arrays, EVERY, column("q"), out, notes)
    assert [*map(bits, out)] == [bits(float(case["quant"])) for case in CASES]
    assert (notes != 0).tolist() == [case["quantn"] != 0 for case in CASES]
    histogram_quantile.fractions(OBSERVED.arrays, EVERY, column("lo"), column("hi"), out, notes)
    assert [*map(bits, out)] == [bits(float(case["frac"])) for case in CASES]
    assert (notes != 0).tolist() == [case["fracn"] != 0 for case in CASES]


def test_texts_buckets_and_sizes_are_those_of_prometheus() -> None:
    assert A.size.tolist() == [case["size"] for case in CASES]
    for row, case in enumerate(CASES):
        assert A.text(row) == case["text"]
        shown = [[one.rule, one.lower, one.upper, one.count] for one in A.buckets(row)]
        assert shown == [[rule, *map(float, rest)] for rule, *rest in case["bk"]]


def test_a_row_is_taken_joined_and_gathered_whole() -> None:
    found = concatenate([Histograms.of([ONE]), EMPTY, A]).take(np.array([3, 0, 1]))
    for one in (found, found.compacted()):
        assert identity(one.literal(1)) == identity(ONE)
        assert identity(one.literal(0)) == identity(A.literal(2))
    assert found.compacted().nbytes < concatenate([Histograms.of([ONE]), A]).nbytes


def test_a_table_without_buckets_keeps_counts_and_sums() -> None:
    assert Histograms.of([ONE]).without_buckets().text(0) == "{count:10, sum:3.5}"


def test_cells_are_masked_and_taken_without_touching_the_table() -> None:
    present = np.array([[True, False], [True, True]])
    cells = HistogramCells.filled(present, A.take(np.array([0, 1, 2])))
    kept = cells.where(np.array([[True, True], [False, True]]))
    assert kept.index.tolist() == [[0, -1], [-1, 2]]
    assert kept.take(np.array([1])).rows().tolist() == [2]


@settings(deadline=None, max_examples=30)
@given(st.integers(0, len(CASES) - 1), st.integers(0, len(CASES) - 1))
def test_compacting_again_changes_nothing(first: int, second: int) -> None:
    once = compacted(A.take(np.array([first, second])))
    assert all(compacted(once).equal(once))


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 1000), min_size=3, max_size=3))
def test_whole_counts_of_one_layout_add_and_subtract_to_the_same(counts: list[int]) -> None:
    other = replace(ONE, positive=tuple(map(float, counts)))
    left, right = Histograms.of([ONE]), Histograms.of([other])
    row, notes = np.zeros(1, np.int64), np.zeros(1, np.int64)
    total = Histograms.frozen(
        histogram_operators.sums(left.arrays, row, right.arrays, row, False, notes)
    )
    back = Histograms.frozen(
        histogram_operators.sums(total.arrays, row, right.arrays, row, True, notes)
    )
    assert back.equal(left).all()


def test_unknown_hints_are_found_out_from_the_sample_before() -> None:
    more, fewer = replace(ONE, count=12.0), replace(ONE, count=9.0)
    stale = Histogram(sum=float(np.int64(0x7FF0000000000002).view(np.float64)))
    rows = Histograms.of([ONE, more, stale, fewer, replace(more, hint=Hint.GAUGE)])
    hints = np.zeros(5, np.int64)
    histogram_neighbours.running_hints(rows.arrays, np.array([0, 5]), hints)
    assert hints.tolist() == [Hint.UNKNOWN, Hint.NOT_RESET, Hint.UNKNOWN, Hint.RESET, Hint.GAUGE]
    assert rows.stale.tolist() == [False, False, True, False, False]
