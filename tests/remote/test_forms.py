"""The cheaper form of an answer is asked for, and both forms give the same."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.model.labels import Labels
from bridge.remote.client import RemoteStore
from bridge.remote.forms import Forms, Habit, Sent, learned
from bridge.remote.settings import ResponseType, StoreSettings
from bridge.storage.interface import Select, Selection
from tests.oracle.series import Dataset, SeriesData
from tests.oracle.writer import write_prometheus
from tests.remote.stores import (
    END,
    OPTIONS,
    START,
    UP,
    equals,
    found,
    remote,
    reply,
    store,
    streamed_reply,
)
from tests.remote.test_client import WIRE_A, A
from tests.remote.wires import sampled_body, streamed_body, wire
from tests.servers.fixtures import PrometheusFactory
from tests.servers.prometheus import PrometheusOptions

STREAMED, SAMPLES = ResponseType.STREAMED, ResponseType.SAMPLES
EITHER = (STREAMED, SAMPLES)
X, Y = (equals("__name__", "x"),), (equals("__name__", "y"),)
HOUR, MINUTE = 3_600_000, 60_000
# 3,000 counters, six hours at 15 s: 12 chunks of 120 samples and 150 bytes each.
COLD = Sent(
    series=3000,
    chunks=36_000,
    chunk_samples=36_000 * 120,
    chunk_bytes=36_000 * 150,
    chunk_span=36_000 * 119 * 15_000,
)
RECEIVED = 36_000 * (150 + 24) + 3000 * 60


def seen(forms: Forms) -> Forms:
    forms.saw(X, COLD, RECEIVED, 6 * HOUR)
    return forms


def test_nothing_known_is_asked_as_offered() -> None:
    assert Forms().order(X, MINUTE, EITHER) == EITHER
    assert Forms().order(X, MINUTE, (SAMPLES, STREAMED)) == (SAMPLES, STREAMED)


@pytest.mark.parametrize(
    ("length", "first"),
    [
        (0, SAMPLES),
        (30_000, SAMPLES),
        (MINUTE, SAMPLES),
        (HOUR, STREAMED),
        (6 * HOUR, STREAMED),
    ],
)
def test_short_reads_are_sampled_and_long_ones_streamed(length: int, first: ResponseType) -> None:
    assert seen(Forms()).order(X, length, EITHER)[0] is first


def test_another_selector_is_taken_to_be_like_the_latest() -> None:
    assert seen(Forms()).order(Y, 30_000, EITHER) == (SAMPLES, STREAMED)


@pytest.mark.parametrize("only", [(STREAMED,), (SAMPLES,)])
def test_a_store_that_offers_one_form_is_asked_for_that(only: tuple[ResponseType]) -> None:
    assert seen(Forms()).order(X, 30_000, only) == only


def test_a_selector_whose_samples_were_doubtful_is_streamed_and_no_other() -> None:
    forms = seen(Forms())
    forms.stream_only(X)
    forms.saw(X, COLD, RECEIVED, 6 * HOUR)
    assert forms.order(X, 30_000, EITHER) == EITHER
    assert forms.order(Y, 30_000, EITHER) == (SAMPLES, STREAMED)


def test_samples_that_prove_large_are_not_asked_for_as_long() -> None:
    forms = seen(Forms())
    assert forms.order(X, 3 * MINUTE, EITHER)[0] is SAMPLES
    forms.saw(X, Sent(3000, 3000 * 12), 3000 * 12 * 22, 3 * MINUTE)
    assert forms.order(X, 3 * MINUTE, EITHER)[0] is STREAMED


def test_an_empty_answer_teaches_nothing() -> None:
    habit = learned(None, COLD, RECEIVED, 6 * HOUR)
    assert learned(habit, Sent(), 2, MINUTE) == habit
    assert learned(None, Sent(3, 10), 200, MINUTE) is None


@given(
    st.builds(
        Habit,
        st.floats(1, 1e6),
        st.floats(1, 1000),
        st.floats(25, 2000),
        st.floats(1, 240),
        st.floats(4, 20),
    ),
    st.integers(0, 30 * 24 * HOUR),
)
def test_samples_are_asked_for_where_they_promise_to_be_smaller(habit: Habit, length: int) -> None:
    streamed, sampled = habit.streamed(length), habit.sampled(length)
    assert (habit.cheaper(length) is SAMPLES) == (sampled < 0.75 * streamed)
    assert replace(habit, streamed_only=True).cheaper(length) is STREAMED


def test_what_is_remembered_of_selectors_is_bounded() -> None:
    forms = Forms()
    for number in range(3000):
        forms.saw((equals("n", str(number)),), COLD, RECEIVED, HOUR)
    assert len(forms._habits) <= 1000


async def test_a_zero_that_may_be_a_minus_zero_is_asked_for_again_once() -> None:
    """A SAMPLES body says nothing of a value that equals zero."""
    times = [START + 15_000 * at for at in range(40)]
    long = wire({"__name__": "up", "job": "a"}, *((at, -0.0) for at in times))
    streamed = streamed_reply(streamed_body([long]))
    sampled = reply(sampled_body([wire({"__name__": "up", "job": "a"}, (times[0], 0.0))]))
    short = replace(UP, end=START + 10_000)
    async with store(streamed, sampled, streamed, streamed) as made:
        client = remote(made.url, response_types=EITHER)
        await client.select(UP, OPTIONS)
        answers = [await client.select(short, OPTIONS) for _ in range(2)]
        await client.aclose()
    for answer in answers:
        assert str(found(answer)) == str({A: [(times[0], -0.0)]})
    assert len(made.asked) == 4


async def test_a_sampled_only_store_is_believed_its_zeros() -> None:
    sampled = reply(sampled_body([wire({"__name__": "up", "job": "a"}, (START, 0.0))]))
    async with store(sampled) as made:
        client = remote(made.url, response_types=(SAMPLES,))
        await client.select(UP, OPTIONS)
        await client.aclose()
    assert len(made.asked) == 1


async def test_a_store_that_streams_nothing_though_asked_to_is_believed() -> None:
    sampled = reply(sampled_body([WIRE_A, wire({"__name__": "up", "job": "b"}, (END, 0.0))]))
    async with store(sampled) as made:
        client = remote(made.url, response_types=EITHER)
        await client.select(UP, OPTIONS)
        await client.select(UP, OPTIONS)
        await client.aclose()
    assert len(made.asked) == 2


@dataclass
class Counted:
    """What each request to a store brought, in bytes."""

    received: list[int] = field(default_factory=list)

    def request_ended(self, _: str, code: str, __: float, received_bytes: int, ___: int) -> None:
        assert code == "200"
        self.received.append(received_bytes)


def _counters(end: int) -> Dataset:
    rng = np.random.default_rng(3)
    series = []
    for number in range(300):
        times = end - np.arange(1440, dtype=np.int64)[::-1] * 15_000 + number
        values = np.cumsum(rng.integers(1, 50, len(times))).astype(np.float64)
        labels = {"__name__": "x", "instance": f"10.0.0.{number}:9100", "job": "node"}
        series.append(SeriesData(labels, times, values))
    return Dataset(tuple(series), int(end - 6 * HOUR), int(end + 15_000))


async def test_the_form_chosen_before_a_real_store_is_the_smaller_and_tells_the_same(
    prometheus_server: PrometheusFactory,
) -> None:
    now = 1_767_614_400_000  # 2026-01-05T12:00:00Z
    server = prometheus_server(PrometheusOptions())
    write_prometheus(server.url, _counters(now))
    url = f"{server.url}/api/v1/read"
    counted = {kind: Counted() for kind in (STREAMED, SAMPLES, None)}
    stores = {
        kind: RemoteStore(StoreSettings("a", url, response_types=(kind,) if kind else EITHER),
                          observer=one)
        for kind, one in counted.items()
    }  # fmt: skip
    windows = [(now - 6 * HOUR, now)]
    windows += [
        (end - length, end)
        for end in (now, now - HOUR - 7_000)
        for length in (14_000, 30_000, 5 * MINUTE, 11 * MINUTE, HOUR)
    ]
    for start, end in windows:
        answers = [await one.select(Select(X, start, end), OPTIONS) for one in stores.values()]
        assert len({_text(answer) for answer in answers}) == 1
    for one in stores.values():
        await one.aclose()
    rows = list(zip(*(one.received for one in counted.values()), strict=True))
    # The newest chunk is still short, which is not known before it is read.
    for window, (streamed, sampled, chosen) in zip(windows, rows, strict=True):
        assert chosen <= 1.4 * min(streamed, sampled), window
    assert sum(row[2] for row in rows) <= 1.1 * sum(min(row) for row in rows)


def _text(selection: Selection) -> str:
    rows: dict[Labels, list[tuple[int, float]]] = found(selection)
    return str(rows)
