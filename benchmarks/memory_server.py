"""`python -m benchmarks.memory_server PORT INTERVALS NATIVE`: prombridge over a store in memory."""

import asyncio
import sys
from collections.abc import Sequence

import uvicorn

from benchmarks.promql_cases import data
from bridge.api.routes import application
from bridge.engine.query import EngineSettings
from bridge.model.histogram import Histograms
from bridge.model.labels import Labels
from bridge.storage.memory import MemoryStore
from tests.api import world
from tests.oracle.series import SeriesData


def _store(intervals: int, native: int) -> MemoryStore:
    made, store = data(intervals, native), MemoryStore()
    for one in (*made.series, *made.native):
        labels = Labels.of(one.labels)
        if isinstance(one, SeriesData):
            store.append(labels, one.timestamps, one.values)
        else:
            store.append_histograms(labels, one.timestamps, Histograms.of(one.histograms))
    return store


async def _serve(port: int, intervals: int, native: int) -> None:
    features = frozenset({"promql-experimental-functions"})
    limits = EngineSettings(features=features)
    async with world.api(_store(intervals, native), limits=limits) as api:
        config = uvicorn.Config(application(api), port=port, log_level="warning", loop="uvloop")
        await uvicorn.Server(config).serve()


def main(arguments: Sequence[str]) -> int:
    """Serves until it is ended."""
    port, intervals, native = map(int, arguments)
    asyncio.run(_serve(port, intervals, native))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
