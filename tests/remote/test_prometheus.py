"""A real Prometheus: what it streams and what it samples is the same, and is what was written."""

import time

import numpy as np
import pytest

from bridge.model.labels import Labels, Matcher, MatchType
from bridge.remote.client import RemoteStore
from bridge.remote.settings import ResponseType, StoreSettings
from bridge.storage.interface import Purpose, ReadOptions, Select, Selection
from tests.oracle.series import STALE, Dataset, SeriesData
from tests.oracle.writer import write_prometheus
from tests.remote.stores import equals
from tests.servers.fixtures import PrometheusFactory
from tests.servers.prometheus import PrometheusOptions

SERIES, SAMPLES, STEP = 50, 500, 15_000
MINUS_ZERO = -(2**63)


def dataset(end: int) -> Dataset:
    """Counters, noise, constants; gaps, staleness markers, special values."""
    rng = np.random.default_rng(7)
    series = []
    for number in range(SERIES):
        times = end - np.arange(SAMPLES, dtype=np.int64)[::-1] * STEP
        times += rng.integers(-5, 6) if number % 2 else rng.integers(-50, 50, SAMPLES)
        values = (
            np.cumsum(rng.integers(0, 50, SAMPLES)).astype(np.float64),
            rng.normal(size=SAMPLES),
            np.full(SAMPLES, 3.25),
        )[number % 3]
        values[rng.integers(0, SAMPLES, 5)] = [STALE, np.nan, np.inf, -0.0, 5e-324]
        kept = np.sort(rng.permutation(SAMPLES)[: SAMPLES - number])
        names = {"__name__": "x", "n": f"{number:02}", "text": "ünï\tcode"}
        series.append(SeriesData(names, times[kept], values[kept]))
    return Dataset(tuple(series), int(end - SAMPLES * STEP), int(end + STEP))


async def read(url: str, select: Select, kind: ResponseType) -> Selection:
    """One read, by one kind of answer."""
    store = RemoteStore(StoreSettings("a", f"{url}/api/v1/read", response_types=(kind,)))
    try:
        return await store.select(select, ReadOptions())
    finally:
        await store.aclose()


@pytest.fixture(scope="module")
def held(prometheus_server: PrometheusFactory) -> tuple[str, Dataset]:
    """A Prometheus and what it holds."""
    data = dataset(int(time.time() * 1000) // STEP * STEP - 10 * STEP)
    server = prometheus_server(PrometheusOptions())
    write_prometheus(server.url, data)
    return server.url, data


@pytest.mark.parametrize("kind", list(ResponseType))
async def test_reads_are_what_was_written(held: tuple[str, Dataset], kind: ResponseType) -> None:
    url, data = held
    start, end = data.start + 50 * STEP, data.end - 70 * STEP
    select = Select((equals("__name__", "x"),), start, end)
    selection = await read(url, select, kind)
    columns = selection.block.columns()
    assert len(selection.block) == SERIES
    for row, one in enumerate(data.series):
        inside = (one.timestamps >= start) & (one.timestamps <= end)
        low, high = columns.offsets[row : row + 2]
        assert selection.block.labels[row] is Labels.of(one.labels)
        assert columns.timestamps[low:high].tolist() == one.timestamps[inside].tolist()
        wanted = one.values[inside].view(np.int64)
        if kind is ResponseType.SAMPLES:
            # Go's protobuf leaves out a field that equals zero, and so sends -0 as 0.
            wanted = np.where(wanted == MINUS_ZERO, 0, wanted)
        assert columns.values[low:high].view(np.int64).tolist() == wanted.tolist()


@pytest.mark.parametrize("kind", list(ResponseType))
async def test_series_are_found_without_samples(
    held: tuple[str, Dataset], kind: ResponseType
) -> None:
    url, data = held
    matcher = Matcher("n", MatchType.REGEXP, "0[1-3]")
    select = Select((matcher,), data.start, data.end, Purpose.SERIES)
    selection = await read(url, select, kind)
    assert [labels.get("n") for labels in selection.block.labels] == ["01", "02", "03"]
    assert kind is ResponseType.STREAMED or selection.block.samples == 0
