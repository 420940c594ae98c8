"""Which clients take nothing of their answers for too long. Pure: the clock comes from outside."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

PATIENCE_SECONDS: Final = 30.0


class Outgoing(Protocol):
    """A connection's side that writes, as asyncio's transports are."""

    def get_write_buffer_size(self) -> int:
        """Bytes that wait to be taken."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """What waits for a client, and since when it has taken nothing."""

    size: int
    since: float


class SlowReaders:
    """Looks at connections now and then; `clock` gives seconds.

    A client that takes anything between two looks makes progress, however slowly it reads.
    """

    def __init__(self, clock: Callable[[], float], patience: float = PATIENCE_SECONDS) -> None:
        self._clock = clock
        self._patience = patience
        # Of the last look alone: a connection of TLS cannot be held by a weak reference.
        self._waiting: Mapping[Outgoing, _Waiting] = {}

    def stalled(self, connections: Iterable[Outgoing]) -> list[Outgoing]:
        """Those that have taken nothing for as long as patience lasts."""
        now = self._clock()
        sizes = ((connection, connection.get_write_buffer_size()) for connection in connections)
        self._waiting = {
            connection: _Waiting(size, self._since(connection, size, now))
            for connection, size in sizes
            if size
        }
        patient = now - self._patience
        return [one for one, waiting in self._waiting.items() if waiting.since <= patient]

    def _since(self, connection: Outgoing, size: int, now: float) -> float:
        held = self._waiting.get(connection)
        return now if held is None or size < held.size else held.since
