"""The laws of the cache, over a store with a recorded past: what is answered is what the store
said, at a moment that still counts.
"""

import asyncio
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from bridge.cache.plain import Plain
from bridge.cache.settings import CacheSettings
from bridge.model.labels import Labels, Matcher
from bridge.model.time import Window
from bridge.storage.interface import ReadOptions, Select
from tests.cache.machine import CacheWorld
from tests.cache.strategies import (
    BUDGETS,
    SERIES,
    VALUES,
    ages,
    jitters,
    lengths,
    options,
    selectors,
    series,
)
from tests.cache.wired import Damage
from tests.cache.world import (
    HISTOGRAMS,
    HOUR,
    MINUTE,
    SECOND,
    disjoint,
)

# 5,200 steps; `make laws` takes 200,000. A seed that ever found a fault stays.
SEEDS = tuple(map(int, os.environ.get("CACHE_SEEDS", "1 2").split()))
EXAMPLES = int(os.environ.get("CACHE_EXAMPLES", "52"))
STEPS = 50


class CacheMachine(CacheWorld):
    """What may happen to a cache and to its store, and what holds always."""

    @initialize(
        budget=st.sampled_from(BUDGETS),
        hours=st.sampled_from([0, 2, 4]),
        tier=st.sampled_from([None, "disk", "valkey"]),
    )
    def begin(self, budget: int, hours: int, tier: str | None) -> None:
        self.settings = CacheSettings(max_bytes=budget)
        self.tier = self.tiers(tier)
        # What replicas share a Valkey for; nobody else writes into a process' folder.
        self.processes = [self.started() for _ in range(2 if tier == "valkey" else 1)]
        for at, one in enumerate(SERIES):
            first = self.clock.wall - hours * HOUR + at * 7 * SECOND
            times = range(first, self.clock.wall, MINUTE)
            self.store.put(one, {time: float(time % 977) for time in times})

    @rule()
    def restart(self) -> None:
        gone, self.processes[0] = self.processes[0], self.started()
        self.run(gone.aclose())
        self.given.forget(gone)

    @rule()
    def ask_the_other(self) -> None:
        self.processes.reverse()

    # What happens to the store.

    @rule(one=series, count=st.integers(1, 5), value=VALUES)
    def append(self, one: Labels, count: int, value: float) -> None:
        now = self.clock.wall
        self.store.put(one, {now - at * 15 * SECOND: value for at in range(count)})

    @rule(one=series, age=ages, jitter=jitters, value=VALUES)
    def append_late(self, one: Labels, age: int, jitter: int, value: float) -> None:
        self.store.put(one, {self.clock.wall - age - jitter: value})

    @rule(one=series, age=ages, count=st.integers(2, 300), value=VALUES)
    def backfill(self, one: Labels, age: int, count: int, value: float) -> None:
        end = self.clock.wall - age
        self.store.put(one, {end - at * 15 * SECOND - 1: value for at in range(count)})

    @rule(one=series, age=ages, count=st.integers(1, 5), number=st.integers(0, 5))
    def append_native(self, one: Labels, age: int, count: int, number: int) -> None:
        end, kinds = self.clock.wall - age, len(HISTOGRAMS)
        times = [end - at * 15 * SECOND for at in range(count)]
        self.store.put_native(one, {time: (number + time) % kinds for time in times})

    @rule(one=series, age=ages)
    def go_stale(self, one: Labels, age: int) -> None:
        time = self.clock.wall - age
        self.store.put(one, {})
        self.store.data[one][time] = 0x7FF0000000000002

    @rule(conditions=selectors, age=ages, length=lengths)
    def delete(self, conditions: tuple[Matcher, ...], age: int, length: int) -> None:
        end = self.clock.wall - age
        self.store.delete(conditions, Window(end - length, end))

    @rule(count=st.integers(1, 2))
    def fail(self, count: int) -> None:
        self.store.failing = count

    @rule()
    def answer_half(self) -> None:
        self.wired.halves = 1

    @rule(damage=st.sampled_from(Damage), share=st.floats(0, 1, exclude_max=True))
    def damage(self, damage: Damage, share: float) -> None:
        self.wired.wire.damages.append((damage, share))

    # What happens to time and to the cache.

    @rule(seconds=st.sampled_from([0.4, 1, 15, 60, 300, 601, 3600, 90_000]))
    def advance(self, seconds: float) -> None:
        self.clock.advance(round(seconds * SECOND))

    @rule(hours=st.sampled_from([-1, 1]))
    def set_clock(self, hours: int) -> None:
        self.clock.wall += hours * HOUR

    @rule()
    def evict(self) -> None:
        self.memory.evict()

    @rule(conditions=selectors, age=ages, length=lengths)
    def purge(self, conditions: tuple[Matcher, ...], age: int, length: int) -> None:
        end = self.clock.wall - age
        self._purge(conditions, Window(end - length, end))

    def _purge(self, conditions: tuple[Matcher, ...], window: Window) -> None:
        self.run(self.cache.purge(conditions, window))
        self.store.purged(conditions, window)

    @rule(
        one=series,
        conditions=selectors,
        then=selectors,
        age=ages,
        length=lengths,
        hours=st.sampled_from([0, 0, -1, 1]),
    )
    def purge_and_purge_again(
        self,
        one: Labels,
        conditions: tuple[Matcher, ...],
        then: tuple[Matcher, ...],
        age: int,
        length: int,
        hours: int,
    ) -> None:
        """What was read since a purge is purged like all else, whatever the clock says by then."""
        end = self.clock.wall - age
        window, select = Window(end - length, end), Select(conditions, end - length, end)
        for purged, back in ((conditions, 0), (then, hours)):
            self.run(self.asked(select, ReadOptions()))
            self.store.put(one, {end - length // 2: float(len(self.store.asked))})
            self.set_clock(back)
            self._purge(purged, window)
            self.set_clock(-back)
        self.run(self.asked(select, ReadOptions()))

    # What is asked.

    @rule(conditions=selectors, age=ages, jitter=jitters, length=lengths, how=options)
    def ask(
        self, conditions: tuple[Matcher, ...], age: int, jitter: int, length: int, how: ReadOptions
    ) -> None:
        end = self.clock.wall - age - jitter
        self.run(self.asked(Select(conditions, end - length, end), how))

    @rule(
        one=series,
        conditions=selectors,
        then=st.one_of(st.none(), selectors),
        since=ages,
        age=ages,
        length=lengths,
        seconds=st.sampled_from([0.4, 1, 1.1, 15, 300, 601, 4000, 90_000]),
        hours=st.sampled_from([0, 0, 0, 0, -1, 1]),
        half=st.sampled_from([0, 0, 0, 1]),
        how=options,
    )
    def ask_change_and_ask(
        self,
        one: Labels,
        conditions: tuple[Matcher, ...],
        then: tuple[Matcher, ...] | None,
        since: int,
        age: int,
        length: int,
        seconds: float,
        hours: int,
        half: int,
        how: ReadOptions,
    ) -> None:
        """A refresh: the same question again, after something changed and time went on."""
        end, self.wired.halves = self.clock.wall - since, half
        for _ in range(2):
            self.run(self.asked(Select(conditions, end - length, end), ReadOptions()))
        self.store.put(one, {self.clock.wall - age: float(len(self.store.asked))})
        self.advance(seconds)
        self.set_clock(hours)
        end = self.clock.wall - since - hours * HOUR
        self.run(self.asked(Select(then or conditions, end - length, end), how))

    @rule(
        one=series,
        conditions=selectors,
        since=ages,
        length=lengths,
        steps=st.lists(st.sampled_from([15, 60, 300, 4000]), min_size=1, max_size=4),
        how=options,
    )
    def ask_as_the_window_moves_on(
        self,
        one: Labels,
        conditions: tuple[Matcher, ...],
        since: int,
        length: int,
        steps: list[int],
        how: ReadOptions,
    ) -> None:
        """Refreshes of which each asks for what is new, and a little of what is known."""
        end = self.clock.wall - since
        start = end - length
        for seconds in (0, 0, *steps):
            self.advance(seconds)
            self.store.put(one, {self.clock.wall - since: float(seconds)})
            end += seconds * SECOND
            self.run(self.asked(Select(conditions, start, end), how))
            start = max(start, end - 5 * MINUTE)

    @rule(
        questions=st.lists(st.tuples(selectors, ages, lengths, options), min_size=2, max_size=5),
        cancelled=st.sets(st.integers(0, 4), max_size=4),
        wait=st.sampled_from([0, 1, 2, 3, 30]),
        settle=st.booleans(),
        one=series,
        lag=st.sampled_from([0, 0, 0.4, 1.1, 300, 4000, 90_000]),
    )
    def ask_many(
        self,
        questions: list[tuple[tuple[Matcher, ...], int, int, ReadOptions]],
        cancelled: set[int],
        wait: int,
        settle: bool,
        one: Labels,
        lag: float,
    ) -> None:
        """Several at once, some given up while the store, which may be slow, is at work."""

        async def together() -> None:
            self.store.gate = asyncio.Event()
            tasks = []
            for conditions, age, length, how in questions:
                end = self.clock.wall - age
                asking = self.asked(Select(conditions, end - length, end), how, settle)
                tasks.append(asyncio.create_task(asking))
            for _ in range(wait):
                await asyncio.sleep(0)
            if lag:
                self.store.put(one, {self.clock.wall - HOUR: float(len(self.store.asked))})
                self.clock.advance(round(lag * SECOND))
            for index in cancelled:
                if index < len(tasks):
                    tasks[index].cancel()
            await asyncio.sleep(0)
            self.store.gate.set()
            self.store.gate = None
            results = await asyncio.gather(*tasks, return_exceptions=True)
            for index, result in enumerate(results):
                if not (isinstance(result, asyncio.CancelledError) and index in cancelled):
                    assert result is None, result

        self.run(together())

    # What holds always.

    @invariant()
    def step_is_counted(self) -> None:
        CacheWorld.steps += 1

    @invariant()
    def what_is_vouched_for_may_be_given_again(self) -> None:
        self.run(self.given_again())

    @invariant()
    def pieces_are_disjoint(self) -> None:
        for held in self.memory.selectors():
            assert disjoint([block.window for block in held.blocks])
            assert held.blocks or held.uses

    @invariant()
    def budget_is_kept(self) -> None:
        assert self.memory.nbytes <= self.settings.max_bytes
        every = (*self.memory.selectors(), *self.memory.resting())
        blocks = [block for held in every for block in held.blocks]
        # A thread whose asker gave up may still add names, counted with the next use.
        owned = sum(held.names_bytes for held in every) + sum(block.nbytes for block in blocks)
        assert self.memory.nbytes == owned + self.memory.decodes.nbytes
        assert self.memory.blocks == len(blocks)
        assert self.memory.samples_bytes == sum(block.data_bytes for block in blocks)

    @invariant()
    def blocks_cannot_be_written(self) -> None:
        for held in self.memory.selectors():
            for block in held.blocks:
                assert not block.names.flags.writeable
                floats = block.floats
                if isinstance(floats, Plain):
                    assert not floats.columns.timestamps.flags.writeable
                    assert not floats.columns.values.flags.writeable
                else:
                    assert not floats.data.flags.writeable


@pytest.mark.parametrize("number", SEEDS)
def test_every_answer_is_what_the_store_said_at_a_moment_that_counts(
    number: int, server: str, tmp_path: Path
) -> None:
    CacheMachine.valkey, CacheMachine.folder = server, tmp_path
    before = CacheMachine.steps, CacheMachine.stood, CacheMachine.joined
    run_state_machine_as_test(
        seed(number)(CacheMachine),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            phases=(Phase.explicit, Phase.generate),
            suppress_health_check=list(HealthCheck),
        ),
    )
    # An example may end early.
    steps, stood, joined = before
    assert CacheMachine.steps - steps >= EXAMPLES * STEPS * 4 // 5
    assert CacheMachine.stood - stood >= EXAMPLES // 4
    assert CacheMachine.joined - joined >= EXAMPLES // 4
