"""What the writer sends is what the store holds, markers and odd floats included."""

from typing import Any

import httpx
import numpy as np
import pytest

from tests.oracle.datasets import END
from tests.oracle.series import STALE, Dataset, SeriesData
from tests.oracle.writer import write_influxdb, write_prometheus, write_request
from tests.servers.fixtures import PrometheusFactory
from tests.servers.process import Running
from tests.servers.prometheus import PrometheusOptions


def small() -> Dataset:
    times = np.array([END - 45_000, END - 30_000, END - 15_000], dtype=np.int64)
    labels = {"__name__": "written", "näme": "wört"}
    series = SeriesData(labels, times, np.array([-0.0, 5e-324, STALE]))
    return Dataset((series,), END - 60_000, END)


def test_prometheus_holds_what_was_written(prometheus_server: PrometheusFactory) -> None:
    server = prometheus_server(PrometheusOptions())
    write_prometheus(server.url, small())
    assert _query(server.url, "written[1m]")[0]["values"] == [
        [(END - 45_000) / 1000, "-0"],
        [(END - 30_000) / 1000, "5e-324"],
    ]
    assert _query(server.url, "written") == []


def test_influxdb_holds_what_was_written(influxd: Running) -> None:
    write_influxdb(influxd.url, "written", small())
    answer = httpx.get(f"{influxd.url}/query", params={"db": "written", "q": "SELECT * FROM /.*/"})
    rows = answer.json()["results"][0]["series"][0]["values"]
    assert len(rows) == 2


def test_generated_data_arrive_whole(oracle: Running, dataset: Dataset) -> None:
    counted = _query(oracle.url, "sum(count_over_time(node_cpu_seconds_total[7h]))")
    series = [one for one in dataset.series if one.labels["__name__"] == "node_cpu_seconds_total"]
    expected = sum(int((~np.isnan(one.values)).sum()) for one in series)
    assert int(counted[0]["value"][1]) == expected


def test_times_outside_the_encoding_are_refused() -> None:
    early = SeriesData({"__name__": "x"}, np.array([5], dtype=np.int64), np.array([1.0]))
    with pytest.raises(ValueError, match="1971"):
        write_request([early])


def _query(url: str, expr: str) -> Any:
    form = {"query": expr, "time": str(END / 1000)}
    return httpx.post(f"{url}/api/v1/query", data=form).json()["data"]["result"]
