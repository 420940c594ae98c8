"""Machine words in byte arrays: wide products, unaligned stores, small block copies.

Each function here is plain Python; inside kernels (bridge.kernel) it is one or two machine
instructions.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.core.cgutils import create_struct_proxy
from numba.extending import intrinsic, overload

Bytes = npt.NDArray[np.uint8]

# How many bytes `copy_block` moves; arrays need as many spare ones behind the last that is meant.
BLOCK: Final = 32


def high_product(a: np.uint64, b: np.uint64) -> np.uint64:
    """The upper 64 bits of the 128-bit product."""
    return np.uint64((int(a) * int(b)) >> 64)


def store_word(out: Bytes, index: int, word: np.uint64) -> None:
    """Writes 8 bytes from `index` on, least significant first."""
    out[index : index + 8] = np.frombuffer(int(word).to_bytes(8, "little"), np.uint8)


def copy_block(out: Bytes, index: int, source: Bytes, start: int) -> None:
    """Copies 32 bytes, all read before any is written, so that the two may overlap."""
    out[index : index + BLOCK] = source[start : start + BLOCK].copy()


def _address(context: Any, builder: Any, kind: Any, array: Any, index: Any, to: Any) -> Any:
    proxy: Any = create_struct_proxy
    data = proxy(kind)(context, builder, value=array).data
    return builder.bitcast(builder.gep(data, [index]), to.as_pointer())


def _typed_product(context: Any, a: Any, b: Any) -> Any:
    return types.uint64(types.uint64, types.uint64), _generate_product


def _generate_product(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    wide = ir.IntType(128)
    a, b = (builder.zext(one, wide) for one in arguments)
    return builder.trunc(builder.lshr(builder.mul(a, b), ir.Constant(wide, 64)), ir.IntType(64))


def _typed_store(context: Any, out: Any, index: Any, word: Any) -> Any:
    return types.void(out, types.int64, types.uint64), _generate_store


def _generate_store(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    out, index, word = arguments
    place = _address(context, builder, signature.args[0], out, index, ir.IntType(64))
    builder.store(word, place, align=1)
    return context.get_dummy_value()


def _typed_copy(context: Any, out: Any, index: Any, source: Any, start: Any) -> Any:
    return types.void(out, types.int64, source, types.int64), _generate_copy


def _generate_copy(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    out, index, source, start = arguments
    block = ir.VectorType(ir.IntType(8), BLOCK)
    origin = _address(context, builder, signature.args[2], source, start, block)
    place = _address(context, builder, signature.args[0], out, index, block)
    builder.store(builder.load(origin, align=1), place, align=1)
    return context.get_dummy_value()


def _intrinsic(typed: Callable[..., Any]) -> Callable[..., Any]:
    made: Callable[..., Any] = intrinsic(typed)
    return made


_high_product = _intrinsic(_typed_product)
_store_word = _intrinsic(_typed_store)
_copy_block = _intrinsic(_typed_copy)

# numba wants a function that gives the function to compile.
overload(high_product)(lambda a, b: lambda a, b: _high_product(a, b))  # noqa: PLW0108
overload(store_word)(
    lambda out, index, word: lambda out, index, word: _store_word(out, index, word)  # noqa: PLW0108
)
overload(copy_block)(
    lambda out, index, source, start: (
        lambda out, index, source, start: _copy_block(out, index, source, start)  # noqa: PLW0108
    )
)
