"""Every float64 as Go's strconv writes it: against Python's own shortest form, bit by bit."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.api.encode import encode_data
from bridge.model.labels import EMPTY_LABELS
from bridge.model.samples import Float64s
from bridge.model.time import MAX_TIME, MIN_TIME, Steps
from tests.api.go_text import sample_text, time_text
from tests.api.results import matrix, samples


def written(values: Float64s) -> list[str]:
    """The values' texts, as they stand in the JSON of a range query."""
    encoded = encode_data(matrix([EMPTY_LABELS], values[None, :], Steps(0, len(values) - 1, 1)))
    (row,) = json.loads(encoded)["result"]
    return [text for _, text in row["values"]]


def assert_as_go(values: Float64s) -> None:
    differing = [
        (text, expected)
        for text, expected in zip(written(values), map(sample_text, values.tolist()), strict=True)
        if text != expected
    ]
    assert not differing[:5]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (-1.5, "-1.5"),
        (0.1, "0.1"),
        (0.1 + 0.2, "0.30000000000000004"),
        (100.0, "100"),
        (1e-6, "0.000001"),
        (-1.2345678901234567e-6, "-0.0000012345678901234567"),
        (9.999999999999997e-7, "9.999999999999997e-07"),
        (1e-7, "1e-07"),
        (1.5e-7, "1.5e-07"),
        (999999999999999900000.0, "999999999999999900000"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (-1.25e100, "-1.25e+100"),
        (5e-324, "5e-324"),
        (2.2250738585072014e-308, "2.2250738585072014e-308"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (2.0**53 - 1, "9007199254740991"),
        (2.0**53 + 2, "9007199254740994"),
        (float("inf"), "+Inf"),
        (float("-inf"), "-Inf"),
        (float("nan"), "NaN"),
    ],
)
def test_values_are_written_as_prometheus_writes_them(value: float, text: str) -> None:
    assert written(np.array([value])) == [text]


def test_every_nan_reads_nan() -> None:
    bits = np.array([0x7FF0000000000002, 0x7FF8000000000001, 0xFFF8000000000000], dtype=np.uint64)
    assert written(bits.view(np.float64)) == ["NaN"] * 3


def test_random_bit_patterns_are_written_as_by_go() -> None:
    bits = np.random.default_rng(1).integers(-(2**63), 2**63 - 1, 300_000, dtype=np.int64)
    assert_as_go(bits.view(np.float64))


def test_subnormals_are_written_as_by_go() -> None:
    bits = np.random.default_rng(2).integers(1, 1 << 52, 50_000, dtype=np.int64)
    shifted = bits >> np.random.default_rng(3).integers(0, 52, 50_000)
    assert_as_go(np.concatenate([bits, shifted]).view(np.float64))


def test_powers_and_their_neighbours_are_written_as_by_go() -> None:
    twos = 2.0 ** np.arange(-1074, 1024)
    tens = np.array([float(f"1e{power}") for power in range(-323, 309)])
    bits = np.concatenate([twos, tens]).view(np.int64)
    assert_as_go(np.concatenate([bits + step for step in range(-3, 4)]).view(np.float64))


@pytest.mark.parametrize("digits", range(1, 18))
def test_decimals_of_every_length_are_written_as_by_go(digits: int) -> None:
    rng = np.random.default_rng(digits)
    whole = rng.integers(10 ** (digits - 1), 10**digits, 4000).tolist()
    powers = rng.integers(-digits - 8, 23 - digits, 4000).tolist()
    texts = (f"{number}e{power}" for number, power in zip(whole, powers, strict=True))
    assert_as_go(np.array([float(text) for text in texts]))


def test_integers_of_every_size_are_written_as_by_go() -> None:
    rng = np.random.default_rng(4)
    numbers = rng.integers(-(2**63), 2**63 - 1, 50_000) >> rng.integers(0, 63, 50_000)
    assert_as_go(numbers.astype(np.float64))


@given(st.lists(st.floats(), min_size=1, max_size=50))
def test_any_float_is_written_as_by_go(values: list[float]) -> None:
    assert_as_go(np.array(values))


@given(st.lists(st.sampled_from([0.0, -0.0, 1.0, 1.5, float("nan")]), min_size=1, max_size=30))
def test_repeated_values_read_like_new_ones(values: list[float]) -> None:
    assert_as_go(np.array(values))


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (0, "0"),
        (1, "0.001"),
        (-1, "-0.001"),
        (1435781430781, "1435781430.781"),
        (1435781430100, "1435781430.100"),
        (1435781430010, "1435781430.010"),
        (1435781430000, "1435781430"),
        (-1435781430500, "-1435781430.500"),
        (MIN_TIME, "-9223309901257974"),
        (MAX_TIME, "9223309901257974.999"),
        (2**63 - 1, "9223372036854775.807"),
        (-(2**63) + 1, "-9223372036854775.807"),
    ],
)
def test_times_are_seconds_with_three_digits_or_none(time: int, text: str) -> None:
    encoded = encode_data(samples([EMPTY_LABELS], [[(time, 1.0)]]))
    assert b'"values":[[%s,"1"]]' % text.encode() in encoded


@given(st.lists(st.integers(-(2**63) + 1, 2**63 - 1), min_size=1, max_size=50))
def test_any_time_is_written_as_by_go(times: list[int]) -> None:
    encoded = encode_data(samples([EMPTY_LABELS], [[(time, 0.0) for time in times]]))
    points = ",".join(f'[{time_text(time)},"0"]' for time in times)
    assert f'"values":[{points}]' in encoded.decode()
