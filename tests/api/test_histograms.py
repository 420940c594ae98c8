"""Native histograms as JSON."""

import json
from dataclasses import replace

import numpy as np

from bridge.api.encode import at_most, encode_data, encode_labels, encode_pieces, many_pieces
from bridge.model.histogram import Histogram, HistogramCells, HistogramColumns, Histograms
from bridge.model.labels import EMPTY_LABELS, Labels, LabelTable
from bridge.model.samples import Float64s, Int64s
from bridge.model.time import Steps
from bridge.model.vectors import HistogramWindows, Matrix, Windows
from bridge.promql.ast import ValueType
from tests.api.go_text import sample_text
from tests.api.results import matrix, result, samples

UP = Labels.of({"__name__": "up"})
EXPONENTIAL = Histogram(
    count=6.5,
    sum=-1e-7,
    zero_count=2.0,
    zero_threshold=0.001,
    positive_spans=((0, 1), (1, 2)),
    positive=(1.0, 0.0, 2.0),
    negative_spans=((1, 1),),
    negative=(1.5,),
)
CUSTOM = Histogram(
    schema=-53,
    count=3.0,
    sum=float("inf"),
    positive_spans=((0, 3),),
    positive=(1.0, 1.0, 1.0),
    bounds=(0.5, 2.0),
)
EXPONENTIAL_TEXT = (
    b'{"count":"6.5","sum":"-1e-07","buckets":[[1,"-2","-1","1.5"],[3,"-0.001","0.001","2"],'
    b'[0,"0.5","1","1"],[0,"4","8","2"]]}'
)
CUSTOM_TEXT = (
    b'{"count":"3","sum":"+Inf","buckets":[[3,"-Inf","0.5","1"],[0,"0.5","2","1"],'
    b'[0,"2","+Inf","1"]]}'
)
BOTH = (CUSTOM, EXPONENTIAL)


def cells(index: list[list[int]], *held: Histogram) -> HistogramCells:
    return HistogramCells(np.array(index), Histograms.of(held))


def test_a_vector_holds_a_float_or_a_histogram() -> None:
    held = Matrix(
        LabelTable([UP, EMPTY_LABELS, EMPTY_LABELS]),
        np.array([[1.0], [0.0], [0.0]]),
        np.array([[True], [False], [False]]),
        histograms=cells([[-1], [1], [-1]], CUSTOM, EXPONENTIAL),
    )
    assert encode_data(result(ValueType.VECTOR, held, Steps.at(1500))) == (
        b'{"resultType":"vector","result":['
        b'{"metric":{"__name__":"up"},"value":[1.500,"1"]},'
        b'{"metric":{},"histogram":[1.500,%s]}]}' % EXPONENTIAL_TEXT
    )


def test_a_matrix_lists_histograms_behind_floats() -> None:
    shown = np.array([[True, False], [False, False]])
    whole = matrix([UP, EMPTY_LABELS], np.ones((2, 2)), Steps(1000, 2000, 1000), shown)
    assert isinstance(whole.value, Matrix)
    held = replace(whole.value, histograms=cells([[-1, 0], [0, 1]], CUSTOM, EXPONENTIAL))
    assert encode_data(replace(whole, value=held)) == (
        b'{"resultType":"matrix","result":['
        b'{"metric":{"__name__":"up"},"values":[[1,"1"]],"histograms":[[2,%s]]},'
        b'{"metric":{},"histograms":[[1,%s],[2,%s]]}]}'
        % (CUSTOM_TEXT, CUSTOM_TEXT, EXPONENTIAL_TEXT)
    )


def test_a_long_answer_with_histograms_is_written_in_pieces() -> None:
    """Rows of floats alone, of histograms alone, of both and of nothing."""
    random = np.random.default_rng(3)
    labels = [Labels.of({"n": str(row)}) for row in range(1200)]
    kinds = random.integers(0, 3, (1200, 50))
    kinds[::7], kinds[1::7], kinds[2::7] = 0, 1, 2
    whole = matrix(labels, random.random((1200, 50)), Steps(1000, 50_000, 1000), kinds == 1)
    held = cells(np.where(kinds == 2, random.integers(0, 2, (1200, 50)), -1).tolist(), *BOTH)
    assert isinstance(whole.value, Matrix)
    shown = replace(whole, value=replace(whole.value, histograms=held))
    pieces = [piece() for piece in encode_pieces(shown)]
    text = b"".join(pieces)
    assert many_pieces(shown)
    assert 8 < len(pieces) < 40
    assert len(text) <= at_most(shown)
    expected = [
        expected_row(labels[row], whole.value.values[row], held.index[row], kinds[row])
        for row in range(1200)
        if kinds[row].any()
    ]
    assert text == b'{"resultType":"matrix","result":[%s]}' % b",".join(expected)


def expected_row(name: Labels, values: Float64s, index: Int64s, kinds: Int64s) -> bytes:
    """A row written the slow way."""
    texts = (CUSTOM_TEXT, EXPONENTIAL_TEXT)
    floats = [
        b'[%d,"%s"]' % (at + 1, sample_text(values[at].item()).encode())
        for at in np.flatnonzero(kinds == 1).tolist()
    ]
    held = [b"[%d,%s]" % (at + 1, texts[index[at]]) for at in np.flatnonzero(kinds == 2).tolist()]
    parts = [b'"metric":' + encode_labels(name)]
    parts += [b'"values":[%s]' % b",".join(floats)] if floats else []
    parts += [b'"histograms":[%s]' % b",".join(held)] if held else []
    return b"{%s}" % b",".join(parts)


def test_a_short_answer_with_histograms_is_written_as_a_whole() -> None:
    held = Matrix(LabelTable([UP]), np.zeros((1, 1)), np.zeros((1, 1), np.bool_))
    held = replace(held, histograms=cells([[0]], CUSTOM))
    assert not many_pieces(result(ValueType.VECTOR, held, Steps.at(1500)))


def test_raw_histograms_keep_their_own_times() -> None:
    whole = samples([UP, EMPTY_LABELS], [[(1, 1.0)], []])
    assert isinstance(whole.value, Windows)
    table = Histograms.of([CUSTOM, EXPONENTIAL, CUSTOM])
    ends, times = np.array([0, 1, 3]), np.array([2, 3, 4])
    columns = HistogramColumns(ends, times, np.empty(0, np.int64), table)
    seen = HistogramWindows(columns, np.array([[0], [1]]), np.array([[1], [2]]))
    assert encode_data(replace(whole, value=replace(whole.value, histograms=seen))) == (
        b'{"resultType":"matrix","result":['
        b'{"metric":{"__name__":"up"},"values":[[0.001,"1"]],"histograms":[[0.002,%s]]},'
        b'{"metric":{},"histograms":[[0.003,%s]]}]}' % (CUSTOM_TEXT, EXPONENTIAL_TEXT)
    )


def test_a_histogram_without_buckets_lists_none() -> None:
    held = Matrix(
        LabelTable([EMPTY_LABELS]),
        np.zeros((1, 1)),
        np.zeros((1, 1), bool),
        histograms=cells([[0]], Histogram(sum=float("nan"))),
    )
    text = encode_data(result(ValueType.VECTOR, held, Steps.at(0)))
    (row,) = json.loads(text)["result"]
    assert row == {"metric": {}, "histogram": [0, {"count": "0", "sum": "NaN"}]}


def test_rows_with_nothing_at_the_end_leave_no_comma() -> None:
    held = Matrix(
        LabelTable([UP, EMPTY_LABELS]),
        np.zeros((2, 1)),
        np.zeros((2, 1), bool),
        histograms=cells([[0], [-1]], CUSTOM),
    )
    json.loads(encode_data(result(ValueType.MATRIX, held, Steps.at(0))))
