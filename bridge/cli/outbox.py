"""What is written in one turn of the event loop, sent at its end, one text behind the other.

A client that waits is woken by what is sent to it, and wakes again for the next answer if that is
sent only once it has been evaluated too. Where many answers are made in one turn, as for a
dashboard, most of that is spared: a third of what it takes to answer what is known.
"""

import asyncio
from collections.abc import Iterable
from typing import Any, Final

# More than this does not wait for the turn's end: it would only take memory.
_MOST: Final = 1 << 16


class Outbox:
    """The connections that have something to send at the end of this turn."""

    def __init__(self) -> None:
        self._waiting: list[Outgoing] = []

    def over(self, transport: asyncio.Transport) -> "Outgoing":
        """A connection's transport, whose short texts are sent at the end of a turn."""
        return Outgoing(transport, self)

    def add(self, one: "Outgoing") -> None:
        """Sends what a connection holds at the end of this turn."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._send)
        self._waiting.append(one)

    def _send(self) -> None:
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            one.flush()


class Outgoing(asyncio.Transport):
    """A transport that holds short texts back until the turn ends; all else goes through at once.

    The order of texts stays, and nothing of what was written is lost by closing.
    """

    def __init__(self, transport: asyncio.Transport, outbox: Outbox) -> None:
        super().__init__()
        self._transport = transport
        self._outbox = outbox
        self._texts: list[bytes] = []
        self._size = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Sends a text at the end of this turn; at once if it is long."""
        if not self._texts:
            self._outbox.add(self)
        self._texts.append(bytes(data))
        self._size += len(data)
        if self._size >= _MOST:
            self.flush()

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        """Sends texts at once, none of which is copied."""
        self.flush()
        self._transport.writelines(list_of_data)

    def flush(self) -> None:
        """Sends what was held back."""
        texts, self._texts, self._size = self._texts, [], 0
        if texts:
            self._transport.write(b"".join(texts))

    def close(self) -> None:
        """Closes the connection once all is sent."""
        self.flush()
        self._transport.close()

    def abort(self) -> None:
        """Closes the connection; what was not sent is lost."""
        self._texts, self._size = [], 0
        self._transport.abort()

    def is_closing(self) -> bool:
        """Whether it is closed, or about to be."""
        return self._transport.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """What the transport knows of itself."""
        return self._transport.get_extra_info(name, default)

    def get_write_buffer_size(self) -> int:
        """Bytes that wait for the client."""
        return self._transport.get_write_buffer_size()

    def pause_reading(self) -> None:
        """Takes nothing in until `resume_reading`."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Takes in what comes."""
        self._transport.resume_reading()
