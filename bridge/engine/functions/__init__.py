"""All PromQL functions: each is one record in the module of its kind, and they meet here."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType, ModuleType
from typing import Final

from bridge.engine.function import Function
from bridge.engine.functions import (
    clock,
    context,
    extrema,
    histogram,
    info,
    label,
    math,
    natural,
    over_time,
    quantile,
    rate,
    regression,
    shape,
    smoothing,
    sums,
)
from bridge.promql.ast import Signature


def table(modules: Iterable[ModuleType]) -> Mapping[str, Function]:
    """Every function that the modules declare, by its name in PromQL; read-only.

    Raises ValueError where two have the same name.
    """
    found: dict[str, Function] = {}
    for module in modules:
        for value in vars(module).values():
            if isinstance(value, Function) and found.setdefault(value.name, value) is not value:
                raise ValueError(f"two functions are named {value.name}")
    return MappingProxyType(found)


FUNCTIONS: Final = table(
    (
        clock,
        context,
        extrema,
        histogram,
        info,
        label,
        math,
        natural,
        over_time,
        quantile,
        rate,
        regression,
        shape,
        smoothing,
        sums,
    )
)


def signatures() -> Mapping[str, Signature]:
    """What the checker of expressions must know of every function."""
    return MappingProxyType({name: function.signature for name, function in FUNCTIONS.items()})
