"""The demo's data: deterministic, growing without seams, with a reboot and a gap in them."""

import numpy as np
import pytest

from bridge.demo.scrape import STALE, Scraper
from bridge.demo.signals import TICK_MS, TICKS_PER_DAY
from bridge.demo.store import DemoStore, demo_store
from bridge.demo.targets import targets
from bridge.model.labels import METRIC_NAME, Labels, Matcher, MatchType
from bridge.model.samples import Columns, Float64s, Int64s
from bridge.storage.interface import ReadOptions, Select

FIRST = 119_666_666
Series = dict[Labels, tuple[Int64s, Float64s]]


def scraped(cuts: list[int]) -> Series:
    """Every series of the demo, scraped from cut to cut, counted in ticks from the start."""
    pieces: dict[Labels, list[tuple[Int64s, Float64s]]] = {}
    first, *stops = cuts
    scrapers = [Scraper(target, FIRST + first) for target in targets(FIRST)]
    for stop in stops:
        for scraper in scrapers:
            for batch in scraper.scrape(FIRST + stop):
                for labels, values in zip(batch.labels, batch.values, strict=True):
                    pieces.setdefault(labels, []).append((batch.timestamps, values))
    return {
        labels: (np.concatenate([t for t, _ in held]), np.concatenate([v for _, v in held]))
        for labels, held in pieces.items()
    }


@pytest.fixture(scope="module")
def day() -> Series:
    return scraped([0, TICKS_PER_DAY])


def of(series: Series, **wanted: str) -> list[Labels]:
    name = wanted.pop("name")
    return [
        labels
        for labels in series
        if labels.get(METRIC_NAME) == name and all(labels.get(k) == v for k, v in wanted.items())
    ]


def test_data_are_the_same_however_time_is_cut(day: Series) -> None:
    pieces = scraped([0, 1, 700, 3120, 3130, 3148, 3149, 4320, 4440, 5759, TICKS_PER_DAY])
    assert pieces.keys() == day.keys()
    for labels, (timestamps, values) in day.items():
        assert np.array_equal(pieces[labels][0], timestamps), labels
        assert np.array_equal(pieces[labels][1].view(np.int64), values.view(np.int64)), labels


def test_scrapes_are_15_seconds_apart_and_times_rise(day: Series) -> None:
    for labels, (timestamps, _) in day.items():
        steps = np.diff(timestamps)
        assert (steps > 0).all(), labels
        assert (steps % TICK_MS == 0).all(), labels
        assert timestamps[0] >= FIRST * TICK_MS


def test_no_two_targets_are_scraped_at_the_same_moment() -> None:
    offsets = [target.offset for target in targets(FIRST)]
    assert len(set(offsets)) == len(offsets)
    assert max(offsets) < TICK_MS


def test_cpu_time_of_all_modes_adds_up_to_the_time_passed(day: Series) -> None:
    rows = of(day, name="node_cpu_seconds_total", instance="db-1:9100", cpu="0")
    assert len(rows) == 8
    grown = sum(day[row][1][-1] - day[row][1][0] for row in rows)
    assert grown == pytest.approx((TICKS_PER_DAY - 1) * TICK_MS / 1000, abs=0.1)


def test_memory_in_use_never_exceeds_what_there_is(day: Series) -> None:
    total = day[of(day, name="node_memory_MemTotal_bytes", instance="web-1:9100")[0]][1]
    for part in ("MemFree", "MemAvailable", "Cached"):
        held = day[of(day, name=f"node_memory_{part}_bytes", instance="web-1:9100")[0]][1]
        assert (held > 0).all()
        assert (held < total).all()


def test_counters_of_the_rebooted_machine_restart_once(day: Series) -> None:
    row = of(day, name="node_context_switches_total", instance="web-2:9100")[0]
    values = day[row][1]
    values = values[~np.isnan(values)]
    assert (np.diff(values) < 0).sum() == 1
    boots = day[of(day, name="node_boot_time_seconds", instance="web-2:9100")[0]][1]
    assert len(np.unique(boots[~np.isnan(boots)])) == 2


def test_the_machine_that_is_cut_off_leaves_a_gap_that_begins_with_a_staleness_marker(
    day: Series,
) -> None:
    timestamps, values = day[of(day, name="node_load1", instance="batch-1:9100")[0]]
    stale = np.flatnonzero(values.view(np.uint64) == STALE.view(np.uint64))
    assert len(stale) == 1
    at = int(stale[0])
    assert timestamps[at + 1] - timestamps[at] == 120 * TICK_MS
    up = day[of(day, name="up", instance="batch-1:9100")[0]][1]
    assert (up == 0).sum() == 120


def test_counters_elsewhere_never_fall(day: Series) -> None:
    for labels, (_, values) in day.items():
        name = labels.get(METRIC_NAME)
        if name.endswith(("_total", "_bucket", "_count")) and "web-2" not in labels.get("instance"):
            assert (np.diff(values[~np.isnan(values)]) >= 0).all(), labels


def test_histogram_buckets_are_cumulative_and_end_in_the_count(day: Series) -> None:
    of_handler = {"instance": "web-1:8080", "handler": "/api/search"}
    rows = of(day, name="http_request_duration_seconds_bucket", **of_handler)
    rows.sort(key=lambda labels: float(labels.get("le")))
    buckets = np.stack([day[row][1] for row in rows])
    assert (np.diff(buckets, axis=0) >= 0).all()
    assert (np.diff(np.diff(buckets, axis=1), axis=0) >= 0).all()
    count = day[of(day, name="http_request_duration_seconds_count", **of_handler)[0]][1]
    assert np.array_equal(buckets[-1], count)


async def held(store: DemoStore, name: str, start: int, end: int) -> Columns:
    matchers = (Matcher(METRIC_NAME, MatchType.EQUAL, name),)
    selection = await store.querier.select(Select(matchers, start, end), ReadOptions())
    return selection.block.columns()


async def test_store_holds_the_day_that_ends_now_and_grows_with_it() -> None:
    now = FIRST * TICK_MS + 86_400_000
    store = demo_store(now)
    day = await held(store, "up", 0, 2 * now)
    assert len(day) == 6
    ticks = len(day.timestamps) // 6
    assert ticks >= TICKS_PER_DAY
    assert np.diff(day.offsets).tolist() == [ticks] * 6
    assert now - TICK_MS <= day.timestamps.max() < now
    store.extend(now)
    assert np.array_equal((await held(store, "up", 0, 2 * now)).timestamps, day.timestamps)
    store.extend(now + 3 * TICK_MS)
    grown = await held(store, "up", 0, 2 * now)
    assert np.diff(grown.offsets).tolist() == [ticks + 3] * 6


async def test_each_scrape_is_there_as_soon_as_its_time_has_come() -> None:
    now = FIRST * TICK_MS + 86_400_000
    store = demo_store(now)
    for passed in range(0, 2 * TICK_MS, 500):
        store.extend(now + passed)
        up = await held(store, "up", 0, 2 * now)
        newest = up.timestamps[up.offsets[1:] - 1]
        assert ((now + passed - TICK_MS < newest) & (newest <= now + passed)).all()


async def test_store_that_was_extended_equals_one_made_later() -> None:
    now = FIRST * TICK_MS + 86_400_000
    early, late = demo_store(now), demo_store(now)
    for step in range(1, 5):
        early.extend(now + step * TICK_MS)
    late.extend(now + 4 * TICK_MS)
    for name in ("node_cpu_seconds_total", "http_request_duration_seconds_sum"):
        one, other = [await held(store, name, 0, 2 * now) for store in (early, late)]
        assert np.array_equal(one.values, other.values, equal_nan=True)
        assert np.array_equal(one.timestamps, other.timestamps)
