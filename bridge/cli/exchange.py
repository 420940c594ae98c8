"""One request and its answer, as the answer goes over the wire."""

from collections.abc import Iterable
from typing import Final

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from bridge.cli.head import head_of, lines_of

# From here on a copy of a body costs more than a second place to write from.
_LONG: Final = 1 << 16
_WITHOUT_BODY: Final = (204, 304)


class Exchange(RequestResponseCycle):
    """A request and its answer; a head that tells the body's length goes out together with it."""

    _head: bytes = b""

    async def send(self, message: ASGISendEvent) -> None:
        """Sends a part of the answer, once the client has taken most of the parts before."""
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        if message["type"] == "http.response.start" and not self.response_started:
            self._begin(message["status"], message.get("headers", ()))
        elif message["type"] == "http.response.body" and self.response_started:
            self._go_on(message.get("body", b""), more=message.get("more_body", False))
        else:
            raise RuntimeError(f"{message['type']} is out of place in an answer")

    def _begin(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        head = head_of(status, tuple(headers))
        self.response_started = True
        self.waiting_for_100_continue = False
        closes = b"" if head.closes or self.keep_alive else b"connection: close\r\n"
        self.keep_alive = self.keep_alive and not head.closes
        bodiless = self.scope["method"] == "HEAD" or status in _WITHOUT_BODY
        undecided = head.length is None and not head.chunked and not bodiless
        self.chunked_encoding = head.chunked or undecided
        self.expected_content_length = head.length or 0
        coding = b"transfer-encoding: chunked\r\n" if undecided else b""
        lines = (head.lines, lines_of(tuple(self.default_headers)), closes, coding, b"\r\n")
        self._head = b"".join(lines)
        if head.length is None:
            self._flush(b"")

    def _go_on(self, body: bytes, *, more: bool) -> None:
        if self.response_complete:
            raise RuntimeError("the answer is complete already")
        if self.scope["method"] == "HEAD":
            self.expected_content_length = 0
            self._flush(b"")
        elif self.chunked_encoding:
            before, behind = (b"%x\r\n" % len(body), b"\r\n") if body else (b"", b"")
            self._flush(body, before, behind if more else behind + b"0\r\n\r\n")
        else:
            self.expected_content_length -= len(body)
            if self.expected_content_length < 0:
                raise RuntimeError("the body is longer than its head tells")
            self._flush(body)
        if not more:
            self._complete()

    def _flush(self, body: bytes, before: bytes = b"", behind: bytes = b"") -> None:
        """Sends what waits of the head, and a body with what stands around it.

        A long body is not copied: it may be the same that goes to others.
        """
        head, self._head = self._head, b""
        if len(body) < _LONG:
            self.transport.write(b"%s%s%s%s" % (head, before, body, behind))
        else:
            self.transport.writelines((head + before, body, behind))

    def _complete(self) -> None:
        if self.expected_content_length:
            raise RuntimeError("the body is shorter than its head tells")
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()
