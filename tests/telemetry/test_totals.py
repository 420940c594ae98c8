"""Totals show what prometheus_client's own counter would."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.openmetrics import exposition

from bridge.telemetry.totals import Totals

LABELS = st.tuples(st.sampled_from(("/query", "/series")), st.sampled_from(("200", "400")))


@given(st.lists(st.tuples(LABELS, st.one_of(st.just(0.0), st.just(1.0), st.floats(0, 1e18)))))
def test_what_is_shown_is_what_the_clients_counter_shows(
    counted: list[tuple[tuple[str, str], float]],
) -> None:
    mine, theirs = CollectorRegistry(), CollectorRegistry()
    totals = Totals("t_total", "How many.", ("handler", "code"), mine)
    counter = Counter("t_total", "How many.", ("handler", "code"), registry=theirs)
    for labels, amount in counted:
        totals.add(labels, amount)
        counter.labels(*labels).inc(amount)
    for latest in (generate_latest, exposition.generate_latest):
        shown = [line for line in latest(theirs).decode().splitlines() if "_created" not in line]
        assert latest(mine).decode().splitlines() == shown
