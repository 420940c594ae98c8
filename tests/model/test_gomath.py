"""Tests of Go's mathematics: the results that Go 1.26 gives on amd64, to the bit."""

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.kernel import ElementwiseKernel
from bridge.model import gomath

# Lines of a function, its arguments and its result; most are where the C library differs.
VECTORS = Path(__file__).with_name("gomath_vectors.txt").read_text().splitlines()


def bits(value: float) -> bytes:
    return b"NaN" if np.isnan(value) else struct.pack(">d", value)


def kernel(name: str) -> ElementwiseKernel:
    found = getattr(gomath, name)
    assert isinstance(found, ElementwiseKernel)
    return found


@pytest.mark.parametrize("line", VECTORS)
def test_result_is_that_of_go(line: str) -> None:
    name, *numbers = line.split()
    *arguments, expected = map(float, numbers)
    assert bits(float(kernel(name)(*arguments))) == bits(expected)


def test_every_function_has_vectors() -> None:
    assert {line.split()[0] for line in VECTORS} == set(gomath.__all__)


@pytest.mark.parametrize("name", gomath.__all__)
@given(numbers=st.tuples(st.floats(), st.floats()))
def test_compiled_equals_python(name: str, numbers: tuple[float, float]) -> None:
    function = kernel(name)
    arguments = numbers[: function.arity]
    with np.errstate(all="ignore"):
        expected = float(function.py_func(*arguments))
    assert bits(float(function(*arguments))) == bits(expected)


def test_arrays_broadcast() -> None:
    powers = gomath.power(np.array([[2.0], [3.0]]), np.array([1.0, 2.0, 3.0]))
    assert powers.tolist() == [[2.0, 4.0, 8.0], [3.0, 9.0, 27.0]]
