"""One connection: requests that come one after the other, and their answers in the same order."""

import asyncio
from asyncio import TimerHandle
from collections.abc import Callable
from typing import Any, Final, cast
from urllib.parse import unquote

import httptools
from uvicorn import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from bridge.cli.exchange import Exchange
from bridge.cli.head import lines_of
from bridge.cli.outbox import Outbox
from bridge.cli.refusal import INVALID, NO_HOST, TOO_LONG, TWO_HOSTS, Refusal, RefusedError

# How much is taken apart at once: of requests that come faster than answers go, the rest waits.
_SLICE: Final = 1 << 14
# What a head may have, and what stands behind a body in chunks: bytes as in Go, and lines.
_HEAD_BYTES: Final = 1 << 20
_HEAD_LINES: Final = 1000
# How long a connection stays behind its last answer if what came was no request; as in Go.
_LINGER_SECONDS: Final = 0.5


class _Flow(FlowControl):
    """Lets nothing more come in while it is `full`."""

    def __init__(self, transport: asyncio.Transport, full: Callable[[], bool]) -> None:
        super().__init__(transport)
        self._full = full

    def resume_reading(self) -> None:
        if not self._full():
            super().resume_reading()


class Connection(HttpToolsProtocol):
    """uvicorn's side of a connection, which ends if a request does not arrive whole in time.

    As with Go's `ReadTimeout`, time runs from the connection's start or, in a kept one, from the
    request's first byte; a kept one may be idle as long. `ended` is called once the connection is
    gone. While requests wait for the answers before theirs, nothing more is taken in. Short answers
    go out by `outbox`. What is broken is refused behind the answers before it, and ends the
    connection. No connection becomes one of another protocol.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        seconds: float,
        outbox: Outbox,
        ended: Callable[[], None],
    ) -> None:
        super().__init__(config, server_state, app_state)
        self._seconds = seconds
        self._outbox = outbox
        self._ended = ended
        self._unread = memoryview(b"")
        # Whether lines of a head are read, or what stands behind a body in chunks; how many bytes.
        self._within_lines = False
        self._line_bytes = 0
        self._within_body = False
        self._refusal: Refusal | None = None
        # What is being answered; those in the pipeline are behind it.
        self._answering: Exchange | None = None
        # When what is expected must be there; a timer looks at it, and is rarely set anew.
        self._due: float | None = None
        self._idle = False
        self._timer: TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(self._outbox.over(transport))
        self.flow = _Flow(self.transport, lambda: bool(self.pipeline))
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        self._due = None
        if self._timer is not None:
            self._timer.cancel()
        self._unread = memoryview(b"")
        super().connection_lost(exc)
        # uvicorn tells the request that came last alone.
        if self._answering is not None:
            self._answering.disconnected = True
            self._answering.message_event.set()
        self._ended()

    def data_received(self, data: bytes) -> None:
        if self._refusal is None:
            self._unread = memoryview(bytes(self._unread) + data if self._unread else data)
            self._take_apart()

    def _take_apart(self) -> None:
        """Goes on with what came in, until a request has to wait for its turn."""
        while self._unread and not self.pipeline and not self.transport.is_closing():
            some, self._unread = self._unread[:_SLICE], self._unread[_SLICE:]
            try:
                self._feed(some)
                self._weigh(len(some))
            except (httptools.HttpParserError, RefusedError) as error:
                # That of a callback is told as the parser's.
                told = error.__context__ or error
                self._refuse(told.refusal if isinstance(told, RefusedError) else INVALID)

    def _weigh(self, size: int) -> None:
        """Counts bytes of a head that is not complete; raises RefusedError."""
        self._line_bytes = self._line_bytes + size if self._within_lines else 0
        if self._line_bytes > _HEAD_BYTES:
            raise RefusedError(TOO_LONG)

    def _feed(self, data: bytes | memoryview) -> None:
        """Takes data apart; a request that asks for another protocol as if it did not ask.

        The parser believes that one to end with its head: what it has of a body would be the next.
        """
        while data:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                data = self._without_upgrade() + bytes(data[upgrade.args[0] :])
            else:
                return

    def _without_upgrade(self) -> bytes:
        """The head that was read last, as of a request that asks for no other protocol."""
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        if method == b"CONNECT":
            raise httptools.HttpParserError("nothing is connected to here")
        # This one takes nothing more where the connection was to end with the request.
        self.parser = httptools.HttpRequestParser(self)
        lines = [b"%s %s HTTP/%s" % (method, self.url, version)]
        lines += [b"%s: %s" % pair for pair in self.headers if pair[0] != b"upgrade"]
        return b"\r\n".join((*lines, b"", b""))

    def _refuse(self, refusal: Refusal) -> None:
        """Says what is wrong with what is read, once all before it is answered."""
        self.logger.warning(refusal.body.decode())
        self._refusal, self._unread, self._due = refusal, memoryview(b""), None
        if self._within_body and self.pipeline:
            self.pipeline.popleft()
        elif self._within_body and self.cycle.response_started:
            self.transport.close()
        elif self._within_body or self._answering is None:
            if self._within_body:
                # For its application this is the end of the connection.
                self.cycle.disconnected = True
                self.cycle.message_event.set()
            self._end(refusal)

    def _end(self, refusal: Refusal) -> None:
        """Gives the last answer of the connection.

        A client that is still sending would lose it if what it sends were not taken in.
        """
        date = lines_of(tuple(self.server_state.default_headers))
        self.transport.write(refusal.head.lines + date + b"\r\n" + refusal.body)
        self.flow.resume_reading()
        self.loop.call_later(_LINGER_SECONDS, self.transport.close)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._within_lines, self._line_bytes = True, 0
        if self._idle or self._due is None:
            self._expect()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._within_body:
            # Behind a body stands nothing that decides who asks, or for what.
            return
        if len(self.headers) == _HEAD_LINES:
            raise RefusedError(TOO_LONG)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._within_lines = False
        if self.parser.should_upgrade():
            return
        version, scope = self.parser.get_http_version(), self.scope
        self._check_host(version)
        scope["method"] = self.parser.get_method().decode("ascii")
        scope["http_version"] = version
        # The parser of URLs takes no long ones, and is not needed for what stands behind a path.
        place, _, query = self.url.partition(b"?")
        raw_path = httptools.parse_url(place).path or b"/"
        path = raw_path.decode("ascii")
        scope["path"] = self.root_path + (unquote(path) if "%" in path else path)
        scope["raw_path"] = self.root_path.encode("ascii") + raw_path
        scope["query_string"] = query
        self.cycle = Exchange(
            scope=scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=version != "1.0" and self.parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        self._within_body = True
        if self._answering is None:
            self._answer(self.cycle)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def _check_host(self, version: str) -> None:
        """Whether one host is named, as in Go; raises RefusedError."""
        hosts = sum(name == b"host" for name, _ in self.headers)
        if not hosts and version == "1.1":
            raise RefusedError(NO_HOST)
        if hosts > 1:
            raise RefusedError(TWO_HOSTS)

    def _answer(self, request: Exchange) -> None:
        self._answering = request
        self._start_asgi_task(request, self.app)

    def on_chunk_header(self) -> None:
        """Behind it stand a chunk's bytes or, if it is the last one, more lines."""
        self._within_lines, self._line_bytes = True, 0

    def on_body(self, body: bytes) -> None:
        self._within_lines = False
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._within_lines = False
        if self.parser.should_upgrade():
            return
        self._within_body, self._due = False, None
        super().on_message_complete()
        if self._answering is None:
            # It was answered before it was there.
            self._expect(idle=True)

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        self._answering = None
        if self.transport.is_closing():
            return
        if self.pipeline:
            self._answer(cast("Exchange", self.pipeline.pop()[0]))
        elif self._refusal is not None:
            self._end(self._refusal)
        elif self._due is None:
            self._expect(idle=True)
        self._take_apart()
        self.flow.resume_reading()

    def _expect(self, *, idle: bool = False) -> None:
        """From now on something must come in time."""
        self._idle = idle
        if self._seconds:
            self._due = self.loop.time() + self._seconds
            if self._timer is None:
                self._timer = self.loop.call_at(self._due, self._look)

    def _look(self) -> None:
        """Ends the connection if what is expected is not there."""
        self._timer = None
        if self._due is None:
            return
        if self.pipeline:
            # It is not read on because an earlier answer is not complete yet.
            self._expect()
        elif self.loop.time() < self._due:
            self._timer = self.loop.call_at(self._due, self._look)
        else:
            self.transport.close()
