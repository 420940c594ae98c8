"""How kernels are compiled, and which there are.

A kernel is a plain Python function over arrays that numba compiles on first use, without the GIL,
without fastmath, with IEEE division. `bridge.kernel.disk` keeps its machine code. Where
NUMBA_DISABLE_JIT is set it stays plain Python, see `bridge.kernel.plain`.
"""

import importlib
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Generic, ParamSpec, TypeVar, cast

import numba
import numba.core.config
import numpy as np
import numpy.typing as npt
from numba import boolean, float64, int64, types, uint8

from bridge.kernel import disk, plain

P = ParamSpec("P")
R = TypeVar("R")

# Argument types of kernels: `_in` arrays are only read, `_out` arrays are written; C-contiguous.
u1_in: Final = types.Array(uint8, 1, "C", readonly=True)
i8_in: Final = types.Array(int64, 1, "C", readonly=True)
f8_in: Final = types.Array(float64, 1, "C", readonly=True)
b1_in: Final = types.Array(boolean, 1, "C", readonly=True)
i8_in2: Final = types.Array(int64, 2, "C", readonly=True)
f8_in2: Final = types.Array(float64, 2, "C", readonly=True)
b1_in2: Final = types.Array(boolean, 2, "C", readonly=True)
u1_out: Final = types.Array(uint8, 1, "C")
i8_out: Final = types.Array(int64, 1, "C")
f8_out: Final = types.Array(float64, 1, "C")
b1_out: Final = types.Array(boolean, 1, "C")
i8_out2: Final = types.Array(int64, 2, "C")
f8_out2: Final = types.Array(float64, 2, "C")
b1_out2: Final = types.Array(boolean, 2, "C")

_OPTIONS: Final[dict[str, Any]] = {
    "nogil": True,
    "error_model": "numpy",
    "fastmath": False,
}

disk.use()


class Kernel(Generic[P, R]):
    """A compiled function with one set of argument types; `py_func` is the same in plain Python."""

    def __init__(self, py_func: Callable[P, R], argument_types: tuple[Any, ...]) -> None:
        self.py_func = py_func
        self._types = argument_types

    @cached_property
    def _compiled(self) -> Callable[P, R]:
        if plain.WANTED:
            return plain.kernel(self.py_func, self._types)
        dispatcher = numba.njit(cache=True, **_OPTIONS)(self.py_func)
        dispatcher.compile(self._types)
        dispatcher.disable_compile()
        return cast("Callable[P, R]", dispatcher)

    def compile(self) -> None:
        """Compiles now, or loads from disk."""
        _ = self._compiled

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self._compiled(*args, **kwargs)


class WindowKernel:
    """A kernel that sees one window of one series, broadcast over all windows.

    The Python function is `f(ts, vs, lo, hi, start, end, time, *params, out, present)`: it reads
    `ts[lo:hi]` (int64 ms) and `vs[lo:hi]`, the window's bounds and the evaluation time (int64 ms),
    and one float64 per extra parameter; it sets `out[0]` and `present[0]`. No allocation, no numpy
    calls.
    """

    def __init__(self, py_func: Callable[..., None], params: int) -> None:
        self.py_func = py_func
        self.params = params

    @cached_property
    def _compiled(self) -> Callable[..., Any]:
        if plain.WANTED:
            return plain.of_windows(self.py_func, self.params)
        arrays = (int64[:], float64[:])
        scalars = (int64,) * 5 + (float64,) * self.params
        signature = types.void(*arrays, *scalars, float64[:], boolean[:])
        layout = "(n),(n)" + ",()" * len(scalars) + "->(),()"
        # numba gives every gufunc the numpy error model.
        declare = cast("Callable[..., Callable[..., Any]]", numba.guvectorize)
        make = declare([signature], layout, nopython=True, cache=True)
        return cast("Callable[..., Any]", make(self.py_func))

    def compile(self) -> None:
        """Compiles now, or loads from disk."""
        _ = self._compiled

    def __call__(
        self, *inputs: npt.NDArray[Any]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
        """Values float64 and presence bool, of the inputs' broadcast shape."""
        with np.errstate(all="ignore"):
            values, present = self._compiled(*inputs)
        return values, present


class ElementwiseKernel:
    """A kernel of one to three float64 that gives a float64, broadcast over arrays.

    Other number types are converted; the result has the inputs' broadcast shape.
    """

    def __init__(self, py_func: Callable[..., float], arity: int) -> None:
        self.py_func = py_func
        self.arity = arity

    @cached_property
    def _compiled(self) -> Callable[..., Any]:
        if plain.WANTED:
            return plain.of_elements(self.py_func, self.arity)
        # numba gives every ufunc the numpy error model.
        declare = cast("Callable[..., Callable[..., Any]]", numba.vectorize)
        make = declare([float64(*(float64,) * self.arity)], nopython=True, cache=True)
        return cast("Callable[..., Any]", make(self.py_func))

    def compile(self) -> None:
        """Compiles now, or loads from disk."""
        _ = self._compiled

    def __call__(self, *inputs: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """The function's value of every element."""
        with np.errstate(all="ignore"):
            return cast("npt.NDArray[np.float64]", self._compiled(*inputs))


_Any = Kernel[Any, Any] | WindowKernel | ElementwiseKernel

_REGISTRY: list[_Any] = []
_RARE: list[Kernel[Any, Any]] = []


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """A function that kernels call; its plain Python twin is `.py_func`."""
    # Without `forceinline` a call that passes an array counts references, atomically, each time.
    return _within(function, forceinline=True)


def called(function: Callable[P, R]) -> Callable[P, R]:
    """A longer function that kernels call, compiled once; its plain Python twin is `.py_func`."""
    return _within(function)


def _within(function: Callable[P, R], **options: Any) -> Callable[P, R]:
    if plain.WANTED:
        return plain.twin(function)
    return cast("Callable[P, R]", numba.njit(**options, **_OPTIONS)(function))


def kernel(*argument_types: Any) -> Callable[[Callable[P, R]], Kernel[P, R]]:
    """Declares an entry point from Python with these argument types."""

    def declare(function: Callable[P, R]) -> Kernel[P, R]:
        made = Kernel(function, argument_types)
        _REGISTRY.append(made)
        return made

    return declare


def rare_kernel(*argument_types: Any) -> Callable[[Callable[P, R]], Kernel[P, R]]:
    """The same for one that few queries need: a starting server compiles these last."""

    def declare(function: Callable[P, R]) -> Kernel[P, R]:
        made = Kernel(function, argument_types)
        _RARE.append(made)
        return made

    return declare


def window_kernel(params: int = 0) -> Callable[[Callable[..., None]], WindowKernel]:
    """Declares a kernel that sees one window; see WindowKernel."""

    def declare(function: Callable[..., None]) -> WindowKernel:
        made = WindowKernel(function, params)
        _REGISTRY.append(made)
        return made

    return declare


def elementwise_kernel(arity: int = 1) -> Callable[[Callable[..., float]], ElementwiseKernel]:
    """Declares a kernel that sees one element; see ElementwiseKernel."""

    def declare(function: Callable[..., float]) -> ElementwiseKernel:
        made = ElementwiseKernel(function, arity)
        _REGISTRY.append(made)
        return made

    return declare


class Extent(StrEnum):
    """Which kernels: those that nearly every query needs, or all."""

    COMMON = "common"
    ALL = "all"


def _mark(extent: Extent) -> Path:
    folder = Path(numba.core.config.CACHE_DIR)  # type: ignore[attr-defined]
    return folder / f"{disk.sources()}.{extent}"


def is_warm(extent: Extent) -> bool:
    """Whether the disk cache holds these kernels of exactly these sources."""
    return _mark(extent).exists()


def warm(extent: Extent, jobs: int = 1) -> Iterator[str]:
    """Compiles the kernels declared so far, or loads them from disk; yields each one's name.

    More than one job are child processes, which compile for the disk; nothing is loaded here then.
    """
    yield from _compiled(_REGISTRY, Extent.COMMON, jobs)
    if extent is Extent.ALL:
        yield from _compiled(_RARE, Extent.ALL, jobs)


def _compiled(kernels: Sequence[_Any], extent: Extent, jobs: int) -> Iterator[str]:
    # Of processes that start together one compiles; the others load what it made.
    with disk.alone(_mark(extent)):
        if jobs > 1:
            yield from _compiled_apart(kernels, jobs)
        else:
            for one in tuple(kernels):
                one.compile()
                yield _name(one)
        _mark(extent).touch()


def _compiled_apart(kernels: Sequence[_Any], jobs: int) -> Iterator[str]:
    modules, names = [one.py_func.__module__ for one in kernels], [_name(one) for one in kernels]
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=spawned) as pool:
        yield from pool.map(_compile, modules, names)


def _compile(module: str, name: str) -> str:
    importlib.import_module(module)
    next(one for one in (*_REGISTRY, *_RARE) if _name(one) == name).compile()
    return name


def _name(one: _Any) -> str:
    return f"{one.py_func.__module__}.{one.py_func.__qualname__}"
