"""Sealed blocks in a Valkey or Redis that replicas share; when it is ill, nothing is lost."""

import asyncio
import hashlib
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final, Protocol, TypeVar, cast

from bridge.cache.observed import CacheObserver, Unobserved
from bridge.cache.tiers import TIMEOUT, WAITING_BYTES

T = TypeVar("T")

_LOG: Final = logging.getLogger(__name__)
_FAILURES: Final = 3  # so many in a row, and it is left alone
_PAUSE: Final = 10.0  # for so many seconds
_LARGEST: Final = 16 << 20
_PURGES: Final = "prombridge:purges"


class Client(Protocol):
    """What is used of `redis.asyncio.Redis`."""

    async def mget(self, keys: list[str]) -> list[bytes | None]: ...

    async def set(self, name: str, value: bytes, *, px: int) -> Any: ...

    async def delete(self, *names: str) -> Any: ...

    async def smembers(self, name: str) -> Iterable[bytes]: ...

    async def sadd(self, name: str, *values: bytes) -> Any: ...

    async def srem(self, name: str, *values: bytes) -> Any: ...

    async def aclose(self) -> None: ...


class ValkeyTier:
    """Values in Valkey; `connect` makes a client, one for each command of those under way at once.

    A command that fails, takes longer than `timeout` seconds or is cancelled costs its client: the
    next one could else read its answer. After three failures in a row nothing is asked for 10
    seconds.
    """

    name = "valkey"
    shared = True

    def __init__(
        self,
        connect: Callable[[], Client],
        clock: Callable[[], float] = time.monotonic,
        observer: CacheObserver | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        self._timeout = timeout
        self._observer: CacheObserver = observer or Unobserved()
        self._connect = connect
        self._clock = clock
        self._idle: list[Client] = []
        self._failures = 0
        self._closed_until = 0.0
        self._queue: asyncio.Queue[tuple[str, bytes, int]] = asyncio.Queue()
        self._waiting = 0
        self._writer: asyncio.Task[None] | None = None
        self._over = False
        self._closing: set[asyncio.Task[None]] = set()

    def left_alone(self) -> bool:
        """Whether nothing is asked of it now."""
        return self._clock() < self._closed_until

    async def get(self, places: Sequence[str]) -> list[bytes | None]:
        """The value of each place; nothing if Valkey does not answer in time."""
        keys = [_key(place) for place in places]
        found = await self._asked(lambda client: client.mget(keys)) if keys else []
        return found if found is not None and len(found) == len(keys) else [None] * len(keys)

    def put(self, place: str, value: bytes, lifetime: int) -> None:
        """Queues a value; lost if too much waits already, or it is too large."""
        if lifetime <= 0:
            return
        if len(value) > _LARGEST or self._waiting + len(value) > WAITING_BYTES:
            self._observer.tier_write_dropped(self.name)
            return
        self._waiting += len(value)
        self._queue.put_nowait((_key(place), value, lifetime))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())

    async def drop(self, places: Sequence[str]) -> None:
        """Deletes values."""
        keys = [_key(place) for place in places]
        if keys:
            await self._asked(lambda client: client.delete(*keys))

    async def purges(self) -> list[bytes] | None:
        """The purges of all replicas; None if Valkey does not answer in time."""
        found = await self._asked(lambda client: client.smembers(_PURGES))
        return None if found is None else list(found)

    async def add_purge(self, value: bytes, until: int) -> bool:
        """Tells all replicas of a purge; what is over they drop themselves."""
        return await self._asked(lambda client: client.sadd(_PURGES, value)) is not None

    async def drop_purges(self, values: Sequence[bytes]) -> None:
        """Drops purges."""
        await self._asked(lambda client: client.srem(_PURGES, *values))

    async def settled(self) -> None:
        """Waits until the queue is empty."""
        await self._queue.join()

    async def aclose(self) -> None:
        """Closes the connections; what waits is lost."""
        self._over = True
        if self._writer is not None:
            self._writer.cancel()
            await asyncio.gather(self._writer, return_exceptions=True)
        self._give_up(*self._idle)
        self._idle.clear()
        await asyncio.gather(*self._closing)

    async def _write(self) -> None:
        # A command may be done just when it is cancelled, and the cancelling is lost.
        while not self._over:
            key, value, lifetime = await self._queue.get()
            self._waiting -= len(value)
            await self._asked(lambda client: client.set(key, value, px=lifetime))  # noqa: B023
            self._queue.task_done()

    async def _asked(self, command: Callable[[Client], Awaitable[T]]) -> T | None:
        """What Valkey answers; None if it cannot be asked or does not answer well."""
        if self.left_alone():
            return None
        client = self._idle.pop() if self._idle else self._connect()
        try:
            async with asyncio.timeout(self._timeout):
                answer = await command(client)
        except asyncio.CancelledError:
            self._give_up(client)
            raise
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, it is only a cache
            self._failed(error)
            self._give_up(client, *self._idle)
            self._idle.clear()
            return None
        self._failures = 0
        if self._over:
            self._give_up(client)
        else:
            self._idle.append(client)
        return answer

    def _failed(self, error: Exception) -> None:
        self._observer.tier_failed(self.name)
        self._failures += 1
        if self._failures >= _FAILURES:
            self._closed_until = self._clock() + _PAUSE
            self._failures = 0
            _LOG.warning("Valkey is left alone for a while", extra={"error": repr(error)})

    def _give_up(self, *clients: Client) -> None:
        """Closes clients that are not to be used again; nobody waits for it."""
        for client in clients:
            closing = asyncio.create_task(self._close(client))
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    async def _close(self, client: Client) -> None:
        try:
            async with asyncio.timeout(self._timeout):
                await client.aclose()
        except Exception as error:  # noqa: BLE001 - it is given up anyway
            _LOG.debug("closing a connection to Valkey failed", extra={"error": repr(error)})


def _key(place: str) -> str:
    digest = hashlib.sha256(place.encode("utf-8", "surrogateescape")).hexdigest()
    return f"prombridge:{digest}"


def connector(url: str, timeout: float = TIMEOUT) -> Callable[[], Client]:
    """How to reach the Valkey of a URL; raises ModuleNotFoundError without the extra `valkey`."""
    from redis.asyncio import Redis  # noqa: PLC0415 - an optional dependency

    # Valkey's own scheme is Redis' by another name.
    address = url.replace("valkey", "redis", 1) if url.startswith("valkey") else url

    def connect() -> Client:
        client = Redis.from_url(address, socket_timeout=timeout, socket_connect_timeout=timeout)
        return cast("Client", client)

    return connect
