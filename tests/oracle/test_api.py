"""Every end point answers every request as Prometheus does, but for a table of differences."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from tests.grafana.reader import read_exchange
from tests.oracle.api_differences import DIFFERENCES, Difference
from tests.oracle.calls import calls
from tests.oracle.conftest import Say
from tests.oracle.raw import Call, Json, Reply, send
from tests.servers.process import Running

# Fields of a parsed query that 3.5 does not know.
_NEWER_FIELDS = {"anchored", "fillValues", "offsetExpr", "rangeExpr", "smoothed", "stepExpr"}
# A 500 that says so is a refusal in Prometheus' words, as of what is switched off.
_REFUSED = b'"errorType":"unavailable"'
# What answers of the catalogue say of themselves; the names in them are compared.
_APPROXIMATE = "label data are approximate"
_SHOWN = 300  # bytes of a body


@dataclass(frozen=True, slots=True)
class Outcome:
    """One request, both answers, and which difference of the table they are, if any."""

    call: Call
    theirs: Reply
    ours: Reply
    equal: bool
    listed: Difference | None

    def __str__(self) -> str:
        said = (
            f"    {who} {reply.status} {reply.headers.get('content-type')} {reply.body[:_SHOWN]!r}"
            for who, reply in (("Prometheus", self.theirs), ("prombridge", self.ours))
        )
        return "\n".join((str(self.call)[:_SHOWN], *said))


@pytest.fixture(scope="module")
def outcomes(oracle: Running, bridge: Running, say: Say) -> Sequence[Outcome]:
    found = [_outcome(call, oracle.url, bridge.url) for call in calls()]
    equal = sum(one.equal for one in found)
    listed = sum(one.listed is not None for one in found)
    say(f"requests against Prometheus: {len(found)}, {equal} equal, {listed} listed differences")
    return found


def _outcome(call: Call, oracle: str, bridge: str) -> Outcome:
    theirs, ours = send(oracle, call), send(bridge, call)
    equal = _comparable(theirs) == _comparable(ours)
    fitting = (one for one in DIFFERENCES if not equal and one.covers(call, theirs, ours))
    return Outcome(call, theirs, ours, equal, next(fitting, None))


def _comparable(reply: Reply) -> Json:
    headers = {key: text for key, text in reply.headers.items() if key.startswith("access-control")}
    said = reply.body if reply.json is None else _without_order(reply.json)
    kind = reply.headers.get("content-type") if reply.body else None
    return reply.status, kind, headers, said


def _without_order(value: Json) -> Json:
    """An instant vector, sorted; of statistics only which there are."""
    match value:
        case dict():
            held = {name: _without_order(one) for name, one in value.items()}
            made = {name: one for name, one in held.items() if name not in _NEWER_FIELDS}
            if made.get("resultType") == "vector":
                made["result"] = sorted(made["result"], key=str)
            if "warnings" in made:
                kept = [one for one in made["warnings"] if not one.startswith(_APPROXIMATE)]
                made = {**made, "warnings": kept} if kept else _without(made, "warnings")
            if "stats" in made:
                made["stats"] = _statistics(made["stats"])
            return made
        case list():
            return [_without_order(one) for one in value]
        case _:
            return value


def _without(made: Json, name: str) -> Json:
    return {key: one for key, one in made.items() if key != name}


def _statistics(stats: Json) -> Json:
    samples = stats["samples"]
    return set(stats["timings"]), set(samples) - {"samplesRead"}, samples["totalQueryableSamples"]


def test_requests_are_many_and_distinct() -> None:
    asked = calls()
    assert len(set(asked)) == len(asked) >= 1000


def test_answers_are_prometheus_answers_or_listed(outcomes: Sequence[Outcome]) -> None:
    strange = [one for one in outcomes if not one.equal and one.listed is None]
    assert not strange, "\n".join(map(str, strange))


def test_every_listed_difference_is_one(outcomes: Sequence[Outcome]) -> None:
    seen = Counter(one.listed.reason for one in outcomes if one.listed)
    assert {one.reason for one in DIFFERENCES} == set(seen)


def test_all_answers_are_as_grafana_reads_them(outcomes: Sequence[Outcome]) -> None:
    for one in outcomes:
        path = one.call.target.partition("?")[0]
        kind = one.ours.headers.get("content-type", "")
        # What is no HTTP at all does not reach the API.
        reached = one.ours.body != b"Invalid HTTP request received."
        if path.startswith("/api/v1/") and one.call.method != "HEAD" and reached:
            read_exchange(path, one.ours.status, kind, one.ours.body)


def test_no_request_is_a_fault_of_ours(outcomes: Sequence[Outcome]) -> None:
    broken = [one for one in outcomes if one.ours.status == 500 != one.theirs.status]
    broken = [one for one in broken if _REFUSED not in one.ours.body]
    faults = broken + [one for one in outcomes if b"Traceback" in one.ours.body]
    assert not faults, "\n".join(map(str, faults))
