"""What counts within an hour and a day, and for how long."""

from hypothesis import given
from hypothesis import strategies as st

from bridge.storage.usage import Period, Quantity, Sliding, Usage

HOUR = 3600.0


def test_what_was_read_counts_for_the_whole_period_and_at_most_a_slot_longer() -> None:
    used = Sliding(300, 12)
    used.add(7, 299.0)
    assert used.total(299.0 + HOUR) == 7
    assert used.total(300.0 + HOUR) == 0


def test_a_limit_is_free_again_once_enough_has_left() -> None:
    used = Sliding(300, 12)
    for minute in (0, 10, 20):
        used.add(10, minute * 60.0)
    now = 1500.0
    assert used.wait(31, now) == 0
    assert used.wait(30, now) == 13 * 300 - now
    assert used.wait(20, now) == 13 * 300 + 600 - now
    assert used.total(now + used.wait(20, now)) == 10


def test_samples_and_bytes_of_hour_and_day_are_counted_apart() -> None:
    usage = Usage()
    usage.add(3, 100, 0.0)
    usage.add(4, 200, 2 * HOUR)
    totals = {
        (quantity, period): usage.of(quantity, period).total(2 * HOUR)
        for quantity in Quantity
        for period in Period
    }
    assert totals == {
        (Quantity.SAMPLES, Period.HOUR): 4,
        (Quantity.SAMPLES, Period.DAY): 7,
        (Quantity.BYTES, Period.HOUR): 200,
        (Quantity.BYTES, Period.DAY): 300,
    }


@given(st.lists(st.tuples(st.floats(0, 5000), st.integers(0, 100)), max_size=60))
def test_the_sum_lies_between_that_of_the_period_and_of_a_slot_more(
    reads: list[tuple[float, int]],
) -> None:
    used, now, past = Sliding(300, 12), 0.0, []
    for pause, amount in reads:
        now += pause
        used.add(amount, now)
        past.append((now, amount))
    least = sum(amount for at, amount in past if at > now - HOUR)
    most = sum(amount for at, amount in past if at > now - HOUR - 300)
    assert least <= used.total(now) <= most


@given(st.lists(st.floats(0, 2000), min_size=1, max_size=60), st.integers(1, 100))
def test_after_the_wait_something_may_be_read_and_not_before(
    pauses: list[float], limit: int
) -> None:
    used, now = Sliding(300, 12), 0.0
    for pause in pauses:
        now += pause
        used.add(5, now)
    wait = used.wait(limit, now)
    assert (wait == 0) == (used.total(now) < limit)
    if wait:
        assert used.total(now + wait - 1e-3) >= limit
        assert used.total(now + wait + 1e-3) < limit
