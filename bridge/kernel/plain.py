"""Kernels as plain Python, where NUMBA_DISABLE_JIT is set: numpy checks every index then.

Compiled code computes with machine words. So that plain Python does, numbers are passed to it as
numpy's own: those wrap around, and divide by zero as IEEE says.
"""

from collections.abc import Callable
from typing import Any, Final

import numba.core.config
import numpy as np
from numba import types
from numba.core.registry import cpu_target
from numba.np.numpy_support import as_dtype

WANTED: Final = bool(numba.core.config.DISABLE_JIT)  # type: ignore[attr-defined]

# What numba knows of a value's type is not typed itself.
_numba: Any = numba


def twin(py_func: Callable[..., Any]) -> Callable[..., Any]:
    """The function itself, which it names as its plain Python twin."""
    itself: Any = py_func
    itself.py_func = py_func
    return py_func


def kernel(py_func: Callable[..., Any], argument_types: tuple[Any, ...]) -> Callable[..., Any]:
    """Called with these types of arguments only, as its compiled twin.

    Errors:
        TypeError: an argument is of another type.
    """

    def run(*arguments: Any) -> Any:
        passed = [_passed(*one) for one in zip(arguments, argument_types, strict=True)]
        with np.errstate(all="ignore"):
            return py_func(*passed)

    return run


def _passed(value: Any, wanted: Any) -> Any:
    given = _numba.typeof(value)
    if cpu_target.typing_context.can_convert(given, wanted) is None:
        raise TypeError(f"an argument is {given}, not {wanted}")
    return as_dtype(wanted).type(value) if isinstance(wanted, types.Number) else value


def of_windows(py_func: Callable[..., None], params: int) -> Callable[..., Any]:
    """Broadcast over windows: see `bridge.kernel.WindowKernel`."""

    def one(ts: Any, vs: Any, *numbers: Any) -> tuple[Any, Any]:
        out, present = np.zeros(1), np.zeros(1, np.bool_)
        py_func(ts, vs, *numbers, out, present)
        return out[0], present[0]

    dtypes = (np.int64, np.float64, *(np.int64,) * 5, *(np.float64,) * params)
    layout = "(n),(n)" + ",()" * (len(dtypes) - 2) + "->(),()"
    broadcast = np.vectorize(one, otypes=[np.float64, np.bool_], signature=layout)

    def run(*inputs: Any) -> tuple[Any, Any]:
        values, present = broadcast(*map(np.asarray, inputs, dtypes))
        return values[()], present[()]

    return run


def of_elements(py_func: Callable[..., float], arity: int) -> Callable[..., Any]:
    """Broadcast over elements: see `bridge.kernel.ElementwiseKernel`."""
    # Without a signature numpy would pass numbers of Python.
    layout = ",".join(["()"] * arity) + "->()"
    broadcast: Any = np.vectorize(py_func, otypes=[np.float64], signature=layout)
    return lambda *inputs: broadcast(*(np.asarray(one, np.float64) for one in inputs))[()]
