"""A failing store is left alone, then tried with one read."""

import pytest

from bridge.remote.breaker import PAUSE_SECONDS, Breaker


def failed(breaker: Breaker, times: int, now: float = 0.0) -> None:
    for _ in range(times):
        breaker.failed(now, "down")


def test_four_failures_in_a_row_are_borne() -> None:
    breaker = Breaker()
    failed(breaker, 4)
    breaker.succeeded()
    failed(breaker, 4)
    assert breaker.wait(0.0) == 0


def test_the_fifth_failure_in_a_row_opens_it_for_a_while() -> None:
    breaker = Breaker()
    failed(breaker, 5, now=100.0)
    assert breaker.wait(100.0) == PAUSE_SECONDS
    assert breaker.wait(101.0) == PAUSE_SECONDS - 1
    assert breaker.reason == "down"


def test_half_of_twenty_failures_open_it() -> None:
    breaker = Breaker()
    for _ in range(10):
        breaker.succeeded()
        assert breaker.wait(0.0) == 0
        breaker.failed(0.0, "down")
    assert breaker.wait(0.0) == PAUSE_SECONDS


def test_after_the_pause_one_probe_goes_through() -> None:
    breaker = Breaker()
    failed(breaker, 5)
    assert breaker.wait(PAUSE_SECONDS) == 0
    assert breaker.wait(PAUSE_SECONDS) > 0


@pytest.mark.parametrize("verdict", ["succeeded", "failed", "given up"])
def test_the_probe_decides(verdict: str) -> None:
    breaker = Breaker()
    failed(breaker, 5)
    assert breaker.wait(PAUSE_SECONDS) == 0
    match verdict:
        case "succeeded":
            breaker.succeeded()
            failed(breaker, 4, now=PAUSE_SECONDS)
            assert [breaker.wait(PAUSE_SECONDS) for _ in range(3)] == [0, 0, 0]
        case "failed":
            breaker.failed(PAUSE_SECONDS, "still down")
            assert breaker.wait(PAUSE_SECONDS + 1) == PAUSE_SECONDS - 1
        case _:
            breaker.given_up()
            assert breaker.wait(PAUSE_SECONDS) == 0
            assert breaker.wait(PAUSE_SECONDS) > 0
