"""A proxy for TCP whose connections stall, dawdle, break off or lie when told to."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

_PIECE: Final = 1 << 14
_SLOW: Final = 0.05  # seconds for each piece


class Way(StrEnum):
    """How bytes are passed on.

    As they are; not at all; late; up to somewhere, then the connection is reset; or something else
    is answered.
    """

    OPEN = "open"
    STALL = "stalled"
    SLOW = "slow"
    CUT = "truncated"
    LIE = "lying"


@dataclass(slots=True)
class FaultyProxy:
    """Connections to a port of loopback, in the way of the moment; `lies` are whole answers."""

    port: int
    lies: Sequence[bytes]
    dice: random.Random
    way: Way = Way.OPEN
    listening: int = 0
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def turn(self, way: Way) -> None:
        """From now on all connections go this way."""
        self.way = way
        self._changed.set()
        self._changed = asyncio.Event()

    @contextlib.asynccontextmanager
    async def served(self) -> AsyncIterator["FaultyProxy"]:
        """Listens until the block ends."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", self.listening)
        self.listening = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = [writer]
        try:
            with contextlib.suppress(OSError):
                theirs, to_them = await asyncio.open_connection("127.0.0.1", self.port)
                ends.append(to_them)
                ways = (
                    asyncio.create_task(self._asked(reader, to_them, writer)),
                    asyncio.create_task(self._answered(theirs, writer)),
                )
                try:
                    await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for one in ways:
                        one.cancel()
                    await asyncio.gather(*ways, return_exceptions=True)
        finally:
            for end in ends:
                end.transport.abort() if self.way is Way.CUT else end.close()

    async def _asked(
        self,
        reader: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        back: asyncio.StreamWriter,
    ) -> None:
        while data := await reader.read(_PIECE):
            await self._moving()
            if self.way is Way.LIE:
                back.write(self.dice.choice(self.lies))
                await back.drain()
                return
            target.write(data)
            await target.drain()

    async def _answered(self, reader: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await reader.read(_PIECE):
            await self._moving()
            if self.way is Way.CUT:
                target.write(data[: self.dice.randrange(len(data))])
                await target.drain()
                return
            target.write(data)
            await target.drain()

    async def _moving(self) -> None:
        """Waits while nothing moves."""
        while self.way is Way.STALL:
            await self._changed.wait()
        if self.way is Way.SLOW:
            await asyncio.sleep(_SLOW)
