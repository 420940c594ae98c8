"""The generator of load counts every answer once, however its bytes come."""

import time

import pytest

from benchmarks.load import Tally, _Connection, _request, faults

ANSWERS = b"".join(
    b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)
    for status, body in ((200, b"x" * 100), (503, b""), (200, b"\r\n\r\nHTTP/1.1 500"))
)


@pytest.mark.parametrize("size", [1, 2, 7, 50, 1000])
def test_answers_are_counted_however_they_are_cut(size: int) -> None:
    tally = Tally()
    connection = _Connection(tally)
    connection.due.extend([time.perf_counter()] * 3)
    for at in range(0, len(ANSWERS), size):
        connection.data_received(ANSWERS[at : at + size])
    assert dict(tally.statuses) == {"200": 2, "503": 1}
    assert (len(tally.latencies), len(connection.due)) == (3, 0)
    assert faults(tally, 3, 1) == ["1 × HTTP 503"]


def test_requests_on_a_connection_that_ends_are_lost() -> None:
    tally = Tally()
    connection = _Connection(tally)
    connection.due.extend([0.0, 0.0])
    connection.connection_lost(None)
    connection.send(b"", 0.0)
    assert faults(tally, 3, 1) == ["3 requests without an answer"]


def test_the_slope_of_memory_leaves_the_start_out() -> None:
    warming = [(at, 500 << 20) for at in range(20)]
    tally = Tally(memory=[*warming, *((at, (100 << 20) + at * (1 << 20)) for at in range(20, 100))])
    assert round(tally.slope()) == 60


def test_most_requests_come_again_and_one_in_eight_never_does() -> None:
    made = [_request(number) for number in range(8000)]
    once = [request for request in made if made.count(request) == 1]
    assert len(once) == 1000
    assert len(set(made)) < 1200
