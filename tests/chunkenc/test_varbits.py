"""Numbers of varying width: what is written is read back, in Prometheus' widths."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.chunkenc import varbits
from bridge.chunkenc.bits import PADDING

int64s = st.integers(-(2**63), 2**63 - 1) | st.integers(-300, 300)
positions = st.integers(0, 7)


def written(put: Callable[..., Any], position: int, number: Any) -> tuple[Any, int]:
    """The bytes with a number in them, room behind them, and the bit behind the number."""
    out = np.zeros(24 + PADDING, np.uint8)
    return out, int(put(out, position, number))


@given(int64s, positions)
def test_signed_numbers_come_back(number: int, position: int) -> None:
    for put, read in (
        (varbits.put_varbit_int, varbits.varbit_int),
        (varbits.put_varint, varbits.varint_at),
    ):
        out, behind = written(put, position, np.int64(number))
        assert read(out, position) == (number, behind)


@given(int64s, positions)
def test_unsigned_numbers_come_back_as_their_bits(number: int, position: int) -> None:
    out, behind = written(varbits.put_varbit_uint, position, number)
    assert varbits.varbit_uint(out, position) == (number, behind)
    out, behind = written(varbits.put_uvarint, position, np.uint64(number % 2**64))
    word, end = varbits.uvarint_at(out, position)
    assert (int(word), end) == (number % 2**64, behind)


@pytest.mark.parametrize(
    ("number", "width"),
    [
        (0, 1),
        (1, 5),
        (4, 5),
        (-3, 5),
        (5, 9),
        (-4, 9),
        (32, 9),
        (-31, 9),
        (33, 13),
        (256, 13),
        (257, 17),
        (2048, 17),
        (2049, 24),
        (131_072, 24),
        (131_073, 32),
        (16_777_216, 32),
        (16_777_217, 64),
        (2**55, 64),
        (2**55 + 1, 72),
        (-(2**63), 72),
    ],
)
def test_a_signed_number_takes_the_least_width_that_holds_it(number: int, width: int) -> None:
    _, behind = written(varbits.put_varbit_int, 0, number)
    assert behind == width


@pytest.mark.parametrize(
    ("number", "width"), [(0, 1), (7, 5), (8, 9), (63, 9), (64, 13), (2**56 - 1, 64), (-1, 72)]
)
def test_an_unsigned_number_takes_the_least_width_that_holds_it(number: int, width: int) -> None:
    _, behind = written(varbits.put_varbit_uint, 0, number)
    assert behind == width


def test_a_varint_that_does_not_end_within_ten_bytes_is_malformed() -> None:
    endless = np.full(10 + PADDING, 0xFF, np.uint8)
    assert varbits.uvarint_at(endless, 0)[1] == varbits.MALFORMED


@given(st.integers(1, 2**64 - 1), positions)
def test_a_changed_value_comes_back_through_its_window(changed: int, position: int) -> None:
    out = np.zeros(24 + PADDING, np.uint8)
    behind, leading, trailing = varbits.put_window(out, position, np.uint64(changed))
    assert varbits.fits(np.uint64(changed), leading, trailing)
    head = int.from_bytes(out[:16].tobytes(), "big") >> (128 - 64 - position) & (2**64 - 1)
    assert varbits.window(np.uint64(head)) == (leading, trailing)
    word, end = varbits.significant_bits(out, position + 11, leading, trailing)
    assert (int(word), end) == (changed, behind)
