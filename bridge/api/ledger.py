"""The queries under way, and what is kept of those that are over: log lines and counters."""

import itertools
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from bridge.api.envelope import go_json
from bridge.api.origin import Origin
from bridge.engine.query import Stats
from bridge.model.errors import BridgeError
from bridge.model.time import Steps
from bridge.telemetry.lines import LineFile
from bridge.telemetry.queries import QueryMetrics
from bridge.telemetry.trace import Trace, current

_LOG: Final = logging.getLogger(__name__)
_SLOW: Final = "slow query"


@dataclass(slots=True, eq=False)
class Entry:
    """A query under way; `begun` is Unix ms."""

    number: int
    text: str
    steps: Steps
    origin: Origin
    begun: int
    trace: Trace
    stats: Stats = field(default_factory=Stats)
    clock: float = field(default_factory=time.perf_counter)

    @property
    def seconds(self) -> float:
        """How long it has been going on."""
        return time.perf_counter() - self.clock

    def given(self, stats: Stats) -> None:
        """Its answer is one that was evaluated for somebody else at this cost."""
        self.stats = _again(stats)


@dataclass(slots=True, eq=False)
class Ledger:
    """Knows every query under way.

    `log` gets a line for each query that was evaluated, as Prometheus writes it; `slow_log`, or the
    process' log without it, one for each that took more than `slow_after` seconds (0: none). Those
    of an answer that is written while it is sent come when that is done.
    """

    metrics: QueryMetrics
    now: Callable[[], int]
    log: LineFile | None = None
    slow_log: LineFile | None = None
    slow_after: float = 0.0
    _active: dict[int, Entry] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def active(self) -> tuple[Entry, ...]:
        """The queries under way, the oldest first."""
        return tuple(self._active.values())

    @contextmanager
    def entry(self, text: str, steps: Steps, origin: Origin) -> Iterator[Entry]:
        """A query that is under way within; it may end in an error."""
        trace = current() or Trace()
        entry = Entry(next(self._numbers), text, steps, origin, self.now(), trace)
        self._active[entry.number] = entry
        error = ""
        try:
            yield entry
        except BridgeError as failed:
            error = str(failed)
            raise
        except BaseException as failed:
            error = type(failed).__name__
            raise
        finally:
            del self._active[entry.number]
            self._over(entry, error)

    def known(self, text: str, steps: Steps, origin: Origin, stats: Stats) -> None:
        """A query that was over at once, for its answer was known; `stats` are the first one's."""
        self.metrics.ended((origin.dashboard, origin.user), origin.tenant, 0.0, 0, 0)
        if self.log is not None:
            trace, number = current() or Trace(), next(self._numbers)
            entry = Entry(number, text, steps, origin, self.now(), trace, _again(stats))
            self._say(entry, entry.seconds, "")

    def close(self) -> None:
        """Writes what waits."""
        for file in (self.log, self.slow_log):
            if file is not None:
                file.close()

    def _over(self, entry: Entry, error: str) -> None:
        seconds, stats = entry.seconds, entry.stats
        origin = entry.origin
        self.metrics.ended(
            (origin.dashboard, origin.user),
            origin.tenant,
            seconds,
            stats.samples_read,
            stats.received_bytes,
        )
        if not stats.timings:
            # It was refused before it began: a matter of the log of errors.
            return
        say = partial(self._say, entry, seconds, error)
        if entry.trace.streamed:
            entry.trace.behind.append(say)
        else:
            say()

    def _say(self, entry: Entry, seconds: float, error: str) -> None:
        if self.log is not None:
            self.log.add(_line("promql query logged", entry, seconds, error))
        if 0 < self.slow_after < seconds:
            self._slow(entry, seconds, error)

    def _slow(self, entry: Entry, seconds: float, error: str) -> None:
        if self.slow_log is not None:
            self.slow_log.add(_line(_SLOW, entry, seconds, error))
            return
        known = {"error": error} if error else {}
        shown = {"query": entry.text, "seconds": f"{seconds:.3f}"} | entry.origin.named() | known
        _LOG.warning(_SLOW, extra=shown)


def _again(stats: Stats) -> Stats:
    """What an answer costs when it is known: no time, and nothing is read."""
    none = dict.fromkeys(stats.timings, 0.0)
    return replace(stats, timings=none, samples_read=0, received_bytes=0)


def _line(message: str, entry: Entry, seconds: float, error: str) -> bytes:
    """A query as a line of JSON: Prometheus' fields, then ours.

    Source: promql/engine.go (exec) of Prometheus.
    """
    stats, (trace_id, span_id) = entry.stats, entry.trace.tracer.ids()
    line: dict[str, Any] = {
        "time": datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "level": "INFO",
        "source": "ledger.py",
        "msg": message,
        "params": {
            "end": rfc3339(entry.steps.end),
            "query": entry.text,
            "start": rfc3339(entry.steps.start),
            "step": 0 if entry.steps.instant else entry.steps.interval // 1000,
        },
        **({"error": error} if error else {}),
        "stats": {"timings": stats.timings, "samples": samples_of(stats)},
        "spanID": span_id,
        "traceID": trace_id,
        "httpRequest": {
            "clientIP": entry.origin.client,
            "method": entry.origin.method,
            "path": entry.origin.path,
        },
        **entry.origin.named(),
        "cost": {
            "seconds": seconds,
            "receivedBytes": stats.received_bytes,
            "knownSteps": stats.known_steps,
        },
        "stages": {str(stage): spent for stage, spent in entry.trace.seconds().items()},
    }
    return go_json(line)


def samples_of(stats: Stats) -> dict[str, int]:
    """Counts of samples under Prometheus' names."""
    return {
        "totalQueryableSamples": stats.queryable_samples,
        "samplesRead": stats.samples_read,
        "peakSamples": stats.peak_samples,
    }


def rfc3339(milliseconds: int) -> str:
    """A moment (Unix ms) as Prometheus writes it in its query log."""
    try:
        moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        # Beyond the calendar's years; Prometheus writes such moments in its own way.
        return f"{milliseconds / 1000:.3f}"
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
