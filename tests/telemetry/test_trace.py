"""Stages of a request, and whose trace it belongs to."""

import asyncio

import pytest

from bridge.telemetry.trace import Caller, PassedOn, Stage, Trace, current, outgoing, stage, tracing

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SPAN}-01"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        PARENT.upper(),
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"{PARENT}-more",
        f"{PARENT}\r\nX-Evil: 1",
    ],
)
def test_a_broken_traceparent_is_no_trace(text: str) -> None:
    caller = Caller.of({"traceparent": text, "tracestate": "a=b"})
    assert (caller.headers, caller.ids) == ((), ("0" * 32, "0" * 16))


def test_a_trace_is_known_by_its_ids() -> None:
    caller = Caller.of({"traceparent": PARENT, "tracestate": "a=b"})
    assert caller.ids == (TRACE, SPAN)
    assert caller.headers == (("traceparent", PARENT), ("tracestate", "a=b"))


@pytest.mark.parametrize("state", ["a=b\n", "é=1", "a=" + "b" * 512])
def test_a_broken_tracestate_is_left_out(state: str) -> None:
    caller = Caller.of({"traceparent": PARENT, "tracestate": state})
    assert caller.headers == (("traceparent", PARENT),)


def test_outside_of_a_request_nothing_is_noted() -> None:
    with stage(Stage.PLAN):
        assert outgoing() == ()


async def test_stages_of_a_request_are_noted_in_tasks_and_threads() -> None:
    caller = Caller.of({"traceparent": PARENT})
    trace = Trace(PassedOn(caller))

    def work() -> None:
        with stage(Stage.EVALUATE):
            pass

    async def read() -> None:
        with stage(Stage.READ, store="a"):
            assert outgoing() == (("traceparent", PARENT),)

    with tracing(trace, "GET /query", caller, {}):
        with stage(Stage.FETCH):
            await asyncio.gather(read(), read())
        await asyncio.to_thread(work)
    assert [one for one, _ in trace.ended] == [
        Stage.READ,
        Stage.READ,
        Stage.FETCH,
        Stage.EVALUATE,
    ]
    assert list(trace.seconds()) == [Stage.FETCH, Stage.READ, Stage.EVALUATE]
    assert trace.at is Stage.EVALUATE


def test_what_waits_for_the_end_of_a_request_is_said_within_its_span_even_if_it_fails() -> None:
    trace, said = Trace(), list[Trace | None]()
    trace.behind.append(lambda: said.append(current()))
    with tracing(trace, "GET /query", Caller(), {}):
        assert said == []
    with pytest.raises(ValueError, match="odd"), tracing(trace, "GET /query", Caller(), {}):
        raise ValueError("odd")
    assert said == [trace, trace]


def test_a_stage_that_fails_is_noted_too() -> None:
    trace = Trace()
    with (
        pytest.raises(ValueError, match="odd"),
        tracing(trace, "GET /query", Caller(), {}),
        stage(Stage.PLAN),
    ):
        raise ValueError("odd")
    assert [one for one, _ in trace.ended] == [Stage.PLAN]
