"""What may be remembered, and for how long."""

from dataclasses import dataclass

import pytest

from bridge.cache.policy import Moment, Policy
from bridge.cache.settings import CacheSettings
from bridge.model.time import Window
from tests.cache.world import HOUR, MINUTE, SECOND, START

POLICY = Policy(CacheSettings())
READ = Moment(START, 0)
DAY = Window(START - 6 * HOUR, START)
SETTLED = Window(DAY.start, START - 10 * MINUTE)
SEALED = Window(DAY.start, START - HOUR - 1)


@dataclass(frozen=True)
class What:
    """A read of a window, seen by the rules for `READ`."""

    window: Window = DAY
    read: Moment = READ
    settled: int = POLICY.horizon(READ)
    sealed: int = POLICY.closed(READ)
    empty: bool = False


def later(milliseconds: int) -> Moment:
    return Moment(START + milliseconds, milliseconds)


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (0, DAY),
        (SECOND, DAY),
        (SECOND + 1, SETTLED),
        (10 * MINUTE, SETTLED),
        (10 * MINUTE + 1, SEALED),
        (24 * HOUR, SEALED),
        (24 * HOUR + 1, None),
    ],
)
def test_less_may_be_served_the_older_a_read_is(age: int, expected: Window | None) -> None:
    assert POLICY.servable(What(), later(age), fresh=False) == expected


@pytest.mark.parametrize("age", [0, SECOND + 1, 10 * MINUTE + 1, 24 * HOUR + 1])
@pytest.mark.parametrize("start", [DAY.start - 1, DAY.start, SEALED.end, SETTLED.end + 1])
@pytest.mark.parametrize(
    "end", [edge.end + more for edge in (SEALED, SETTLED, DAY) for more in (0, 1)]
)
def test_a_window_is_served_if_it_lies_in_what_may_be_served(
    age: int, start: int, end: int
) -> None:
    usable = POLICY.servable(What(), later(age), fresh=False)
    inside = usable is not None and usable.start <= start and end <= usable.end
    assert POLICY.serves(What(), Window(start, end), later(age)) is inside


@pytest.mark.parametrize(
    ("age", "expected"), [(0, SEALED), (HOUR, SEALED), (24 * HOUR, SEALED), (25 * HOUR, None)]
)
def test_fresh_answers_rest_only_on_what_the_store_has_closed(
    age: int, expected: Window | None
) -> None:
    assert POLICY.servable(What(), later(age), fresh=True) == expected


@pytest.mark.parametrize(
    ("age", "expected"), [(0, DAY), (10 * MINUTE, SETTLED), (10 * MINUTE + 1, None)]
)
def test_an_empty_answer_is_not_pinned(age: int, expected: Window | None) -> None:
    assert POLICY.servable(What(empty=True), later(age), fresh=False) == expected


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (Moment(START - 1, 5), None),
        (Moment(START - HOUR, HOUR), None),
        (Moment(START + HOUR, 2), SEALED),
        (Moment(START + 15 * MINUTE, 16 * MINUTE), Window(DAY.start, SEALED.end - MINUTE)),
        (Moment(START + 2, 25 * HOUR), None),
    ],
)
def test_the_clock_that_says_more_decides(now: Moment, expected: Window | None) -> None:
    assert POLICY.servable(What(), now, fresh=False) == expected


@pytest.mark.parametrize("back", [1, MINUTE, HOUR])
def test_by_a_clock_that_was_set_back_since_samples_seemed_older_than_they_were(back: int) -> None:
    age = 5 * MINUTE
    again = Moment(START + age, age + back)
    settled, sealed = (Window(DAY.start, one.end - back) for one in (SETTLED, SEALED))
    newest = sealed if age + back > 10 * MINUTE else settled
    assert POLICY.servable(What(), again, fresh=False) == newest
    assert POLICY.servable(What(), again, fresh=True) == sealed
    standing_in = Policy(CacheSettings(stale_if_error=True))
    assert standing_in.stale(What(), again) == settled


def test_a_tail_is_nothing_once_its_burst_is_over() -> None:
    tail = What(Window(START - 5 * MINUTE, START))
    assert POLICY.servable(tail, later(SECOND), fresh=False) == tail.window
    assert POLICY.servable(tail, later(SECOND + 1), fresh=False) is None


@pytest.mark.parametrize("end", [START, START - 15 * SECOND, START - 4 * MINUTE])
@pytest.mark.parametrize("length", [0, MINUTE, 5 * MINUTE])
def test_reads_of_the_newest_minutes_are_one_whatever_was_asked(end: int, length: int) -> None:
    now = Moment(START + 4321, 0)
    expected = Window(START - 10 * MINUTE, START + MINUTE - 1)
    gap = Window(end - length, end)
    assert POLICY.widened(gap, gap, now) == expected


def test_a_gap_that_reaches_below_the_horizon_keeps_its_start() -> None:
    gap = Window(START - 3 * HOUR - 17, START - 30 * SECOND)
    assert POLICY.widened(gap, gap, READ) == Window(gap.start, START + MINUTE - 1)


def test_a_settled_gap_is_read_as_it_is() -> None:
    gap = Window(START - 3 * HOUR - 17, START - 11 * MINUTE)
    assert POLICY.widened(gap, gap, READ) == gap


@pytest.mark.parametrize(
    ("ago", "ahead"),
    [(3 * HOUR, 15 * MINUTE), (12 * MINUTE, 2 * MINUTE), (10 * MINUTE, 0)],
)
def test_behind_a_window_that_moved_on_it_is_read_ahead_up_to_the_horizon(
    ago: int, ahead: int
) -> None:
    end = START - ago
    window, gap = Window(end - HOUR, end), Window(end - 15 * SECOND + 1, end)
    assert POLICY.widened(gap, window, READ) == Window(gap.start, end + ahead)


def test_before_a_window_that_reaches_further_back_more_is_read() -> None:
    end = START - 3 * HOUR
    window, gap = Window(end - HOUR, end), Window(end - HOUR, end - 56 * MINUTE)
    assert POLICY.widened(gap, window, READ) == Window(gap.start - 15 * MINUTE, gap.end)
    # Also if the window ends with what still changes.
    window = Window(START - HOUR, START)
    gap = Window(window.start, window.start + MINUTE)
    assert POLICY.widened(gap, window, READ) == Window(gap.start - 15 * MINUTE, gap.end)


def test_of_each_selector_another_part_is_read_along() -> None:
    end = START - 3 * HOUR
    window, gap = Window(end - HOUR, end), Window(end - 15 * SECOND + 1, end)
    ahead = [POLICY.widened(gap, window, READ, share).end - end for share in (0.0, 0.5, 1.0)]
    assert ahead == [7.5 * MINUTE, 11.25 * MINUTE, 15 * MINUTE]
    gap = Window(window.start, window.start + MINUTE)
    back = [gap.start - POLICY.widened(gap, window, READ, share).start for share in (0.0, 0.5, 1.0)]
    assert back == ahead


def test_a_window_of_which_nothing_is_held_is_read_as_it_is() -> None:
    window = Window(START - 3 * HOUR, START - 2 * HOUR)
    assert POLICY.widened(window, window, READ) == window


def test_a_hole_is_read_as_it_is() -> None:
    window = Window(START - 6 * HOUR, START - 2 * HOUR)
    gap = Window(START - 4 * HOUR, START - 3 * HOUR)
    assert POLICY.widened(gap, window, READ) == gap


@pytest.mark.parametrize(
    ("clock", "wall"),
    [(None, START), (START - HOUR, START - HOUR), (START + HOUR, START), (0, START), (-1, START)],
)
def test_samples_are_judged_by_the_clock_that_is_behind(clock: int | None, wall: int) -> None:
    assert POLICY.judged(Moment(START, 7), clock) == Moment(wall, 7)


def test_cuts_are_epoch_days_long_ago_and_two_hours_apart_since_yesterday() -> None:
    noon = START
    window = Window(noon - 60 * HOUR - 1, noon)
    edges = sorted(POLICY.edges(window, READ))
    assert edges == [
        noon - 60 * HOUR,
        *range(noon - 36 * HOUR, noon - HOUR, 2 * HOUR),
        noon - 10 * MINUTE + 1,
        noon,
    ]


@pytest.mark.parametrize(
    ("size", "free", "again", "expected"),
    [
        (100, 200, False, True),
        (100, 99, False, False),
        (100, 99, True, True),
        ((128 << 20) + 1, 512 << 20, True, False),
    ],
)
def test_one_off_scans_push_nothing_out(size: int, free: int, again: bool, expected: bool) -> None:
    assert POLICY.admits(size, free, again) is expected


def test_merged_reads_are_as_old_as_the_older_by_either_clock() -> None:
    assert Moment(5, 9).older(Moment(7, 3)) == Moment(5, 3)
