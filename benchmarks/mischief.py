"""What can go wrong around a prombridge, each done for a while and undone."""

import asyncio
import contextlib
import random
import resource
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Final

import redis.asyncio as redis
from redis.exceptions import RedisError

from benchmarks.faulty import FaultyProxy, Way
from benchmarks.stage import Stage
from tests.servers.killable import listens

_STEPS: Final = (-3600, -45, -5, 5, 45, 3600)  # seconds
_FULL: Final = 4096  # bytes: no file of blocks may grow beyond

Fault = Callable[[Stage, random.Random], contextlib.AbstractAsyncContextManager[None]]


@contextlib.asynccontextmanager
async def _killed_store(stage: Stage, _dice: random.Random) -> AsyncIterator[None]:
    stage.store.kill()
    try:
        yield
    finally:
        await asyncio.to_thread(stage.store.start)


@contextlib.asynccontextmanager
async def _killed_valkey(stage: Stage, _dice: random.Random) -> AsyncIterator[None]:
    stage.valkey.kill()
    try:
        yield
    finally:
        await asyncio.to_thread(stage.valkey.start)


@contextlib.asynccontextmanager
async def _killed_bridge(stage: Stage, _dice: random.Random) -> AsyncIterator[None]:
    stage.bridge.kill()
    # It answers from its first moment on: nobody waits until it has loaded everything.
    port = int(stage.bridge.url.rpartition(":")[2])
    await asyncio.to_thread(stage.bridge.start, listens(port))
    yield


@contextlib.asynccontextmanager
async def _foreign_valkey(stage: Stage, dice: random.Random) -> AsyncIterator[None]:
    """Values are exchanged, cut, and overwritten; foreign keys come with them."""
    with contextlib.suppress(RedisError, OSError):
        async with redis.Redis(port=stage.to_valkey.port, decode_responses=False) as client:
            keys = [key async for key in client.scan_iter(count=1000)]
            for key in dice.sample(keys, len(keys) // 2):
                held = _bytes(await client.get(key))
                other = _bytes(await client.get(dice.choice(keys)))
                spoilt = (
                    dice.randbytes(40),
                    b"",
                    held[: len(held) // 2],
                    other,
                    _flipped(held, dice),
                )
                await client.set(key, dice.choice(spoilt))
            await client.set(dice.randbytes(12), dice.randbytes(1 << 16))
    yield


@contextlib.asynccontextmanager
async def _corrupt_disk(stage: Stage, dice: random.Random) -> AsyncIterator[None]:
    """Files are exchanged, cut, overwritten and removed."""
    await asyncio.to_thread(_spoil, stage.disk, dice)
    yield


def _spoil(folder: Path, dice: random.Random) -> None:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    for file in dice.sample(files, len(files) // 2):
        with contextlib.suppress(OSError):
            held, other = file.read_bytes(), dice.choice(files).read_bytes()
            spoilt = (dice.randbytes(40), b"", held[: len(held) // 2], other, _flipped(held, dice))
            file.write_bytes(dice.choice(spoilt))
            if not dice.randrange(6):
                file.unlink()


def _bytes(held: object) -> bytes:
    return held if isinstance(held, bytes) else b""


def _flipped(held: bytes, dice: random.Random) -> bytes:
    if not held:
        return b"\0"
    at = dice.randrange(len(held))
    return held[:at] + bytes([held[at] ^ 1 << dice.randrange(8)]) + held[at + 1 :]


@contextlib.asynccontextmanager
async def _full_disk(stage: Stage, _dice: random.Random) -> AsyncIterator[None]:
    pid = stage.bridge.running.pid
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE, (_FULL, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


@contextlib.asynccontextmanager
async def _stepped_clock(stage: Stage, dice: random.Random) -> AsyncIterator[None]:
    stage.clock.step(dice.choice(_STEPS))
    try:
        yield
    finally:
        stage.clock.step(0)


def _turned(proxy: Callable[[Stage], FaultyProxy], way: Way) -> Fault:
    @contextlib.asynccontextmanager
    async def turned(stage: Stage, _dice: random.Random) -> AsyncIterator[None]:
        proxy(stage).turn(way)
        try:
            yield
        finally:
            proxy(stage).turn(Way.OPEN)

    return turned


# Some that others take long to recover from come more rarely.
RARE: Final = frozenset({"store killed", "prombridge killed"})
FAULTS: Final[Mapping[str, Fault]] = {
    "store killed": _killed_store,
    "Valkey killed": _killed_valkey,
    "Valkey full of foreign data": _foreign_valkey,
    "disk corrupted": _corrupt_disk,
    "disk full": _full_disk,
    "prombridge killed": _killed_bridge,
    "clock stepped": _stepped_clock,
    **{
        f"store {way}": _turned(lambda stage: stage.to_store, way)
        for way in Way
        if way is not Way.OPEN
    },
    **{
        f"Valkey {way}": _turned(lambda stage: stage.to_valkey, way)
        for way in Way
        if way is not Way.OPEN
    },
}
