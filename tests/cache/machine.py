"""A cache, or several over one tier, over a store with a recorded past: what the laws move."""

import asyncio
import tempfile
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

import redis
from hypothesis.stateful import RuleBasedStateMachine

from bridge.cache.disk import DiskTier
from bridge.cache.memory import Memory
from bridge.cache.policy import Moment
from bridge.cache.samples import SampleCache
from bridge.cache.settings import CacheSettings
from bridge.model.errors import StoreError
from bridge.storage.interface import ReadOptions, Select
from tests.cache.conftest import PATIENCE, Make, patient
from tests.cache.given import Given, GivenAgain
from tests.cache.replicas import Process
from tests.cache.wired import Wired
from tests.cache.world import Clock, LoggedStore, Reading, Samples, contents, unexplained

T = TypeVar("T")


class CacheWorld(RuleBasedStateMachine):
    """A cache and the truth it must tell; `steps` counts those of all machines."""

    steps = 0
    stood = 0
    joined = 0

    valkey = ""
    folder = Path()

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.clock = Clock()
        self.store = LoggedStore(self.clock)
        self.wired = Wired(self.store)
        self.settings = CacheSettings()
        self.tier: Make | None = None
        self.processes: list[Process] = []
        self.given = GivenAgain()

    @property
    def memory(self) -> Memory:
        return self.processes[0].memory

    @property
    def cache(self) -> SampleCache:
        return self.processes[0].cache

    def teardown(self) -> None:
        CacheWorld.stood += self.given.stood
        CacheWorld.joined += self.given.joined
        for process in self.processes:
            self.run(process.aclose())
        self.run(self.wired.aclose())
        self.runner.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def tiers(self, name: str | None) -> Make | None:
        if name == "disk":
            folder = Path(tempfile.mkdtemp(dir=self.folder))
            return lambda: DiskTier(folder, 1 << 20, lambda: self.clock.wall / 1000, None, PATIENCE)
        if name == "valkey":
            with redis.Redis.from_url(self.valkey) as client:
                client.flushall()
            return lambda: patient(self.valkey)
        return None

    def started(self) -> Process:
        tier = None if self.tier is None else self.tier()
        return Process(self.wired, self.clock, self.settings, tier)

    async def asked(self, select: Select, how: ReadOptions, settle: bool = True) -> None:
        moment, asked = self.clock(), len(self.store.asked)
        before = tuple(self.store.readings)
        try:
            selection = await self.cache.select(select, how)
        except StoreError:
            return
        if not selection.warnings:
            answer, readings = contents(selection.block), self.store.readings
            if how.nocache:
                readings = [one for one in readings if one not in before]
                assert len(self.store.asked) > asked
            self.check(answer, select, readings, moment, how.fresh)
            if warranties := selection.provenance.warranties:
                given = Given(self.processes[0], select, answer, warranties)
                await self.given.add(given)
        if settle:
            await self.cache.settled()

    async def given_again(self) -> None:
        moment = self.clock()
        for one in await self.given.standing():
            self.check(one.answer, one.select, self.store.readings, moment, fresh=False)

    def check(
        self, answer: Samples, select: Select, readings: Sequence[Reading], at: Moment, fresh: bool
    ) -> None:
        """What is answered is what the store said at a moment that counts."""
        truth, outlived = self.store.truth(select), self.tier is not None
        faults = unexplained(answer, truth, readings, (at, fresh), self.settings, outlived=outlived)
        assert not faults, (select, fresh, faults[:3])
