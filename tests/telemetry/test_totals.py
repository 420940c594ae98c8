"""Totals show what prometheus_client's own counter would."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.openmetrics import exposition

from bridge.telemetry.totals import Accounts, Totals

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


@given(st.lists(st.tuples(LABELS, st.floats(0, 1e18), st.floats(0, 1e18))))
def test_what_is_counted_at_once_is_shown_as_if_it_were_counted_apart(
    counted: list[tuple[tuple[str, str], float, float]],
) -> None:
    mine, theirs = CollectorRegistry(), CollectorRegistry()
    documented, labels = {"n_total": "How many.", "b_total": "How large."}, ("handler", "code")
    accounts = Accounts(documented, labels, mine)
    apart = [Totals(name, text, labels, theirs) for name, text in documented.items()]
    for values, *amounts in counted:
        accounts.add(values, *amounts)
        for totals, amount in zip(apart, amounts, strict=True):
            totals.add(values, amount)
    for latest in (generate_latest, exposition.generate_latest):
        assert latest(mine) == latest(theirs)
