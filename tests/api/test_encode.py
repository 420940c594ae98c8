"""Results as JSON, byte for byte what Prometheus writes."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.api.encode import at_most, encode_data, encode_labels, encode_pieces
from bridge.model.labels import EMPTY_LABELS, Labels, LabelTable
from bridge.model.samples import Float64s
from bridge.model.time import Steps
from bridge.model.valued_labels import ValuedLabels
from bridge.model.vectors import Bools, Matrix, Scalar, String, Windows
from bridge.promql.ast import ValueType
from tests.api.go_text import sample_text, time_text
from tests.api.results import matrix, result, samples, vector

UP = Labels.of({"job": "node", "__name__": "up"})


def test_a_vector_has_one_value_a_row() -> None:
    assert encode_data(vector([UP, EMPTY_LABELS], [1.0, 0.25], 1435781430781)) == (
        b'{"resultType":"vector","result":['
        b'{"metric":{"__name__":"up","job":"node"},"value":[1435781430.781,"1"]},'
        b'{"metric":{},"value":[1435781430.781,"0.25"]}]}'
    )


def test_a_matrix_leaves_out_the_steps_that_are_not_present() -> None:
    values = np.array([[1.0, 2.0, 2.0], [np.nan, 5.0, -0.0]])
    present = np.array([[True, False, True], [False, True, True]])
    assert encode_data(matrix([UP, EMPTY_LABELS], values, Steps(1000, 2000, 500), present)) == (
        b'{"resultType":"matrix","result":['
        b'{"metric":{"__name__":"up","job":"node"},"values":[[1,"1"],[2,"2"]]},'
        b'{"metric":{},"values":[[1.500,"5"],[2,"-0"]]}]}'
    )


def test_raw_samples_keep_their_own_times() -> None:
    assert encode_data(samples([UP, EMPTY_LABELS], [[(1, 1.0), (5000, 1.0)], [(-7, 1e21)]])) == (
        b'{"resultType":"matrix","result":['
        b'{"metric":{"__name__":"up","job":"node"},"values":[[0.001,"1"],[5,"1"]]},'
        b'{"metric":{},"values":[[-0.007,"1e+21"]]}]}'
    )


def test_raw_samples_outside_of_the_window_are_left_out() -> None:
    whole = samples([UP], [[(1000, 1.0), (2000, 2.0), (3000, 3.0)]])
    assert isinstance(whole.value, Windows)
    within = replace(whole.value, lo=np.array([[1]]), hi=np.array([[2]]))
    assert b'"values":[[2,"2"]]}' in encode_data(replace(whole, value=within))


@pytest.mark.parametrize("kind", [ValueType.VECTOR, ValueType.MATRIX])
def test_an_empty_result_is_an_empty_list(kind: ValueType) -> None:
    empty = result(kind, Matrix.empty(1), Steps.at(0))
    assert encode_data(empty) == b'{"resultType":"%s","result":[]}' % kind.value.encode()
    assert encode_data(samples([], [])) == b'{"resultType":"matrix","result":[]}'


@pytest.mark.parametrize(
    ("value", "time", "pair"),
    [
        (1.0, 1435781430781, b'[1435781430.781,"1"]'),
        (1.0, 1435781430100, b'[1435781430.1,"1"]'),
        (1e21, 1000, b'[1,"1000000000000000000000"]'),
        (1e-7, -500, b'[-0.5,"0.0000001"]'),
        (float("nan"), 0, b'[0,"NaN"]'),
        (float("-inf"), 0, b'[0,"-Inf"]'),
        (-0.0, 0, b'[0,"-0"]'),
    ],
)
def test_a_scalar_has_a_plain_time_and_no_exponent(value: float, time: int, pair: bytes) -> None:
    scalar = result(ValueType.SCALAR, Scalar(np.array([value])), Steps.at(time))
    assert encode_data(scalar) == b'{"resultType":"scalar","result":%s}' % pair


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a", "a"),
        ('"\\/', r"\"\\/"),
        ("<a href='x'>&", r"\u003ca href='x'\u003e\u0026"),
        ("\b\f\n\r\t\x01\x7f", r"\b\f\n\r\t\u0001" + "\x7f"),
        ("\u2028é\U0001f600", r"\u2028é" + "\U0001f600"),
        ("\udcff\udc80", r"\ufffd\ufffd"),
    ],
)
def test_a_string_is_escaped_for_html(text: str, shown: str) -> None:
    string = result(ValueType.STRING, String(text), Steps.at(1500))
    expected = f'{{"resultType":"string","result":[1.5,"{shown}"]}}'
    assert encode_data(string) == expected.encode()


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("plain", b"plain"),
        ('"\\/', rb"\"\\/"),
        ("<>&'\u2028é\U0001f600", "<>&'\u2028é\U0001f600".encode()),
        ("\n\r\t", rb"\n\r\t"),
        ("\b\f\x00\x1f\x7f", rb"\u0008\u000c\u0000\u001f" + b"\x7f"),
        ("\\b \\f", rb"\\b \\f"),
        ("a\udcff\udcc3(", b"a\xff\xc3("),
    ],
)
def test_labels_escape_only_what_json_requires(value: str, shown: bytes) -> None:
    assert encode_labels(Labels.of({"l": value})) == b'{"l":"%s"}' % shown
    assert encode_labels(Labels.of({value: "v"})) == b'{"%s":"v"}' % shown


def test_labels_stand_in_name_order() -> None:
    assert encode_labels(Labels.of({"b": "2", "a": "1"})) == b'{"a":"1","b":"2"}'
    assert encode_labels(EMPTY_LABELS) == b"{}"


@given(st.dictionaries(st.text(min_size=1), st.text(min_size=1), max_size=4))
def test_any_labels_read_back(labels: dict[str, str]) -> None:
    assert json.loads(encode_labels(Labels.of(labels))) == labels


@pytest.mark.parametrize("name", ["m", 'ö"', "b"])
def test_labels_that_differ_in_a_value_are_written_as_any(name: str) -> None:
    groups = LabelTable(map(Labels.of, ({}, {"a": "<"}, {"z": "\x08"}, {"a": "\udcff", "z": "1"})))
    texts = sorted(["1", "+Inf", '{count:1, sum:2, [1,2):"3"}', "é\n", "\\"])
    group_of, text_of = np.divmod(np.arange(20), 5)
    table = ValuedLabels(groups, name, texts, group_of, text_of)
    shown = matrix([], np.ones((20, 1)), Steps(0, 0, 1))
    assert isinstance(shown.value, Matrix)
    written = [
        encode_data(replace(shown, value=shown.value.relabelled(labels)))
        for labels in (table, LabelTable(table.rows))
    ]
    lengths = [
        at_most(replace(shown, value=shown.value.relabelled(labels)))
        for labels in (table, LabelTable(table.rows))
    ]
    assert written[0] == written[1]
    assert lengths[0] == lengths[1]


def test_pieces_join_to_the_whole_whatever_their_size() -> None:
    rng = np.random.default_rng(5)
    labels = [Labels.of({"n": "x" * int(size)}) for size in rng.integers(1, 500, 1500)]
    values, present = rng.random((1500, 240)), rng.random((1500, 240)) < 0.7
    present[::9] = False
    steps = Steps(0, 239 * 15_000, 15_000)
    shown = matrix(labels, values, steps, present)
    pieces = [piece() for piece in reversed(list(encode_pieces(shown)))]
    assert len(pieces) > 10
    assert b"".join(reversed(pieces)) == encode_data(shown)
    assert len(encode_data(shown)) <= at_most(shown) < 4 * len(encode_data(shown))
    assert encode_data(shown).decode() == plain(labels, values, present, steps)


def plain(labels: list[Labels], values: Float64s, present: Bools, steps: Steps) -> str:
    """The same result written the slow way."""
    rows = []
    for held, line, shown in zip(labels, values.tolist(), present.tolist(), strict=True):
        points = ",".join(
            f'[{time_text(time)},"{sample_text(value)}"]'
            for time, value, here in zip(steps.times().tolist(), line, shown, strict=True)
            if here
        )
        if points:
            rows.append(f'{{"metric":{encode_labels(held).decode()},"values":[{points}]}}')
    return f'{{"resultType":"matrix","result":[{",".join(rows)}]}}'


def test_rows_of_raw_samples_may_differ_in_length() -> None:
    rng = np.random.default_rng(6)
    lengths = [*rng.integers(0, 3000, 60).tolist(), 40_000, 0]
    rows = [[(step * 1000, float(step)) for step in range(length)] for length in lengths]
    labels = [Labels.of({"n": str(index)}) for index in range(len(rows))]
    encoded = json.loads(encode_data(samples(labels, rows)))["result"]
    kept = [(index, length) for index, length in enumerate(lengths) if length]
    assert [(row["metric"]["n"], len(row["values"])) for row in encoded] == [
        (str(index), length) for index, length in kept
    ]
    assert all(
        row["values"][-1] == [len(row["values"]) - 1, str(len(row["values"]) - 1)]
        for row in encoded
    )


def test_values_need_not_be_contiguous() -> None:
    values = np.arange(12.0).reshape(3, 4).T
    encoded = encode_data(matrix([UP] * 4, values, Steps(0, 2, 1)))
    texts = [[text for _, text in row["values"]] for row in json.loads(encoded)["result"]]
    assert texts == [[str(int(value)) for value in row] for row in values]
