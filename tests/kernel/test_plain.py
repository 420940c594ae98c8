"""Kernels as plain Python and with bounds checks: equal results, and no wrong index is missed."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numba import int64

from bridge.kernel import f8_in, f8_out, i8_in, plain

REPOSITORY = Path(__file__).parents[2]

BEHIND = """
import numpy as np
from bridge.chunkenc import bits
from bridge.kernel import i8_in, inlined, int64, kernel, window_kernel

@inlined
def one(values, index):
    return values[index]

@kernel(i8_in, int64)
def at(values, index):
    return one(values, index)

@window_kernel()
def newest(ts, vs, lo, hi, start, end, time, out, present):
    out[0] = vs[hi]
    present[0] = True

values, numbers = np.arange(3), np.zeros(5, np.int64)
print(at(values, 2))
for wrong in (lambda: at(values, 3), lambda: newest(values, values.astype(float), *np.full(5, 3))):
    try:
        wrong()
    except IndexError:
        print("IndexError")
"""


@pytest.mark.parametrize("variable", ["NUMBA_DISABLE_JIT", "NUMBA_BOUNDSCHECK"])
def test_an_index_behind_an_array_is_an_error(tmp_path: Path, variable: str) -> None:
    (tmp_path / "made.py").write_text(BEHIND)
    environment = {
        **os.environ,
        "NUMBA_DISABLE_JIT": "0",
        "PROMBRIDGE_KERNEL_CACHE": str(tmp_path),
        "PYTHONPATH": f"{tmp_path}:{REPOSITORY}",
        variable: "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", "import made"],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["2", "IndexError", "IndexError"]


def test_numbers_wrap_around_and_divide_as_compiled_ones() -> None:
    run = plain.kernel(lambda numbers, by: (numbers[0] * by, 1.0 / numbers[1]), (i8_in, int64))
    product, quotient = run(np.array([2**62, 0]), 3)
    assert product == -(2**62)
    assert quotient == np.inf


def test_arguments_of_another_type_are_refused() -> None:
    run = plain.kernel(lambda numbers, out: None, (f8_in, f8_out))
    run(np.zeros(1), np.zeros(1))
    with pytest.raises(TypeError, match=r"array\(int64, 1d, C\), not .*float64"):
        run(np.zeros(1, np.int64), np.zeros(1))


def test_elements_are_broadcast() -> None:
    run = plain.of_elements(lambda dividend, divisor: dividend / divisor, 2)
    with np.errstate(divide="ignore"):
        assert run([[1], [-1]], [0, 2]).tolist() == [[np.inf, 0.5], [-np.inf, -0.5]]
    assert run(3, 2) == 1.5
