"""Rows from anywhere become one block: sorted, distinct, times rising."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.model.histogram import Hint, Histogram, HistogramColumns, Histograms
from bridge.model.labels import Labels
from bridge.model.samples import Columns
from bridge.model.starts import NO_STARTS
from bridge.storage.merge import Rows, merge
from tests.storage.blocks import Plain, Points, labels, plain, rows_of

A, B, C = labels(x="a"), labels(x="b"), labels(x="c")

Pieces = list[list[tuple[Labels, Points]]]

names = st.sampled_from([A, B, C, labels(x="a", y="1"), labels()])
points = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 99).map(float)), max_size=6)
pieces = st.lists(st.lists(st.tuples(names, points), max_size=4), max_size=4)


def expected(given_: Pieces, first_wins: bool, keep_empty: bool) -> Plain:
    """The same by dictionaries."""
    held: dict[Labels, dict[int, float]] = {}
    for piece in given_:
        for one, some in piece:
            row = held.setdefault(one, {})
            for time, value in some:
                if not (first_wins and time in row):
                    row[time] = value
    kept = {one: sorted(row.items()) for one, row in held.items() if row or keep_empty}
    return dict(sorted(kept.items(), key=lambda pair: pair[0].pairs))


@given(pieces, st.booleans(), st.booleans())
def test_merging_is_what_dictionaries_would_give(
    given_: Pieces, first_wins: bool, keep_empty: bool
) -> None:
    block = merge([rows_of(piece) for piece in given_], first_wins, keep_empty)
    wanted = expected(given_, first_wins, keep_empty)
    assert list(plain(block).items()) == list(wanted.items())
    assert block.labels.distinct()
    assert sum(part.series for part in block.parts) == len(block)
    assert all(part.series for part in block.parts)


@pytest.mark.parametrize("count", [3, 256, 257, 1000])
def test_rows_in_the_same_order_again_are_merged_as_before(count: int) -> None:
    rows = [labels(x=str(number)) for number in range(count, 0, -1)]
    for moment in (1, 2):
        given_: Pieces = [[(row, [(moment, float(at))]) for at, row in enumerate(rows)]]
        given_.append([(row, [(moment + 5, 0.0)]) for row in rows[::2]])
        block = merge([rows_of(piece) for piece in given_], first_wins=False)
        wanted = expected(given_, first_wins=False, keep_empty=False)
        assert list(plain(block).items()) == list(wanted.items())


@given(st.lists(st.integers(1, 3), min_size=1, max_size=6))
def test_a_series_that_goes_on_over_many_pieces_is_one_row(sizes: list[int]) -> None:
    time = 0
    given_: Pieces = []
    for size in sizes:
        given_.append([(B, [(time + at, float(time + at)) for at in range(size)])])
        time += size
    given_[0].insert(0, (A, [(0, 1.0)]))
    given_[-1].append((C, [(0, 2.0)]))
    block = merge([rows_of(piece) for piece in given_], first_wins=False)
    assert plain(block) == expected(given_, first_wins=False, keep_empty=False)


def test_pieces_in_order_are_not_copied() -> None:
    given_ = [rows_of([(A, [(1, 1.0)]), (B, [(1, 2.0)])]), rows_of([(C, [(1, 3.0)])])]
    block = merge(given_, first_wins=True)
    held = [part.columns().timestamps for part in block.parts]
    assert all(
        np.shares_memory(one, piece.columns.timestamps)
        for one, piece in zip(held, given_, strict=True)
    )


def test_bits_of_values_survive_sorting() -> None:
    nan = float(np.int64(0x7FF0000000000002).view(np.float64))
    piece: Rows = rows_of([(A, [(2, nan), (1, -0.0)])])
    columns = merge([piece], first_wins=True).columns()
    assert columns.values.view(np.int64).tolist() == [-(2**63), 0x7FF0000000000002]


@pytest.mark.parametrize(("first_wins", "value"), [(True, 1.0), (False, 2.0)])
def test_who_wins_at_the_same_time(first_wins: bool, value: float) -> None:
    block = merge([rows_of([(A, [(5, 1.0)])]), rows_of([(A, [(5, 2.0)])])], first_wins)
    assert plain(block) == {A: [(5, value)]}


def row(
    floats: dict[int, float], native: dict[int, Hint], started: dict[int, int] | None = None
) -> Rows:
    """A row of the series A with floats and histograms by time, and start timestamps."""
    table = Histograms.of([Histogram(count=float(at), hint=hint) for at, hint in native.items()])
    times = np.array(list(native), np.int64)
    held = HistogramColumns(np.array([0, len(native)]), times, NO_STARTS, table)
    columns = Columns.frozen(
        np.array([0, len(floats)]),
        np.array(list(floats), np.int64),
        np.array(list(floats.values()), np.float64),
        held if native else None,
        NO_STARTS if started is None else np.array([started[at] for at in floats], np.int64),
    )
    return Rows((A,), columns, True)


def hints(block_of: list[Rows]) -> dict[int, Hint]:
    """The hints of the merged series by time."""
    native = merge(block_of, first_wins=True).columns().histograms
    assert native is not None
    found = zip(native.timestamps.tolist(), native.table.hint.tolist(), strict=True)
    return {time: Hint(hint) for time, hint in found}


SURE, UNSURE = Hint.NOT_RESET, Hint.UNKNOWN


def test_hints_are_lost_where_the_sample_before_came_from_elsewhere() -> None:
    ours = row({}, {1: UNSURE, 2: SURE, 5: SURE, 6: SURE})
    theirs = row({}, {3: UNSURE, 4: SURE, 7: Hint.GAUGE})
    assert hints([ours, theirs]) == {
        1: UNSURE,
        2: SURE,
        3: UNSURE,
        4: SURE,
        5: UNSURE,
        6: SURE,
        7: Hint.GAUGE,
    }


def test_a_float_of_another_series_makes_a_hint_doubtful() -> None:
    assert hints([row({}, {1: UNSURE, 3: SURE, 4: SURE}), row({2: 1.0}, {})]) == {
        1: UNSURE,
        3: UNSURE,
        4: SURE,
    }


def test_a_histogram_that_loses_to_a_float_decides_no_hint() -> None:
    ours = row({3: 1.0}, {1: UNSURE, 2: SURE})
    theirs = row({}, {3: UNSURE, 4: SURE, 5: SURE})
    assert hints([ours, theirs]) == {1: UNSURE, 2: SURE, 4: UNSURE, 5: SURE}


def test_a_histogram_that_loses_to_an_earlier_one_decides_no_hint() -> None:
    ours, theirs = row({}, {1: UNSURE, 2: SURE}), row({}, {2: UNSURE, 3: SURE})
    assert hints([ours, theirs]) == {1: UNSURE, 2: SURE, 3: UNSURE}


def test_pieces_with_histograms_in_order_are_not_copied_and_are_what_any_order_gives() -> None:
    first = Rows((A,), row({2: 1.0}, {1: UNSURE, 3: SURE, 4: UNSURE}).columns, True)
    second = Rows((B,), row({5: 1.0}, {}).columns, True)
    third = Rows((C,), row({}, {1: Hint.GAUGE, 7: SURE}).columns, True)
    block = merge([first, second, third], first_wins=True)
    assert [part.columns() for part in block.parts] == [
        piece.columns for piece in (first, second, third)
    ]
    found, other = block.columns(), merge([third, second, first], first_wins=True).columns()
    assert (found.offsets == other.offsets).all()
    assert found.histograms is not None
    assert other.histograms is not None
    assert found.histograms.timestamps.tolist() == other.histograms.timestamps.tolist()
    assert found.histograms.offsets.tolist() == other.histograms.offsets.tolist() == [0, 3, 3, 5]
    assert found.histograms.table.equal(other.histograms.table).all()
    assert found.histograms.table.hint.tolist() == other.histograms.table.hint.tolist()


def test_histograms_of_a_series_that_goes_on_in_the_next_piece_are_one_row() -> None:
    ours, theirs = row({}, {1: UNSURE, 2: SURE}), row({}, {3: SURE, 4: SURE})
    block = merge([ours, theirs], first_wins=True)
    assert len(block) == 1
    assert hints([ours, theirs]) == {1: UNSURE, 2: SURE, 3: UNSURE, 4: SURE}


def test_a_series_of_one_piece_keeps_its_hints() -> None:
    other = Rows((B,), row({1: 1.0}, {}).columns, True)
    assert hints([row({}, {4: SURE, 5: SURE}), other]) == {4: SURE, 5: SURE}


def test_start_timestamps_stay_with_their_samples() -> None:
    pieces_ = [row({5: 1.0, 7: 2.0}, {}, {5: 4, 7: 4}), row({6: 3.0, 8: 4.0}, {})]
    columns = merge(pieces_, first_wins=True).columns()
    assert columns.timestamps.tolist() == [5, 6, 7, 8]
    assert columns.created.tolist() == [4, 0, 4, 0]
