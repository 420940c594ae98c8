"""Words of 64 bits at any byte or bit position of a byte array.

Each function here is plain Python; inside compiled kernels it is one or two machine instructions.
Arrays that are read must have `PADDING` spare bytes behind the last byte that is meant.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.core.cgutils import create_struct_proxy
from numba.extending import intrinsic, overload

from bridge.kernel import inlined

# How far a decoder may read past the end of its data before it notices.
PADDING: Final = 32

Bytes = npt.NDArray[np.uint8]


def big_endian(data: Bytes, index: int) -> np.uint64:
    """The 8 bytes from `index` on, most significant first."""
    return np.uint64(data[index : index + 8].view(">u8")[0])


def little_endian(data: Bytes, index: int) -> np.uint64:
    """The 8 bytes from `index` on, least significant first."""
    return np.uint64(data[index : index + 8].view("<u8")[0])


def leading_zeros(word: np.uint64) -> int:
    """How many bits above the highest set one; 64 for 0."""
    return 64 - int(word).bit_length()


def trailing_zeros(word: np.uint64) -> int:
    """How many bits below the lowest set one; 64 for 0."""
    number = int(word)
    return (number & -number).bit_length() - 1 if number else 64


@inlined
def signed(word: np.uint64) -> int:
    """The int64 of the same bits; in plain Python too, where an int would not wrap around."""
    return np.int64(word)  # type: ignore[return-value]


@inlined
def unsigned(number: int) -> np.uint64:
    """The 64 bits of an int64."""
    return np.uint64(np.int64(number))


@inlined
def bits_at(data: Bytes, position: int) -> np.uint64:
    """The 64 bits from bit `position` on; the first byte's most significant is 0."""
    index, shift = position >> 3, np.uint64(position & 7)
    tail = np.uint64(data[index + 8]) >> (np.uint64(8) - shift)
    return (big_endian(data, index) << shift) | tail


def _load(swap: bool) -> Callable[..., Any]:
    """An intrinsic that loads an unaligned word of a little-endian machine, swapped or not."""

    def typed(context: Any, data: Any, index: Any) -> Any:
        return types.uint64(data, types.int64), generate

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        proxy: Any = create_struct_proxy
        array = proxy(signature.args[0])(context, builder, value=arguments[0])
        address = builder.gep(array.data, [arguments[1]])
        word = builder.bitcast(address, ir.IntType(64).as_pointer())
        loaded = builder.load(word, align=1)
        return builder.bswap(loaded) if swap else loaded

    return _intrinsic(typed)


def _count(name: str) -> Callable[..., Any]:
    """An intrinsic that counts zero bits: `ctlz` or `cttz`."""

    def typed(context: Any, word: Any) -> Any:
        return types.int64(types.uint64), generate

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return getattr(builder, name)(arguments[0], ir.Constant(ir.IntType(1), 0))

    return _intrinsic(typed)


def _intrinsic(typed: Callable[..., Any]) -> Callable[..., Any]:
    made: Callable[..., Any] = intrinsic(typed)
    return made


_big_endian = _load(swap=True)
_little_endian = _load(swap=False)
_leading_zeros = _count("ctlz")
_trailing_zeros = _count("cttz")

overload(big_endian)(lambda data, index: lambda data, index: _big_endian(data, index))  # noqa: PLW0108
overload(little_endian)(lambda data, index: lambda data, index: _little_endian(data, index))  # noqa: PLW0108
overload(leading_zeros)(lambda word: lambda word: _leading_zeros(word))  # noqa: PLW0108
overload(trailing_zeros)(lambda word: lambda word: _trailing_zeros(word))  # noqa: PLW0108
