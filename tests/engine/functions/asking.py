"""Asking an engine over a few literal series."""

import asyncio
import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from bridge.engine.engine import Engine
from bridge.engine.query import EngineSettings, QueryOptions, Result
from bridge.model.labels import Labels
from bridge.model.time import Steps
from bridge.model.vectors import Matrix, Scalar
from bridge.promql.ast import VectorSelector
from bridge.promql.parser import parse
from bridge.storage.memory import MemoryStore

MINUTE = 60_000
EXPERIMENTAL = frozenset({"promql-experimental-functions"})
NAN, INF = math.nan, math.inf

Values = Sequence[float | None]


def labels(selector: str) -> Labels:
    """The label set that a selector like `x{a="1"}` names."""
    expr = parse(selector, {})
    assert isinstance(expr, VectorSelector)
    return Labels.of((matcher.name, matcher.value) for matcher in expr.matchers)


def ask(
    series: Mapping[str, Values],
    query: str,
    steps: Steps | None = None,
    features: frozenset[str] = EXPERIMENTAL,
) -> Result:
    """The engine's result at `steps`, by default at the time of the last sample.

    The values of a series are a minute apart, from time 0 on; None is no sample.
    """
    store = MemoryStore()
    for name, values in series.items():
        kept = [(n * MINUTE, value) for n, value in enumerate(values) if value is not None]
        store.append(labels(name), [time for time, _ in kept], [value for _, value in kept])
    last = max((len(values) for values in series.values()), default=1) - 1
    with ThreadPoolExecutor(1) as workers:
        engine = Engine(store, EngineSettings(features=features), workers)
        try:
            return asyncio.run(
                engine.query(query, steps or Steps.at(last * MINUTE), QueryOptions())
            )
        finally:
            engine.close()


def minutes(start: float, end: float, step: float = 1) -> Steps:
    """A range query from minute `start` to minute `end`."""
    return Steps(round(start * MINUTE), round(end * MINUTE), round(step * MINUTE))


def rows(result: Result) -> dict[str, list[float | None]]:
    """Each row's values, None where it is absent; labels as Prometheus writes them."""
    if isinstance(result.value, Scalar):
        return {"": list(result.value.values.tolist())}
    matrix = result.value
    assert isinstance(matrix, Matrix)
    return {
        repr(name): [value if shown else None for value, shown in zip(row, there, strict=True)]
        for name, row, there in zip(
            matrix.labels, matrix.values.tolist(), matrix.present.tolist(), strict=True
        )
    }


def value(series: Mapping[str, Values], query: str) -> float | None:
    """The one value of an instant query; None if there is none."""
    found = rows(ask(series, query))
    assert len(found) <= 1
    return next(iter(found.values()))[0] if found else None


def same(one: float | None, other: float | None) -> bool:
    """Whether two values are the same number, sign of zero included, or both NaN or absent."""
    if one is None or other is None:
        return one is other
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    return one == other and math.copysign(1.0, one) == math.copysign(1.0, other)
