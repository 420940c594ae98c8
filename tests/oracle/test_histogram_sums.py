"""Sums of native histograms differ from 3.5.3's in the way of adding up, and in nothing else."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import numpy as np
import pytest

from bridge.model.histogram import Histogram
from tests.oracle.histogram_sums import Answer, Ask, explained
from tests.oracle.series import Dataset, NativeData
from tests.oracle.writer import write_prometheus
from tests.servers.fixtures import BridgeFactory, PrometheusFactory
from tests.servers.prometheus import PrometheusOptions

START = 1_767_600_000_000  # ms
TIMES = START + 15_000 * np.arange(120, dtype=np.int64)
# Names in the order in which they are written: Prometheus adds in the one, prombridge in the other.
NAMES = [f"{number:02}" for number in range(40)]

SUMS = (
    "sum(h)",
    "sum(rate(h[2m]))",
    "histogram_count(sum(rate(h[2m])))",
    "histogram_sum(sum(h))",
)


def _series(name: str) -> NativeData:
    draw = np.random.default_rng(int(name))
    rises = draw.integers(0, 30, (len(TIMES), 6)).cumsum(axis=0).astype(float).tolist()
    totals = np.cumsum(draw.exponential(10.0 ** draw.integers(-3, 6), len(TIMES))).tolist()
    return NativeData({"__name__": "h", "l": name}, TIMES, list(map(_histogram, rises, totals)))


def _histogram(counts: list[float], total: float) -> Histogram:
    return Histogram(
        schema=1,
        count=sum(counts),
        sum=total,
        zero_count=counts[0],
        zero_threshold=0.001,
        positive_spans=((0, 2), (1, 1)),
        positive=tuple(counts[1:4]),
        negative_spans=((0, 2),),
        negative=tuple(counts[4:]),
    )


@pytest.fixture(scope="module")
def asks(
    prometheus_server: PrometheusFactory, bridge_server: BridgeFactory
) -> Iterator[tuple[Ask, Ask]]:
    """How to ask 3.5.3, and a prombridge that reads from it."""
    flags = ("--enable-feature=native-histograms",)
    store = prometheus_server(PrometheusOptions(flags=flags))
    histograms = tuple(map(_series, NAMES))
    write_prometheus(store.url, Dataset((), START, int(TIMES[-1]), histograms))
    bridge = bridge_server(f"{store.url}/api/v1/read")
    with httpx.Client(timeout=60) as client:
        yield _asking(client, store.url), _asking(client, bridge.url)


def _asking(client: httpx.Client, url: str) -> Ask:
    times = {"start": START / 1000 + 300, "end": START / 1000 + 1700, "step": 20}

    def ask(text: str) -> Answer:
        answer = client.post(f"{url}/api/v1/query_range", data={"query": text, **times})
        assert answer.is_success, answer.text
        return answer.json()["data"]

    return ask


@pytest.mark.parametrize("text", SUMS)
def test_the_older_added_plainly_and_the_newer_by_neumaier(
    asks: tuple[Ask, Ask], text: str
) -> None:
    theirs, ours = asks
    assert theirs(text) != ours(text)
    assert explained(text, theirs, ours)


def test_there_is_no_difference_in_what_is_added(asks: tuple[Ask, Ask]) -> None:
    theirs, ours = asks
    assert theirs("rate(h[2m])") == ours("rate(h[2m])")


def _saying(**answers: Any) -> Ask:
    return lambda text: {"result": answers[text]}


def _rows(*sums: float) -> list[dict[str, Any]]:
    return [{"histograms": [[0, {"count": "1", "sum": repr(one)}]]} for one in sums]


@pytest.mark.parametrize(
    ("plain", "exact", "reason"),
    [
        (1.0, 1.0000000000000002, True),
        (1.0, 1.0, False),
        (1.0, 1.0000000000000004, False),
        (1.0000000000000002, 1.0000000000000002, False),
    ],
)
def test_only_rounding_is_a_reason(plain: float, exact: float, reason: bool) -> None:
    tiny = 2.0**-53
    summands = _rows(1.0, tiny, tiny)
    counted = [{"histograms": [[0, {"count": "3", "sum": repr(plain)}]]}]
    newer = [{"histograms": [[0, {"count": "3", "sum": repr(exact)}]]}]
    theirs = {"sum(x)": counted, "x": summands}
    assert explained("sum(x)", _saying(**theirs), _saying(**{"sum(x)": newer})) is reason


@pytest.mark.parametrize("text", ["avg(x)", "sum by (l) (x)", "x", "histogram_avg(sum(x))"])
def test_nothing_else_is_explained(text: str) -> None:
    asked: Callable[[str], Answer] = _saying(**{text: _rows(1.0), "x": _rows(1.0)})
    assert not explained(text, asked, asked)
