"""Hours of presence: nothing that was there is left out, and little else is kept."""

from typing import Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.catalogue.presence import HOUR, RING, Presence
from bridge.model.time import Window

NOW: Final = 480_000 * HOUR + HOUR // 2
TIMES = st.integers(NOW - 40 * 24 * HOUR, NOW)
SPANS = st.tuples(TIMES, TIMES).map(lambda pair: Window(min(pair), max(pair)))


def presence_of(spans: list[Window], now: int = NOW) -> Presence:
    presence = Presence()
    presence.grow(len(spans))
    mark(presence, list(range(len(spans))), spans, now)
    return presence


def mark(presence: Presence, rows: list[int], spans: list[Window], now: int) -> list[int]:
    start = np.array([span.start for span in spans], np.int64)
    end = np.array([span.end for span in spans], np.int64)
    news: list[int] = presence.mark(np.array(rows, np.int32), start, end, now).tolist()
    return news


@given(st.lists(SPANS, min_size=1, max_size=8), SPANS)
def test_who_was_there_is_found(spans: list[Window], asked: Window) -> None:
    found = presence_of(spans).within(asked)
    for span, inside in zip(spans, found.tolist(), strict=True):
        if span.start <= asked.end and asked.start <= span.end:
            assert inside


@given(SPANS, SPANS)
def test_who_was_away_for_hours_within_the_last_month_is_not_found(
    span: Window, asked: Window
) -> None:
    recent = asked.start >= NOW - (RING - 2) * HOUR
    apart = span.end < asked.start - HOUR or span.start > asked.end + HOUR
    if recent and apart:
        assert not presence_of([span]).within(asked).any()


@given(st.lists(SPANS, min_size=1, max_size=5), st.integers(0, 50 * 24), SPANS)
def test_time_that_passes_forgets_nothing_of_the_last_month(
    spans: list[Window], later: int, asked: Window
) -> None:
    presence = presence_of(spans)
    presence.advance(NOW // HOUR + 1 + later)
    found = presence.within(asked).tolist()
    for span, inside in zip(spans, found, strict=True):
        if span.start <= asked.end and asked.start <= span.end:
            assert inside


@given(SPANS, st.integers(0, 60 * 24), SPANS)
def test_a_restart_after_any_time_finds_who_was_there(
    span: Window, hours: int, asked: Window
) -> None:
    before, after = presence_of([span]), Presence()
    after.grow(1)
    after.advance(NOW // HOUR + 1 + hours)
    saved = before.hours[0].tobytes()
    after.restore(0, int(before.first[0]), int(before.last[0]), int(before.seen[0]), saved)
    if span.start <= asked.end and asked.start <= span.end:
        assert after.within(asked).all()
    apart = span.end < asked.start - HOUR or span.start > asked.end + HOUR
    if apart and asked.start >= NOW + (hours - RING + 3) * HOUR:
        assert not after.within(asked).any()


def test_only_news_are_told() -> None:
    hour = Window(NOW - HOUR, NOW)
    presence = presence_of([hour, hour])
    assert mark(presence, [0, 1], [hour, hour], NOW) == []
    assert mark(presence, [0, 1], [hour, Window(NOW - 3 * HOUR, NOW)], NOW + 1) == [1]
    assert presence.seen.tolist() == [NOW + 1, NOW + 1]


@pytest.mark.parametrize("end", [NOW + 100 * HOUR, 9_223_309_901_257_974_000])
def test_times_to_come_count_as_the_next_hour(end: int) -> None:
    presence = presence_of([Window(NOW, end)])
    assert presence.last.tolist() == [NOW // HOUR + 1]
    assert presence.within(Window(NOW, NOW)).all()


def test_all_of_time_may_be_asked_for() -> None:
    everything = Window(-9_223_309_901_257_974_000, 9_223_309_901_257_974_000)
    assert presence_of([Window(NOW, NOW), Window(0, 1)]).within(everything).all()


def test_rows_that_are_kept_keep_their_hours() -> None:
    presence = presence_of([Window(NOW, NOW), Window(NOW - 9 * HOUR, NOW - 9 * HOUR)])
    presence.compact(np.array([False, True]))
    presence.grow(2)
    assert presence.within(Window(NOW - 9 * HOUR, NOW - 9 * HOUR)).tolist() == [True, False]
