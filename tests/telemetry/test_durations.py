"""Durations show what prometheus_client's own histogram would."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.openmetrics import exposition

from bridge.telemetry.durations import Durations

BUCKETS = (0.005, 0.1, 1, 10)
MOMENTS = st.one_of(st.sampled_from(BUCKETS), st.floats(0, 20))


@given(st.lists(st.tuples(st.sampled_from(("/query", "/series")), MOMENTS)))
def test_what_is_shown_is_what_the_clients_histogram_shows(
    observed: list[tuple[str, float]],
) -> None:
    mine, theirs = CollectorRegistry(), CollectorRegistry()
    durations = Durations("d_seconds", "How long.", "handler", BUCKETS, mine)
    histogram = Histogram("d_seconds", "How long.", ("handler",), buckets=BUCKETS, registry=theirs)
    for handler, seconds in observed:
        durations.observe(handler, seconds)
        histogram.labels(handler).observe(seconds)
    for latest in (generate_latest, exposition.generate_latest):
        shown = [line for line in latest(theirs).decode().splitlines() if "_created" not in line]
        assert latest(mine).decode().splitlines() == shown
