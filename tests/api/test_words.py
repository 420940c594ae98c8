"""The machine instructions do what their plain Python twins do."""

from typing import Any

import numpy as np
import pytest
from numba import njit

from bridge.api.words import BLOCK, Bytes, copy_block, high_product, store_word

WORDS = [0, 1, 2**32 - 1, 2**32, 0xDEADBEEF12345678, 2**63, 2**64 - 1]


def _product(a: np.uint64, b: np.uint64) -> np.uint64:
    return high_product(a, b)


def _store(out: Bytes, index: int, word: np.uint64) -> None:
    store_word(out, index, word)


def _copy(out: Bytes, index: int, source: Bytes, start: int) -> None:
    copy_block(out, index, source, start)


compiled_product: Any = njit(_product)
compiled_store: Any = njit(_store)
compiled_copy: Any = njit(_copy)


@pytest.mark.parametrize("a", WORDS)
@pytest.mark.parametrize("b", WORDS)
def test_the_upper_half_of_a_product(a: int, b: int) -> None:
    expected = a * b >> 64
    assert int(high_product(np.uint64(a), np.uint64(b))) == expected
    assert int(compiled_product(np.uint64(a), np.uint64(b))) == expected


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("index", [0, 1, 7])
def test_a_word_is_stored_at_any_byte(word: int, index: int) -> None:
    plain, fast = np.zeros(16, np.uint8), np.zeros(16, np.uint8)
    store_word(plain, index, np.uint64(word))
    compiled_store(fast, index, np.uint64(word))
    assert plain.tobytes() == fast.tobytes()
    assert plain[index : index + 8].tobytes() == word.to_bytes(8, "little")


@pytest.mark.parametrize(("index", "start"), [(0, 3), (3, 0), (5, 5), (1, BLOCK)])
def test_a_block_may_overlap_its_source(index: int, start: int) -> None:
    source = np.arange(3 * BLOCK, dtype=np.uint8)
    plain, fast = source.copy(), source.copy()
    copy_block(plain, index, plain, start)
    compiled_copy(fast, index, fast, start)
    assert plain.tobytes() == fast.tobytes()
    assert plain[index : index + BLOCK].tobytes() == source[start : start + BLOCK].tobytes()
