"""Native histograms as Grafana's own reader takes them, of every kind of bucket."""

import pytest

from bridge.model.histogram import Histogram, Histograms
from bridge.model.labels import Labels
from bridge.storage.memory import MemoryStore
from tests.api import world
from tests.api.world import NOW, START
from tests.grafana.reader import Frame, read

STEP = 15_000
TIMES = range(START, NOW + 1, STEP)


def exponential(scrapes: int) -> Histogram:
    """Buckets on both sides of zero and around it, after so many scrapes."""
    share = float(scrapes)
    return Histogram(
        count=6 * share,
        sum=-1e-7 * share,
        zero_count=2 * share,
        zero_threshold=0.001,
        positive_spans=((0, 1), (1, 1)),
        positive=(share, 2 * share),
        negative_spans=((1, 1),),
        negative=(share,),
    )


def custom(scrapes: int) -> Histogram:
    """Buckets with bounds of their own, the last without end."""
    share = float(scrapes)
    return Histogram(
        schema=-53,
        count=3 * share,
        sum=float("inf"),
        positive_spans=((0, 3),),
        positive=(share,) * 3,
        bounds=(0.5, 2.0),
    )


def store() -> MemoryStore:
    held = MemoryStore()
    for job, histogram in (("exponential", exponential), ("custom", custom)):
        table = Histograms.of([histogram(number) for number in range(1, len(TIMES) + 1)])
        labels = Labels.of({"__name__": "latency_seconds", "job": job})
        held.append_histograms(labels, list(TIMES), table)
    return held


async def frames(path: str, **form: str) -> list[Frame]:
    async with world.client(store()) as client:
        answer = await client.post(f"/api/v1/{path}", data=form)
    return read(answer.status_code, answer.content).frames


@pytest.mark.parametrize("expr", ["latency_seconds", "rate(latency_seconds[1m])"])
async def test_a_panel_gets_a_histogram_at_each_step(expr: str) -> None:
    start, end = (NOW - 300_000) / 1000, NOW / 1000
    got = await frames("query_range", query=expr, start=f"{start}", end=f"{end}", step="60")
    assert {frame.labels["job"]: frame.histograms for frame in got} == {
        "exponential": 6,
        "custom": 6,
    }
    assert not any(frame.times for frame in got)


async def test_a_table_gets_one_histogram_of_each_series() -> None:
    got = await frames("query", query="latency_seconds", time=f"{NOW / 1000}")
    assert [frame.histograms for frame in got] == [1, 1]


async def test_raw_histograms_keep_each_sample() -> None:
    got = await frames("query", query="latency_seconds[1m]", time=f"{NOW / 1000}")
    assert [frame.histograms for frame in got] == [4, 4]


async def test_what_is_computed_from_histograms_is_read_as_numbers() -> None:
    got = await frames("query", query="histogram_count(latency_seconds)", time=f"{NOW / 1000}")
    scrapes = float(len(TIMES))
    assert {frame.labels["job"]: frame.values for frame in got} == {
        "exponential": [6 * scrapes],
        "custom": [3 * scrapes],
    }
