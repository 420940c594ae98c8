"""What each arithmetic and comparison operator does to numbers, element by element."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from bridge.model.gomath import arctangent2, modulo, power
from bridge.model.samples import Float64s
from bridge.model.vectors import Bools

ARITHMETIC: Final[Mapping[str, Callable[[Float64s, Float64s], Float64s]]] = MappingProxyType(
    {
        "+": np.add,
        "-": np.subtract,
        "*": np.multiply,
        "/": np.divide,
        "%": modulo,
        "^": power,
        "atan2": arctangent2,
    }
)

COMPARISONS: Final[Mapping[str, Callable[[Float64s, Float64s], Bools]]] = MappingProxyType(
    {
        "==": np.equal,
        "!=": np.not_equal,
        "<": np.less,
        "<=": np.less_equal,
        ">": np.greater,
        ">=": np.greater_equal,
    }
)

# They cut buckets off native histograms; floats they only throw away.
TRIMS: Final = frozenset({"</", ">/"})

SET_OPERATORS: Final = frozenset({"and", "or", "unless"})
