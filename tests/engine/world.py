"""A small world for the engine: series of every kind, cut into parts at will, and ways to ask."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from bridge.engine.engine import Engine
from bridge.engine.query import EngineSettings, QueryOptions, Result
from bridge.model.errors import BridgeError
from bridge.model.labels import Labels
from bridge.model.samples import DecodedPart, SeriesBlock
from bridge.model.time import Steps
from bridge.model.vectors import Matrix, Scalar, String, Windows
from bridge.promql.ast import (
    Expr,
    SubqueryExpr,
    VectorSelector,
    rewrite,
)
from bridge.storage.interface import Querier, ReadOptions, Select, Selection
from bridge.storage.memory import MemoryStore
from tests.promqltest.sequence import STALE

SECOND = 1000
MINUTE = 60 * SECOND
EVERYTHING = frozenset({"promql-experimental-functions", "promql-binop-fill-modifiers"})
SETTINGS = EngineSettings(features=EVERYTHING)

NAMES = ("requests_total", "temperature", "latency_bucket")
JOBS = ("api", "db")
INSTANCES = ("a:1", "b:1", "c:1")
BOUNDS = ("0.1", "1", "+Inf")


def series_names() -> list[Labels]:
    """Every label set of the world, in label order."""
    found = [
        Labels.of({"__name__": name, "job": job, "instance": instance})
        for name in NAMES[:2]
        for job in JOBS
        for instance in INSTANCES
    ]
    found += [
        Labels.of({"__name__": NAMES[2], "job": job, "le": bound})
        for job in JOBS
        for bound in BOUNDS
    ]
    return sorted(found)


def random_store(seed: int, length: int = 40, interval: int = 15 * SECOND) -> MemoryStore:
    """Series with gaps, resets, equal values, NaN, infinities and stale markers."""
    random = np.random.default_rng(seed)
    store = MemoryStore()
    for labels in series_names():
        times = np.arange(length) * interval + int(random.integers(-3000, 3000))
        values = np.cumsum(random.integers(0, 4, length)).astype(np.float64)
        values[int(random.integers(length)) :] -= random.integers(0, 20)
        if labels.get("__name__") == "temperature":
            values = random.choice([1.5, -2.0, 0.0, 3e300, 0.1], length)
            values[random.random(length) < 0.1] = np.nan
            values[random.random(length) < 0.03] = np.inf
        values[random.random(length) < 0.05] = STALE
        kept = random.random(length) < random.choice([0.3, 0.95, 1.0])
        store.append(labels, times[kept], values[kept])
    return store


@dataclass(frozen=True)
class Cut:
    """A store whose blocks come in parts; `every` gives the parts' lengths, again and again."""

    store: Querier
    every: tuple[int, ...]

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        """The store's answer in parts."""
        answer = await self.store.select(select, options)
        return replace(answer, block=cut(answer.block, self.every))


def cut(block: SeriesBlock, every: Sequence[int]) -> SeriesBlock:
    """The same block in parts of these lengths, which are repeated."""
    parts: list[DecodedPart] = []
    columns, start = block.columns(), 0
    while start < len(block):
        stop = min(len(block), start + every[len(parts) % len(every)])
        parts.append(DecodedPart(columns.rows(start, stop)))
        start = stop
    return SeriesBlock(block.labels, tuple(parts))


def ask(
    store: Querier,
    query: str,
    steps: Steps,
    settings: EngineSettings = SETTINGS,
    options: QueryOptions | None = None,
) -> Result:
    """The engine's result; raises what the engine raises."""
    with ThreadPoolExecutor(2) as workers:
        engine = Engine(store, settings, workers)
        try:
            return asyncio.run(engine.query(query, steps, options or QueryOptions()))
        finally:
            engine.close()


def answer(store: Querier, query: str, steps: Steps) -> Result | str:
    """The engine's result, or the text of its error."""
    try:
        return ask(store, query, steps)
    except BridgeError as error:
        return str(error)


Shown = dict[Labels, dict[int, bytes]]


def shown(result: Result) -> Shown:
    """Every point of a result, bit for bit but for the payload of NaN."""
    value = result.value
    times = result.steps.times().tolist()
    match value:
        case Scalar():
            return {Labels.of({}): dict(zip(times, _bits(value.values), strict=True))}
        case String():
            return {Labels.of({"value": value.value}): {}}
        case Windows():
            stamps, bits = value.columns.timestamps.tolist(), _bits(value.columns.values)
            spans = zip(value.labels, value.lo[:, 0].tolist(), value.hi[:, 0].tolist(), strict=True)
            return {
                labels: dict(zip(stamps[lo:hi], bits[lo:hi], strict=True))
                for labels, lo, hi in spans
            }
        case Matrix():
            assert len(set(value.labels)) == len(value)
            rows = zip(value.labels, value.values, value.present, strict=True)
            return {
                labels: {
                    time: bits
                    for time, bits, there in zip(times, _bits(row), present.tolist(), strict=True)
                    if there
                }
                for labels, row, present in rows
            }


def at(everything: Shown, time: int) -> Shown:
    """What is shown at one step."""
    return {labels: {time: row[time]} for labels, row in everything.items() if time in row}


def _bits(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> list[bytes]:
    return [value.tobytes() for value in np.where(np.isnan(values), np.nan, values)]


def without_bounds(expr: Expr) -> Expr:
    """The expression without `@ start()` and `@ end()`, which mean the query's own times."""
    expr = rewrite(expr, without_bounds)
    if isinstance(expr, VectorSelector | SubqueryExpr):
        return replace(expr, bound=None)
    return expr
