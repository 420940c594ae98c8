"""What was purged is served by nobody: no tier, no replica, no process that starts later."""

import asyncio
import signal
from pathlib import Path

import pytest
import redis

from bridge.cache.disk import DiskTier
from bridge.cache.keys import Key
from bridge.cache.purges import LEASE, Purge, Purges
from bridge.cache.valkey import ValkeyTier, connector
from bridge.model.time import Window
from tests.cache.asking import NAMES, PLAIN, World, last, of
from tests.cache.conftest import PATIENCE, Make, patient
from tests.cache.replicas import Replica, SlowDisk, remembered
from tests.cache.world import HOUR, MINUTE, SECOND, START, Clock
from tests.servers.valkey import valkey
from tests.waiting import until

ALL = Window(0, START)
NAME = of(NAMES[0])
POD = of(NAMES[0], pod="1")


def backfilled(world: World, value: float = 9.0) -> None:
    """Something changes in what is remembered for a day."""
    world.store.put(next(iter(world.store.data)), {START - 4 * HOUR + 1: value})


async def until_told(first: Replica, second: Replica, ticks: Clock) -> None:
    """Lets time pass until Valkey had its chance to hear of the first's purges."""
    for _ in range(100):
        ticks.advance(11 * SECOND)
        first.world.clock.advance(LEASE)
        await first.purges.current()
        if await second.tier.purges():
            return
    raise AssertionError("Valkey was not told")


async def test_a_process_that_starts_later_does_not_find_what_was_purged(make: Make) -> None:
    world = World()
    first = Replica(world, make())
    await first.right()
    await first.cache.purge(NAME, ALL)
    backfilled(world)
    await first.aclose()
    second = Replica(world, make())
    assert await second.right() == 1
    await second.aclose()
    third = Replica(world, make())
    assert await third.right() == 0
    await third.aclose()


async def test_what_the_purging_process_never_held_is_purged_too(make: Make) -> None:
    world = World()
    await remembered(world, make())
    backfilled(world)
    second = Replica(world, make())
    await second.cache.purge(NAME, ALL)
    await second.aclose()
    third = Replica(world, make())
    assert await third.right() == 1
    await third.aclose()


async def test_only_what_was_purged_is_read_again(make: Make) -> None:
    world = World()
    other = last(3 * HOUR, START - 2 * HOUR, of(NAMES[1]))
    first = Replica(world, make())
    await first.right()
    await first.right(other)
    slot = Window(START - 4 * HOUR, START - 4 * HOUR + MINUTE)
    await first.cache.purge(NAME, slot)
    await first.aclose()
    second = Replica(world, make())
    assert await second.right(other) == 0
    # Of the two hours that hold the purged minute the tier gives nothing, of the others it does.
    assert await second.right() == 1
    asked = world.store.asked[-1]
    assert (asked.start, asked.end) == (START - 4 * HOUR, START - 2 * HOUR - 1)
    await second.aclose()


async def test_a_replica_that_hears_nothing_by_itself_serves_nothing_purged(server: str) -> None:
    world = World()
    first, second = (Replica(world, patient(server)) for _ in range(2))
    await first.right()
    await second.right()
    assert (await first.right(), await second.right()) == (0, 0)
    backfilled(world)
    assert await first.purges.purge(NAME, ALL) == []
    # The purge is over once the last moment is over for which replicas need not ask.
    assert first.waits == [LEASE / 1000]
    assert await second.right() == 1
    assert await first.right() == 0, "what the second has read since may be shared"
    await first.aclose()
    await second.aclose()


async def test_a_read_on_its_way_in_a_replica_is_not_remembered(server: str) -> None:
    world = World()
    first, second = (Replica(world, patient(server)) for _ in range(2))
    other = last(HOUR, START - 3 * HOUR)
    await first.right()
    world.store.gate = asyncio.Event()
    asking = asyncio.create_task(second.cache.select(last(3 * HOUR, START - 150 * MINUTE), PLAIN))
    await until(lambda: len(world.store.asked) >= 2)
    backfilled(world)
    await first.purges.purge(NAME, ALL)
    await second.purges.current()
    world.store.gate.set()
    await asking
    await second.cache.settled()
    assert await second.right(other) == 1
    await first.aclose()
    await second.aclose()


async def test_a_valkey_that_lost_a_purge_is_told_again(server: str) -> None:
    world = World()
    first, second = (Replica(world, patient(server)) for _ in range(2))
    await second.right()
    await first.purges.purge(of(NAMES[1]), ALL)
    with redis.Redis.from_url(server) as client:
        client.delete("prombridge:purges")
        world.clock.advance(LEASE)
        await first.purges.current()
        assert len(client.smembers("prombridge:purges")) == 1
    await first.aclose()
    await second.aclose()


async def test_a_purge_that_valkey_did_not_take_is_told_once_it_answers(tmp_path: Path) -> None:
    with valkey(tmp_path) as (url, process):
        world = World()
        ticks = Clock()
        tier = ValkeyTier(connector(url), clock=lambda: ticks.steady / 1000)
        first, second = Replica(world, tier), Replica(world, patient(url))
        await first.right()
        await second.right()
        process.send_signal(signal.SIGSTOP)
        backfilled(world)
        assert await first.purges.purge(NAME, ALL) == ["valkey"]
        assert first.waits == []
        assert await first.right() == 1
        process.send_signal(signal.SIGCONT)
        await until_told(first, second, ticks)
        world.clock.advance(LEASE)
        assert await second.right() == 1
        await first.aclose()
        await second.aclose()


async def test_while_nobody_knows_what_was_purged_a_tier_is_not_asked(tmp_path: Path) -> None:
    world = World()
    await remembered(world, DiskTier(tmp_path, 1 << 20, timeout=PATIENCE))

    class Silent(DiskTier):
        async def purges(self) -> list[bytes] | None:
            return None

    second = Replica(world, Silent(tmp_path, 1 << 20))
    assert await second.right() == 1
    await second.aclose()


async def test_a_value_that_is_on_its_way_from_a_tier_does_not_outlive_a_purge(
    tmp_path: Path,
) -> None:
    world = World()
    await remembered(world, DiskTier(tmp_path, 1 << 20, timeout=PATIENCE))

    slow = SlowDisk(tmp_path)
    second = Replica(world, slow)
    asking = asyncio.create_task(second.right())
    await slow.asked.wait()
    backfilled(world)
    await second.purges.purge(NAME, ALL)
    slow.gate.set()
    assert await asking == 1
    await second.aclose()


@pytest.mark.parametrize("written", [b"not even JSON", b'["x", [["a", "=", "b"]], 1]', b"[]"])
async def test_a_purge_that_cannot_be_understood_is_one_of_everything(
    server: str, written: bytes
) -> None:
    world = World()
    with redis.Redis.from_url(server) as client:
        client.flushall()
        first = Replica(world, patient(server))
        await first.right()
        backfilled(world)
        client.sadd("prombridge:purges", written)
        world.clock.advance(LEASE)
        assert await first.right() == 1
        # From then on it stands there in words that everybody understands.
        (value,) = client.smembers("prombridge:purges")
        made = Purge.read(value)
        assert made is not None
        assert made.matchers == ()
        await first.aclose()


async def test_who_gives_up_while_tiers_are_asked_does_not_disturb_the_others(server: str) -> None:
    world = World()
    replica = Replica(world, patient(server))
    tasks = [asyncio.create_task(replica.right()) for _ in range(3)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError)
    assert all(isinstance(one, int) for one in results[1:])
    await replica.aclose()


class Hesitant(SlowDisk):
    """A folder that all share, which tells what was purged once the `gate` is open."""

    shared = True

    async def purges(self) -> list[bytes] | None:
        self.asked.set()
        await self.gate.wait()
        return await super().purges()


async def test_who_comes_while_tiers_are_asked_waits_for_what_they_tell(tmp_path: Path) -> None:
    told, tier = DiskTier(tmp_path, 1 << 20, timeout=PATIENCE), Hesitant(tmp_path)
    clock = Clock()
    purges = Purges([tier], clock)
    tier.gate.set()
    await purges.current()
    tier.gate.clear()
    tier.asked.clear()
    purge = Purge("elsewhere", NAME, ALL, clock().wall + HOUR)
    assert await told.add_purge(purge.value, purge.until)
    clock.advance(LEASE)
    first = asyncio.create_task(purges.current())
    await tier.asked.wait()
    second = asyncio.create_task(purges.current())
    await asyncio.sleep(0)
    assert not second.done()
    tier.gate.set()
    await second
    assert purges.known() == {"elsewhere": purge}
    await first
    for one in (told, tier):
        await one.aclose()


async def test_what_was_read_since_a_wider_purge_is_purged_after_the_clock_was_set_back(
    make: Make,
) -> None:
    world = World()
    first = Replica(world, make())
    await first.cache.purge(NAME, ALL)
    await first.right()
    backfilled(world)
    world.clock.wall -= HOUR
    await first.cache.purge(POD, Window(0, START - 3 * HOUR))
    world.clock.wall += HOUR
    assert await first.right() == 1
    backfilled(world, 8.0)
    world.clock.wall -= HOUR
    await first.cache.purge(POD, Window(0, START - 3 * HOUR))
    world.clock.wall += HOUR
    await first.aclose()
    second = Replica(world, make())
    assert await second.right() == 1
    await second.aclose()


async def test_who_takes_over_knows_what_was_purged_and_tells_who_still_works() -> None:
    world = World()
    await world.right(last(3 * HOUR, START - 2 * HOUR))
    await world.purges.purge(of(NAMES[1]), ALL)
    later = Purges((), world.clock, before=world.purges)
    assert len(later.concerning(Key("store", "", of(NAMES[1])), ALL)) == 1
    world.store.gate = asyncio.Event()
    asking = asyncio.create_task(world.ask(last(HOUR, START - 5 * HOUR), settle=False))
    await until(lambda: len(world.store.asked) >= 2)
    await later.purge(NAME, ALL)
    world.store.gate.set()
    await asking
    await world.cache.settled()
    assert not list(world.memory.selectors())
