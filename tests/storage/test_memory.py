"""The store in this process finds what matchers say, in label order, and grows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.model.errors import BadData, LimitExceeded, TooManySamples
from bridge.model.labels import Labels, Matcher, MatchType, matches_all
from bridge.storage.interface import Purpose, ReadOptions, Select
from bridge.storage.memory import MemoryStore
from tests.storage.blocks import Points, labels, literal, plain

OPTIONS = ReadOptions()
A, B = labels(__name__="m", job="a"), labels(__name__="m", job="b")
SERIES: dict[Labels, Points] = {B: [(10, 1.0), (20, 2.0), (30, 3.0)], A: [(10, 5.0)]}

matchers = st.lists(
    st.builds(
        Matcher,
        st.sampled_from(["__name__", "job", "none"]),
        st.sampled_from(list(MatchType)),
        st.sampled_from(["", "a", "b", "m", ".*", ".+", "a|b", "a|"]),
    ),
    max_size=3,
).map(tuple)


@given(matchers, st.integers(0, 40), st.integers(0, 40))
async def test_a_select_is_what_a_scan_would_find(
    wanted: tuple[Matcher, ...], start: int, end: int
) -> None:
    store = MemoryStore(literal(SERIES))
    selection = await store.select(Select(wanted, start, end), OPTIONS)
    scanned = {
        one: [point for point in SERIES[one] if start <= point[0] <= end]
        for one in (A, B)
        if matches_all(wanted, one)
    }
    assert plain(selection.block) == {one: points for one, points in scanned.items() if points}
    assert list(selection.block.labels) == [one for one, points in scanned.items() if points]


async def test_appended_samples_are_found_and_earlier_answers_stay_as_they_were() -> None:
    store = MemoryStore(literal(SERIES))
    everything = Select((), 0, 1 << 40)
    before = await store.select(everything, OPTIONS)
    for time in range(100, 200):
        store.append(A, [time], [float(time)])
    new = labels(__name__="aaa")
    store.append(new, [7], [7.0])
    assert plain(before.block) == {A: list(SERIES[A]), B: list(SERIES[B])}
    after = plain((await store.select(everything, OPTIONS)).block)
    assert list(after) == [new, A, B]
    assert after[A] == [(10, 5.0), *((time, float(time)) for time in range(100, 200))]


async def test_series_purpose_gives_labels_of_series_with_samples_in_the_range() -> None:
    store = MemoryStore(literal(SERIES))
    selection = await store.select(Select((), 15, 30, Purpose.SERIES), OPTIONS)
    assert plain(selection.block) == {B: []}


async def test_limits_on_what_is_held() -> None:
    store = MemoryStore(literal(SERIES))
    select = Select((), 0, 100)
    assert (await store.select(select, ReadOptions(max_samples=4, max_bytes=64))).block.samples == 4
    with pytest.raises(TooManySamples):
        await store.select(select, ReadOptions(max_samples=3))
    with pytest.raises(LimitExceeded, match=r"query\.max_bytes \(63\)"):
        await store.select(select, ReadOptions(max_bytes=63))


@pytest.mark.parametrize(
    ("times", "values"),
    [([40, 40], [1.0, 2.0]), ([30], [1.0]), ([5], [1.0]), ([40], [])],
    ids=["equal", "held already", "older", "lengths differ"],
)
def test_samples_that_do_not_fit_are_refused(times: list[int], values: list[float]) -> None:
    store = MemoryStore(literal(SERIES))
    with pytest.raises(BadData, match="times"):
        store.append(B, times, values)
