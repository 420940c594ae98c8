"""One replica of an HTTP service: requests by handler and code, and a classic latency histogram."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from bridge.demo.exposition import Exposition, Moment, Row, Writer
from bridge.demo.process import process
from bridge.demo.signals import bursts, day, noise
from bridge.model.samples import Float64s

BOUNDS: Final = (
    *("0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1.0", "2.5", "5.0", "10.0"),
    "+Inf",
)


@dataclass(frozen=True, slots=True)
class Handler:
    """A path of the service: its requests a second at noon and its median latency in seconds."""

    path: str
    method: str
    rate: float
    median: float
    tail: float = 2.6


HANDLERS: Final = (
    Handler("/", "GET", 14.0, 0.012),
    Handler("/api/search", "GET", 6.0, 0.11, tail=2.1),
    Handler("/api/cart", "POST", 2.5, 0.045),
    Handler("/api/checkout", "POST", 0.7, 0.32, tail=2.2),
)


@dataclass(frozen=True, slots=True)
class Service:
    """One replica; `share` scales its part of the traffic."""

    instance: str
    share: float

    def exposition(self, job: str) -> Exposition:
        """The rows of this replica at any time."""

        def rows(moment: Moment) -> Iterator[Row]:
            writer = Writer(job, self.instance, len(moment.ticks))
            wave = 0.15 + 0.85 * day(moment.ticks, 13.5)
            wobble = 1 + 0.15 * noise(moment.ticks, f"{self.instance} traffic", 8)
            # All replicas share the database, so they are slow together.
            slow = 1 + 0.5 * wave + 2.5 * bursts(moment.ticks, "database", 0.02, 40)
            for handler in HANDLERS:
                rate = handler.rate * self.share * wave * wobble
                yield from _requests(writer, handler, rate, slow)
                yield from _latency(writer, handler, rate, handler.median * slow)
            in_flight = np.ceil(sum(h.rate * h.median for h in HANDLERS) * wave * slow * wobble)
            yield writer.gauge("http_requests_in_flight", in_flight)
            yield writer.gauge("app_build_info", 1.0, {"version": "2.14.0", "revision": "9f2c1ab"})
            yield from process(writer, moment, cpu=0.3 * wave * wobble, memory=310e6, files=70)

        return rows


def _requests(writer: Writer, handler: Handler, rate: Float64s, slow: Float64s) -> Iterator[Row]:
    failing = 0.0015 * slow * slow
    shares = {"200": 1 - 0.012 - failing, "404": np.full_like(rate, 0.012), "500": failing}
    of = {"handler": handler.path, "method": handler.method}
    for code, share in shares.items():
        yield writer.counter("http_requests_total", rate * share, {**of, "code": code})


def _latency(writer: Writer, handler: Handler, rate: Float64s, median: Float64s) -> Iterator[Row]:
    # Log-logistic: much like a log-normal, but with a distribution function in plain arithmetic.
    tail = handler.tail
    name, of = "http_request_duration_seconds", {"handler": handler.path, "method": handler.method}
    bounds = np.array([float(bound) for bound in BOUNDS])
    below = 1 / (1 + (median / bounds[:, np.newaxis]) ** tail)
    mean = median * (np.pi / tail) / np.sin(np.pi / tail)
    yield writer.histogram(name, BOUNDS, rate * np.diff(below, axis=0, prepend=0), of)
    yield writer.counter(f"{name}_sum", rate * mean, of, parts=1e6)
