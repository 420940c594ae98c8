"""Words at any position: the compiled functions and their plain twins are the same."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import int64

from bridge.chunkenc.bits import (
    PADDING,
    Bytes,
    big_endian,
    bits_at,
    leading_zeros,
    little_endian,
    signed,
    trailing_zeros,
)
from bridge.kernel import i8_out, kernel, u1_in


@kernel(u1_in, int64, i8_out)
def _compiled(data: Bytes, index: int, out: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> None:
    word = big_endian(data, index)
    out[0] = signed(word)
    out[1] = signed(little_endian(data, index))
    out[2] = leading_zeros(word)
    out[3] = trailing_zeros(word)


def _padded(content: bytes) -> Bytes:
    return np.frombuffer(content + bytes(PADDING), np.uint8)


@given(content=st.binary(min_size=1, max_size=40), at=st.integers(0, 39))
def test_compiled_words_are_the_plain_ones(content: bytes, at: int) -> None:
    data, index = _padded(content), at % len(content)
    plain, compiled = np.zeros(4, np.int64), np.zeros(4, np.int64)
    _compiled(data, index, compiled)
    _compiled.py_func(data, index, plain)
    assert compiled.tolist() == plain.tolist()


@given(content=st.binary(min_size=1, max_size=20), at=st.integers(0, 159))
def test_bits_start_at_any_position(content: bytes, at: int) -> None:
    position = at % (len(content) * 8)
    whole = int.from_bytes(content + bytes(PADDING), "big")
    expected = (whole >> ((len(content) + PADDING) * 8 - position - 64)) & (2**64 - 1)
    assert int(bits_at(_padded(content), position)) == expected


@pytest.mark.parametrize(
    ("word", "leading", "trailing"), [(0, 64, 64), (1, 63, 0), (2**63, 0, 63), (0b1100, 60, 2)]
)
def test_zero_bits_are_counted(word: int, leading: int, trailing: int) -> None:
    assert leading_zeros(np.uint64(word)) == leading
    assert trailing_zeros(np.uint64(word)) == trailing
