"""Every server of the comparison over the same counters, and the rounds in which they are asked."""

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx

from benchmarks.measure import Contestant
from benchmarks.workload import Workload
from benchmarks.yardstick import load
from tests.oracle.writer import write_prometheus
from tests.servers.bridge import prombridge, reading
from tests.servers.process import Running
from tests.servers.prometheus import PrometheusOptions, prometheus
from tests.servers.victoriametrics import victoriametrics

BEFORE = "Prometheus + remote_read"
LOCAL = "Prometheus, own disk"
COLD = "prombridge, nothing remembered"
WARM = "prombridge, remembering"
VICTORIA = "VictoriaMetrics, uncached"
CACHED = "VictoriaMetrics, cached"
NAMES = (BEFORE, LOCAL, COLD, WARM, VICTORIA, CACHED)

Say = Callable[[str], None]

_SENT = re.compile(
    r'^prometheus_http_response_size_bytes_sum\{handler="/api/v1/read"\} (\S+)$', re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Sides:
    """The servers by contestant, in the order of `NAMES`, and the store that two of them read."""

    store: Running
    servers: Mapping[str, Running]

    def contestants(self) -> tuple[Contestant, ...]:
        """Who is asked, each as it is to be asked."""
        uncached = {COLD, VICTORIA}
        return tuple(
            Contestant(name, self.servers[name].url, {"nocache": "1"} if name in uncached else {})
            for name in NAMES
        )

    def sent(self) -> int:
        """How many bytes the store has sent to readers so far."""
        found = _SENT.search(httpx.get(f"{self.store.url}/metrics", timeout=60).text)
        return round(float(found[1])) if found else 0


@dataclass(frozen=True, slots=True)
class Measured:
    """One query: of each contestant the seconds of every round, and the store's bytes, median."""

    name: str
    seconds: Mapping[str, Sequence[float]]
    read: Mapping[str, int]

    def median(self, who: str) -> float:
        """The median over the rounds, seconds."""
        return median(self.seconds[who])

    def ratio(self, who: str, to: str = BEFORE) -> float:
        """The median over the rounds of who / to; below 1 `who` is faster."""
        pairs = zip(self.seconds[who], self.seconds[to], strict=True)
        return median(one / other for one, other in pairs)


@contextlib.contextmanager
def sides(folder: Path, series: int, hours: float, say: Say) -> Iterator[Sides]:
    """All servers, with the yardstick's counters in the stores."""
    with contextlib.ExitStack() as stack:
        store = stack.enter_context(prometheus(folder / "store"))
        data = load(store, series, hours, say)
        victoria = stack.enter_context(victoriametrics(folder / "victoria"))
        write_prometheus(victoria.url, data)
        # What was written shows after a moment.
        httpx.get(f"{victoria.url}/internal/force_flush", timeout=60)
        say("VictoriaMetrics has the same")
        config = reading(f"{store.url}/api/v1/read")
        before = stack.enter_context(prometheus(folder / "before", PrometheusOptions(config)))
        after = stack.enter_context(prombridge(folder / "after", config))
        running = (before, store, after, after, victoria, victoria)
        yield Sides(store, dict(zip(NAMES, running, strict=True)))


def measured(over: Sides, workload: Workload, rounds: int, say: Say) -> Measured:
    """Asks everybody in turn, over a window that moves on by one step with each round."""
    contestants = over.contestants()
    for one in contestants:
        one.ask(workload.moved_back(rounds))
    seconds: dict[str, list[float]] = {name: [] for name in NAMES}
    read: dict[str, list[int]] = {name: [] for name in NAMES}
    for number in range(rounds):
        window = workload.moved_back(rounds - 1 - number)
        first = number % len(contestants)
        for one in (*contestants[first:], *contestants[:first]):
            sent = over.sent()
            seconds[one.name].append(one.ask(window)[0])
            read[one.name].append(over.sent() - sent)
    say(workload.name + ": " + " ".join(f"{median(seconds[name]):.3f}" for name in NAMES))
    return Measured(
        workload.name, seconds, {name: round(median(each)) for name, each in read.items()}
    )
