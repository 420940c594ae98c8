"""A window of six hours moved by one step: what a refresh reads and takes, near and far away."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, median
from typing import Final

import httpx

from benchmarks.delay import distant
from benchmarks.measure import Contestant, Likeness, alike
from benchmarks.workload import INTERVAL, Workload, counters
from bridge.cache.settings import CacheSettings
from bridge.model.labels import Matcher, MatchType
from bridge.remote.settings import ResponseType
from bridge.remote.wire import REQUEST_HEADERS, read_request
from bridge.storage.interface import Select
from tests.oracle.series import Dataset, SeriesData
from tests.oracle.writer import write_prometheus
from tests.servers.bridge import prombridge, reading
from tests.servers.process import Running
from tests.servers.prometheus import PrometheusOptions, prometheus

Say = Callable[[str], None]

_ROUND_TRIP: Final = 0.05  # seconds, of the store that is far away
_HOURS: Final = 6
_STEP: Final = INTERVAL // 1000
_AGO: Final = 15 * 60  # seconds before now at which the old window ends at last
_HORIZON: Final = 10 * 60
# Refreshes of a settled window until all that may be read ahead is used up.
_ROUND: Final = CacheSettings().read_ahead // INTERVAL + 1
_AHEAD: Final = 45 * 60_000  # ms of data that are written while the benchmark runs
_RECEIVED: Final = "prombridge_upstream_received_bytes_total"
_X: Final = (Matcher("__name__", MatchType.EQUAL, "x"),)


@dataclass(frozen=True, slots=True)
class Target:
    """What a refresh may take: bytes as a share of a read, time as a share of Prometheus'."""

    name: str
    ratio: float
    share: float = 0.0


@dataclass(slots=True)
class Refreshes:
    """What one kind of window came to, refresh by refresh: seconds, and bytes from the store.

    `processor`: prombridge's processor time as a share of Prometheus', which says something even
    where others are at work.
    """

    target: Target
    before: list[float] = field(default_factory=list)
    after: list[float] = field(default_factory=list)
    received: list[int] = field(default_factory=list)
    beside: list[int] = field(default_factory=list)
    store: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    likeness: Likeness = Likeness.EQUAL

    def line(self) -> str:
        """A row of the table."""
        ratio = median(b / a for a, b in zip(self.before, self.after, strict=True))
        together = sum(self.after) / sum(self.before)
        share = sum(self.received) / sum(self.beside)
        wanted = f"{share:.3f} (≤ {self.target.share:g})" if self.target.share else f"{share:.3f}"
        return (
            f"| {self.target.name} | {len(self.after)} | {median(self.before):.3f}"
            f" | {median(self.after):.3f} | {max(self.after):.3f}"
            f" | {ratio:.3f} (≤ {self.target.ratio:g}) | {together:.3f}"
            f" | {median(self.processor):.3f} | {sum(map(bool, self.received))}"
            f" | {mean(self.received):.0f}"
            f" | {wanted} | {median(self.store):.3f} | {self.likeness} |"
        )


@dataclass(frozen=True, slots=True)
class _Place:
    """Both contestants at one distance of the store; bytes are those that prombridge received."""

    before: Contestant
    after: Contestant
    servers: Mapping[str, Running]

    def received(self, ask: Callable[[], object]) -> int:
        """The bytes that prombridge receives while something is asked."""
        held = self._figure()
        ask()
        return self._figure() - held

    def _figure(self) -> int:
        lines = httpx.get(f"{self.after.url}/metrics", timeout=60).text.splitlines()
        return round(sum(float(one.split()[-1]) for one in lines if one.startswith(_RECEIVED)))


def measured(folder: Path, series: int, rounds: int, say: Say) -> str:
    """The table; takes some 15 s a round, since the newest window moves in real time."""
    now = time.time_ns() // 1_000_000 // INTERVAL * INTERVAL
    data = counters(series, _HOURS + 1 / 3 + _AHEAD / 3_600_000, now + _AHEAD)
    with contextlib.ExitStack() as stack:
        store = stack.enter_context(prometheus(folder / "store"))
        feed = Feed(store, data)
        feed.until_now()
        say(f"wrote {_HOURS} h of {series} counters up to now")
        far = stack.enter_context(distant(store.url, _ROUND_TRIP))
        near_place = stack.enter_context(_place(folder / "near", store.url))
        far_place = stack.enter_context(_place(folder / "far", far))
        made = []
        delay = f"{_ROUND_TRIP * 1000:.0f} ms away"
        for place, where, old, new in (
            (near_place, "loopback", 0.15, 0.35),
            (far_place, delay, 0.1, 0.3),
        ):
            target = Target(f"ended {_AGO // 60} min ago, {where}", old, 0.05)
            made.append(_old(place, store, max(rounds, _ROUND), target, say))
            target = Target(f"ends now, {where}", new, 1.1)
            made.append(_newest(place, store, feed, rounds, target, say))
        return _table(made, series)


@contextlib.contextmanager
def _place(folder: Path, url: str) -> Iterator[_Place]:
    config: Mapping[str, object] = reading(f"{url}/api/v1/read")
    with (
        prometheus(folder / "before", PrometheusOptions(config=config)) as before,
        prombridge(folder / "after", config) as after,
    ):
        yield _Place(
            Contestant("Prometheus + remote_read", before.url, {}),
            Contestant("prombridge", after.url, {}),
            {"Prometheus + remote_read": before, "prombridge": after},
        )


@dataclass(slots=True)
class Feed:
    """Writes samples into the store once their time has come."""

    store: Running
    data: Dataset
    _written: int = 0

    def until_now(self) -> int:
        """Writes up to now; returns now, ms."""
        now = time.time_ns() // 1_000_000
        parts = (self._part(one, now) for one in self.data.series)
        start = max(self._written, self.data.start)
        write_prometheus(self.store.url, Dataset(tuple(parts), start, now))
        self._written = now + 1
        return now

    def _part(self, one: SeriesData, end: int) -> SeriesData:
        times = one.timestamps
        inside = (times >= self._written) & (times <= end)
        return SeriesData(one.labels, times[inside], one.values[inside])


def _window(end: int) -> Workload:
    return Workload("sum(rate(x[5m]))", hours=_HOURS, step=_STEP, end=end)


def _old(place: _Place, store: Running, rounds: int, target: Target, say: Say) -> Refreshes:
    """Windows that end long ago; beside them the bytes of the first read, of all six hours."""
    made = Refreshes(target)
    last = int(time.time() - _AGO) // _STEP * _STEP
    first = last - rounds * _STEP
    cold = place.received(lambda: place.after.ask(_window(first)))
    place.before.ask(_window(first))
    for number in range(1, rounds + 1):
        end = first + number * _STEP
        _pair(place, made, end, number, say)
        made.beside.append(cold)
        made.store.append(_alone(store, (end - _STEP) * 1000 + 1, end * 1000))
    return made


def _newest(
    place: _Place, store: Running, feed: Feed, rounds: int, target: Target, say: Say
) -> Refreshes:
    """Windows that end now; beside each the bytes of one read of the horizon and the step."""
    made = Refreshes(target)
    previous = feed.until_now() // INTERVAL * _STEP
    place.after.ask(_window(previous))
    place.before.ask(_window(previous))
    for number in range(1, rounds + 1):
        time.sleep(max(previous + _STEP - time.time() + 0.1, 0))
        end = feed.until_now() // INTERVAL * _STEP
        _pair(place, made, end, number, say)
        length = _HORIZON + end - previous
        query = {"query": f"count(count_over_time(x[{length}s]))", "time": end, "nocache": "1"}
        url = f"{place.after.url}/api/v1/query"
        made.beside.append(place.received(lambda: httpx.post(url, data=query, timeout=60)))  # noqa: B023
        made.store.append(_alone(store, (end - length) * 1000, end * 1000))
        previous = end
    return made


def _pair(place: _Place, made: Refreshes, end: int, number: int, say: Say) -> None:
    window, answers, used = _window(end), {}, {}

    def ask(one: Contestant) -> None:
        held = place.servers[one.name].processor_seconds()
        answers[one.name] = one.ask(window)
        used[one.name] = place.servers[one.name].processor_seconds() - held

    if number % 2:
        ask(place.before)
    made.received.append(place.received(lambda: ask(place.after)))
    if not number % 2:
        ask(place.before)
    (before, expected), (after, got) = answers[place.before.name], answers[place.after.name]
    made.before.append(before)
    made.after.append(after)
    made.processor.append(used[place.after.name] / max(used[place.before.name], 0.01))
    made.likeness = max(made.likeness, alike(expected, got), key=list(Likeness).index)
    say(f"{made.target.name} {number}: {before:.3f} {after:.3f}, {made.received[-1]} bytes")


def _alone(store: Running, start: int, end: int) -> float:
    """The seconds that the store itself takes for a read, in the form that it is faster in."""
    return min(_read(store, Select(_X, start, end), kind) for kind in ResponseType)


def _read(store: Running, select: Select, kind: ResponseType) -> float:
    body = read_request(select, (kind,))
    began = time.perf_counter()
    answer = httpx.post(
        f"{store.url}/api/v1/read", content=body, headers=dict(REQUEST_HEADERS), timeout=60
    )
    seconds = time.perf_counter() - began
    answer.raise_for_status()
    return seconds


def _table(made: Sequence[Refreshes], series: int) -> str:
    title = f"`sum(rate(x[5m]))` over {_HOURS} h of {series} counters by {_STEP} s, moved by a step"
    head = (
        "| window | refreshes | Prometheus + remote_read, s | prombridge, s | the slowest, s"
        " | ratio | of all together | of CPU | with a read | bytes a refresh"
        " | of the cold read, or of 10 min + step | the store alone, s | answers |"
    )
    told = (
        "Refreshes follow each other, the first after a cold read included. Times and ratios are"
        " medians of pairs, bytes are those of all refreshes by their number. Of a window that"
        f" ended long ago some of the next {CacheSettings().read_ahead // 60_000} minutes are read"
        " along when it moves, so that most refreshes need no read: there are as many as reach over"
        " these minutes, and the slowest shows what one with a read takes."
    )
    rows = [one.line() for one in made]
    return "\n".join(["", title, "", told, "", head, "|---" * 13 + "|", *rows])
