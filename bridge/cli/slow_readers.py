"""Which clients take nothing of their answers for too long. Pure: the clock comes from outside."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol
from weakref import WeakKeyDictionary

PATIENCE_SECONDS: Final = 30.0


class Outgoing(Protocol):
    """A connection's side that writes, as asyncio's transports are."""

    def get_write_buffer_size(self) -> int:
        """Bytes that wait to be taken."""


@dataclass(slots=True)
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
        self._waiting: WeakKeyDictionary[Outgoing, _Waiting] = WeakKeyDictionary()

    def stalled(self, connections: Iterable[Outgoing]) -> Iterator[Outgoing]:
        """Those that have taken nothing for as long as patience lasts."""
        now = self._clock()
        for connection in connections:
            size, held = connection.get_write_buffer_size(), self._waiting.get(connection)
            if not size:
                self._waiting.pop(connection, None)
            elif held is None or size < held.size:
                self._waiting[connection] = _Waiting(size, now)
            elif now - held.since >= self._patience:
                self._waiting.pop(connection)
                yield connection
            else:
                held.size = size
