"""One suite for all tiers, and what a cache before them answers when they are ill."""

import asyncio
import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

import pytest
import redis
from redis.asyncio import Redis

from bridge.cache.disk import DiskTier
from bridge.cache.observed import TierValue
from bridge.cache.samples import SampleCache
from bridge.cache.valkey import Client, ValkeyTier, connector
from tests.cache.asking import NAMES, PLAIN, World, last, of
from tests.cache.conftest import PATIENCE, Make, patient
from tests.cache.replicas import OLD, Replica, SlowDisk, remembered
from tests.cache.world import HOUR, MINUTE, START, contents
from tests.servers.valkey import valkey
from tests.waiting import until


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/*.block"))


def rewrite(file: Path, value: bytes) -> None:
    until = file.stat().st_mtime
    file.write_bytes(value)
    os.utime(file, (until, until))


async def test_what_was_put_is_found_and_what_was_not_is_not(make: Make) -> None:
    tier = make()
    tier.put("here", b"one", 60_000)
    tier.put("there \udcff", b"\x00" * 100_000, 60_000)
    await tier.settled()
    assert await tier.get(["here", "nowhere", "there \udcff"]) == [b"one", None, b"\x00" * 100_000]
    tier.put("here", b"two", 60_000)
    await tier.settled()
    await tier.drop(["there \udcff", "nowhere"])
    assert await tier.get(["there \udcff", "here"]) == [None, b"two"]
    assert await tier.get([]) == []
    await tier.aclose()


async def test_what_has_no_time_to_live_is_not_found(make: Make) -> None:
    tier = make()
    tier.put("gone", b"one", -1)
    await tier.settled()
    assert await tier.get(["gone"]) == [None]
    await tier.aclose()


async def test_another_process_finds_what_the_first_has_read(make: Make) -> None:
    world = World()
    world.store.data[next(iter(world.store.data))][START - 3 * HOUR + 1] = 0x7FF0000000000002
    first = Replica(world, make())
    assert await first.right() == 1
    await first.aclose()
    world.clock.advance(5 * MINUTE)
    second = Replica(world, make())
    assert await second.right() == 0
    assert second.noted.values[TierValue.HIT] > 0
    await second.aclose()


async def test_age_goes_on_in_the_tier(make: Make) -> None:
    world = World()
    await remembered(world, make())
    labels = next(iter(world.store.data))
    world.store.put(labels, {START - 4 * HOUR + 1: 9.0})
    world.clock.advance(24 * HOUR + 1)
    second = Replica(world, make())
    assert await second.right() == 1
    await second.aclose()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda value: b"",
        lambda value: value[:-1],
        lambda value: value[:60] + bytes([value[60] ^ 1]) + value[61:],
        lambda value: b"PBBLOCK\n" + bytes([9]) + value[9:],
    ],
)
async def test_a_damaged_value_is_a_miss(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    world = World()
    await remembered(world, DiskTier(tmp_path, 1 << 20, timeout=PATIENCE))
    for file in files(tmp_path):
        rewrite(file, spoil(file.read_bytes()))
    second = Replica(world, DiskTier(tmp_path, 1 << 20, timeout=PATIENCE))
    assert await second.right() == 1
    assert second.noted.values[TierValue.FOREIGN] > 0
    await second.aclose()


async def test_a_value_of_another_selector_is_a_miss(tmp_path: Path) -> None:
    world = World()
    first = Replica(world, DiskTier(tmp_path, 1 << 20, timeout=PATIENCE))
    await first.cache.select(last(3 * HOUR, START - 2 * HOUR, of(NAMES[1])), PLAIN)
    await first.cache.settled()
    await first.right()
    await first.aclose()
    held = files(tmp_path)
    values = [file.read_bytes() for file in held]
    for file, value in zip(held, values[1:] + values[:1], strict=True):
        rewrite(file, value)
    second = Replica(world, DiskTier(tmp_path, 1 << 20, timeout=PATIENCE))
    await second.right()
    await second.aclose()


async def test_a_folder_that_cannot_be_written_changes_no_answer(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    world = World()
    for _ in range(2):
        replica = Replica(world, DiskTier(tmp_path / "file", 1 << 20, timeout=PATIENCE))
        assert await replica.right() == 1
        await replica.aclose()


async def test_files_stay_within_their_bytes(tmp_path: Path) -> None:
    tier = DiskTier(tmp_path, 10_000, timeout=PATIENCE)
    for at in range(20):
        tier.put(str(at), b"x" * 1000, 60_000 + at * 1000)
    await tier.settled()
    assert sum(len(file.read_bytes()) for file in files(tmp_path)) <= 10_000
    assert await tier.get(["0", "19"]) == [None, b"x" * 1000]
    await tier.aclose()


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()


async def test_a_valkey_that_is_killed_or_hangs_changes_no_answer(tmp_path: Path) -> None:
    with ExitStack() as stack:
        url, process = stack.enter_context(valkey(tmp_path))
        world = World()
        first = Replica(world, ValkeyTier(connector(url)))
        assert await first.right() == 1
        process.send_signal(signal.SIGSTOP)
        hanging = Replica(world, ValkeyTier(connector(url)))
        assert await asyncio.wait_for(hanging.right(), 5) == 1
        process.send_signal(signal.SIGCONT)
        _end(process)
        gone = Replica(world, ValkeyTier(connector(url)))
        assert await gone.right() == 1
        for replica in (first, hanging, gone):
            await replica.aclose()


async def test_a_cancelled_command_costs_its_connection(server: str) -> None:
    tier = patient(server)
    for at in range(50):
        tier.put(str(at), str(at).encode(), 60_000)
    await tier.settled()
    for round_ in range(20):
        task = asyncio.create_task(tier.get(["1"]))
        for _ in range(round_ % 7):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert await tier.get(["7"]) == [b"7"]
    await tier.aclose()


async def test_a_command_cancelled_while_another_connects_leaves_no_connection_open(
    server: str,
) -> None:
    made: list[Client] = []

    def connect() -> Client:
        # Kept, so that none is closed only because nobody remembers it.
        made.append(connector(server, PATIENCE)())
        return made[-1]

    with redis.Redis.from_url(server) as watcher:
        for turns in range(12):
            tier = ValkeyTier(connect, timeout=PATIENCE)
            cancelled, other = (asyncio.create_task(tier.get([one])) for one in ("1", "7"))
            for _ in range(turns):
                await asyncio.sleep(0)
            cancelled.cancel()
            assert await other == [None]
            await asyncio.gather(cancelled, return_exceptions=True)
            await tier.aclose()
            await until(lambda: len(watcher.client_list()) == 1)


class Stuck(DiskTier):
    """A folder whose disk does not answer until it is let go."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, 1 << 20)
        self.gate = threading.Event()
        for name in ("read", "purges", "add_purge"):
            setattr(self._files, name, self._behind(getattr(self._files, name)))

    def _behind(self, work: Callable[..., object]) -> Callable[..., object]:
        def waits(*of: object) -> object:
            self.gate.wait()
            return work(*of)

        return waits


async def test_a_disk_that_does_not_answer_has_nothing_and_is_left_alone(tmp_path: Path) -> None:
    world = World()
    await remembered(world, DiskTier(tmp_path, 1 << 20, timeout=PATIENCE))
    stuck = Stuck(tmp_path)
    second = Replica(world, stuck)
    assert await asyncio.wait_for(second.right(), PATIENCE) == 1
    assert stuck.left_alone()
    assert await stuck.get(["here"]) == [None]
    assert not await stuck.add_purge(b"purge", START)
    stuck.gate.set()
    await until(lambda: not stuck.left_alone())
    assert await stuck.purges() == []
    await second.aclose()


async def test_a_file_that_is_written_again_counts_once(tmp_path: Path) -> None:
    tier = DiskTier(tmp_path, 10_000, timeout=PATIENCE)
    for at in range(30):
        tier.put("same", b"x" * 4000, 60_000 + at * 1000)
        tier.put("other", b"x" * 4000, 120_000)
    await tier.settled()
    assert await tier.get(["same", "other"]) == [b"x" * 4000] * 2
    await tier.aclose()


async def test_what_ends_makes_room_though_nothing_is_too_much(tmp_path: Path) -> None:
    now = 1000.0
    tier = DiskTier(tmp_path, 10_000, lambda: now, timeout=PATIENCE)
    tier.put("short", b"x", 1000)
    tier.put("long", b"x", 60_000)
    await tier.settled()
    now = 1002.0
    tier.put("new", b"x", 60_000)
    await tier.settled()
    assert len(files(tmp_path)) == 2
    assert await tier.get(["short", "long", "new"]) == [None, b"x", b"x"]
    await tier.aclose()


async def test_files_of_another_process_count_too(tmp_path: Path) -> None:
    one, other = (DiskTier(tmp_path, 10_000, timeout=PATIENCE) for _ in range(2))
    for at in range(40):
        for name, tier in (("one", one), ("other", other)):
            tier.put(f"{name} {at}", b"x" * 1000, 60_000 + at * 1000)
            await tier.settled()
    # One of them looks at the folder anew after an eighth of its bytes.
    assert sum(len(file.read_bytes()) for file in files(tmp_path)) <= 12_500
    await one.aclose()
    await other.aclose()


async def test_what_a_tier_had_does_not_replace_what_was_read_meanwhile(tmp_path: Path) -> None:
    world = World()
    await remembered(world, DiskTier(tmp_path, 1 << 20, timeout=PATIENCE))

    slow = SlowDisk(tmp_path)
    second = Replica(world, slow)
    world.clock.advance(MINUTE)
    labels = next(iter(world.store.data))
    world.store.put(labels, {START - 3 * HOUR: 77.0})
    asking = asyncio.create_task(second.cache.select(OLD, PLAIN))
    await slow.asked.wait()
    # Another read brings the same time while the tier answers.
    beside = SampleCache(world.store, second.memory, "logged")
    newer = await beside.select(OLD, PLAIN)
    await beside.settled()
    slow.gate.set()
    assert contents((await asking).block) == contents(newer.block) == world.store.truth(OLD)
    await second.aclose()


class Unmoved(Redis):
    """A client whose command is done though it was cancelled."""

    async def set(self, *_of: Any, **_more: Any) -> Any:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()


async def test_a_command_that_is_done_though_cancelled_does_not_hold_up_the_end() -> None:
    tier = ValkeyTier(lambda: cast("Client", Unmoved()), timeout=PATIENCE)
    tier.put("here", b"one", 60_000)
    for _ in range(5):
        await asyncio.sleep(0)
    await asyncio.wait_for(tier.aclose(), PATIENCE / 2)


async def test_of_a_clock_set_back_during_a_read_a_tier_is_left_what_was_closed_by_it(
    make: Make,
) -> None:
    world = World()
    young = last(2 * HOUR, START - 20 * MINUTE)
    first = Replica(world, make())
    world.clock.wall += HOUR
    world.store.gate = asyncio.Event()
    asking = asyncio.create_task(first.cache.select(young, PLAIN))
    await until(lambda: bool(world.store.asked))
    world.clock.wall -= HOUR
    world.store.gate.set()
    await asking
    world.store.put(next(iter(world.store.data)), {START - 30 * MINUTE: 9.0})
    world.clock.advance(3 * HOUR)
    await first.right(last(HOUR, START - 4 * HOUR))
    await first.aclose()
    second = Replica(world, make())
    assert await second.right(young) == 1
    assert world.store.asked[-1].start == START - HOUR
    await second.aclose()
