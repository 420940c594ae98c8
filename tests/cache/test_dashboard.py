"""One refresh of a dashboard, through the engine, the cache and real remote read."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from itertools import product

from bridge.api.encode import encode_data
from bridge.cache.samples import SampleCache
from bridge.engine.demands import TurnSettings
from bridge.engine.engine import Engine
from bridge.engine.query import EngineSettings, QueryOptions
from bridge.engine.stretch import Stretches, StretchShelf
from bridge.model.time import Steps
from tests.cache.asking import NAMES, World
from tests.cache.wired import Wired
from tests.cache.world import HOUR, SECOND

# 60 panels: nine selectors, ranges from none to an hour, steps of 15 s to 2 min.
FORMS = ("{}", "rate({}[1m])", "sum(increase({}[5m]))", "max_over_time({}[1h])", "-{}", "avg({})")
STEPS = (15, 20, 30, 60, 120)
PANELS = [
    (form.format(NAMES[at % len(NAMES)]), STEPS[at % len(STEPS)] * SECOND, (1 + at % 3) * HOUR)
    for at, (form, _) in enumerate(product(FORMS, range(10)))
]


async def test_sixty_panels_over_nine_selectors_are_nine_reads_of_the_store() -> None:
    world = World()
    wired = Wired(world.store)
    cache = SampleCache(wired, world.memory, "logged")
    with ThreadPoolExecutor(2) as workers:
        # Every panel is under way before the first one is done.
        settings = EngineSettings(turns=TurnSettings(len(PANELS)))
        stretches = Stretches(StretchShelf(32 << 20))
        engine = Engine(cache, settings, workers, stretches=stretches)
        known = 0

        async def ask(text: str, step: int, length: int, options: QueryOptions) -> bytes:
            nonlocal known
            end = world.clock.wall // step * step
            result = await engine.query(text, Steps(end - length, end, step), options)
            known += result.stats.known_steps
            return encode_data(result)

        for _ in range(8):
            before = len(world.store.asked)
            answers = await asyncio.gather(*(ask(*one, QueryOptions()) for one in PANELS))
            await cache.settled()
            assert len(world.store.asked) - before == len(NAMES)
            plain = [await ask(*one, QueryOptions(nocache=True)) for one in PANELS[::7]]
            assert answers[::7] == plain
            world.advance(30)
        engine.close()
    # From the third refresh on two thirds of all steps, for the newest ten minutes are not settled.
    steps = sum(length // step + 1 for _, step, length in PANELS)
    assert known > 6 * steps * 2 // 3
    assert len(PANELS) == 60
    await wired.aclose()
