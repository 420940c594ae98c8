"""One query asked again and again over connections that stay open: latencies and throughput."""

import itertools
import socket
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import median, quantiles
from urllib.parse import urlencode, urlsplit

from tests.servers.process import Running

_TIMEOUT = 60  # seconds for one answer
_LENGTH = b"content-length:"


@dataclass(frozen=True, slots=True)
class Blows:
    """What many requests took: seconds each, seconds of all, processor seconds of the server."""

    each: Sequence[float]
    seconds: float
    processor: float

    @property
    def median(self) -> float:
        """The median of one request."""
        return median(self.each)

    @property
    def p99(self) -> float:
        """What 99 of 100 requests stay below."""
        return quantiles(self.each, n=100)[-1]

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.each) / self.seconds

    @property
    def cost(self) -> float:
        """Processor seconds of one request."""
        return self.processor / len(self.each)


Form = dict[str, str]


def again(form: Form) -> Iterator[Form]:
    """The same question each time: its answer may be remembered."""
    return itertools.repeat(form)


def anew(form: Form, first: int = 0, step: int = 1) -> Iterator[Form]:
    """An instant query, each time some ms further back: nobody asked that before."""
    time_ = round(float(form["time"]) * 1000)
    return ({**form, "time": f"{(time_ - at) / 1000:.3f}"} for at in itertools.count(first, step))


class Connection:
    """A connection that asks one query; it costs the client little, so that servers are measured.

    Raises ConnectionError if an answer is not one of 200 with its length.
    """

    def __init__(self, url: str, path: str, forms: Iterator[Form]) -> None:
        address = urlsplit(url)
        assert address.hostname
        assert address.port
        self._socket = socket.create_connection((address.hostname, address.port), _TIMEOUT)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        head = f"GET {path}?%s HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n"
        self._requests = ((head % urlencode(form)).encode() for form in forms)

    def ask(self) -> bytes:
        """The body of the answer."""
        self._socket.sendall(next(self._requests))
        received = b""
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += self._more()
        head = received[:end].lower()
        if not head.startswith(b"http/1.1 200") or _LENGTH not in head:
            raise ConnectionError(received[:500])
        length = int(head.partition(_LENGTH)[2].split(b"\r\n", 1)[0])
        while len(received) < end + 4 + length:
            received += self._more()
        return received[end + 4 :]

    def close(self) -> None:
        """Ends the connection."""
        self._socket.close()

    def _more(self) -> bytes:
        if not (part := self._socket.recv(1 << 16)):
            raise ConnectionError("the server closed the connection")
        return part


def hammered(server: Running, path: str, asked: Sequence[Iterator[Form]], requests: int) -> Blows:
    """So many requests over a connection for each of `asked`, which waits for its answers."""
    connections = [Connection(server.url, path, forms) for forms in asked]
    clients = len(connections)
    try:
        with ThreadPoolExecutor(clients) as pool:
            spent, begun = server.processor_seconds(), time.perf_counter()
            tasks = [pool.submit(_asked, one, requests // clients) for one in connections]
            each = [seconds for one in tasks for seconds in one.result()]
            seconds = time.perf_counter() - begun
        return Blows(each, seconds, server.processor_seconds() - spent)
    finally:
        for one in connections:
            one.close()


def _asked(connection: Connection, times: int) -> list[float]:
    each = []
    for _ in range(times):
        begun = time.perf_counter()
        connection.ask()
        each.append(time.perf_counter() - begun)
    return each
