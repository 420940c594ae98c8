"""One request under way: its stages, how long each took, and the spans that show them."""

import re
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Final, Protocol

Attribute = str | int | float | bool
Pairs = tuple[tuple[str, str], ...]

NO_TRACE_ID: Final = "0" * 32
NO_SPAN_ID: Final = "0" * 16
# W3C Trace Context, section 3.2: version, trace id, parent id, flags.
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}", re.ASCII)
_LONGEST_STATE: Final = 512


class Stage(StrEnum):
    """The twelve steps of a query, in their order; docs/architecture.md says what each does."""

    PARAMS = "api.params"
    PARSE = "promql.parse"
    CHECK = "promql.check"
    LIMITS = "engine.limits"
    PLAN = "engine.plan"
    FETCH = "engine.fetch"
    RECALL = "cache.recall"
    READ = "remote.read"
    JOIN = "cache.join"
    EVALUATE = "engine.evaluate"
    OUTCOME = "engine.outcome"
    ENCODE = "api.encode"


class Span(Protocol):
    """What a tracer shows of one piece of work."""

    def set_attribute(self, key: str, value: Attribute) -> None:
        """Says something about it."""


class Tracer(Protocol):
    """Who is shown what happens; spans within each other follow the context."""

    def span(
        self, name: str, attributes: Mapping[str, Attribute], caller: "Caller | None" = None
    ) -> AbstractContextManager[Span]:
        """A span around a piece of work; with `caller` it is the answer to a request."""

    def headers(self) -> Pairs:
        """What a request to somebody else carries so that his spans are below the current one."""

    def ids(self) -> tuple[str, str]:
        """Trace id and span id of the current span, in hexadecimal digits."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The trace that a request belongs to, by its headers `traceparent` and `tracestate`."""

    traceparent: str = ""
    tracestate: str = ""

    @staticmethod
    def of(headers: Mapping[str, str]) -> "Caller":
        """What the headers say; nothing if it is not well formed."""
        if "traceparent" not in headers:
            return NOBODY
        parent, state = headers.get("traceparent", "").strip(), headers.get("tracestate", "")
        found = _TRACEPARENT.fullmatch(parent)
        if not found or NO_TRACE_ID in found[1] or NO_SPAN_ID in found[2] or parent[:2] == "ff":
            return NOBODY
        known = len(state) <= _LONGEST_STATE and state.isascii() and state.isprintable()
        return Caller(parent, state if known else "")

    @property
    def headers(self) -> Pairs:
        """The same headers again."""
        pairs = (("traceparent", self.traceparent), ("tracestate", self.tracestate))
        return tuple(pair for pair in pairs if pair[1])

    @property
    def ids(self) -> tuple[str, str]:
        """Trace id and span id, zeros if there are none."""
        found = _TRACEPARENT.fullmatch(self.traceparent)
        return (found[1], found[2]) if found else (NO_TRACE_ID, NO_SPAN_ID)


NOBODY: Final = Caller()


class _Unshown:
    """A span that nobody sees."""

    __slots__ = ()

    def set_attribute(self, key: str, value: Attribute) -> None: ...


_UNSHOWN: Final = _Unshown()
_UNNOTED: Final = nullcontext(_UNSHOWN)


@dataclass(frozen=True, slots=True)
class PassedOn:
    """The tracer that shows nothing: what a request says of its trace goes on to the stores."""

    caller: Caller = NOBODY

    def span(
        self, name: str, attributes: Mapping[str, Attribute], caller: Caller | None = None
    ) -> AbstractContextManager[Span]:
        """No span."""
        return _UNNOTED

    def headers(self) -> Pairs:
        """The caller's."""
        return self.caller.headers

    def ids(self) -> tuple[str, str]:
        """The caller's."""
        return self.caller.ids


@dataclass(slots=True, eq=False)
class Trace:
    """The stages of one request: `ended` in the order of their ends, with seconds.

    Several may be under way at once, in several threads; `at` is the one that began last. While
    `streamed` is true the answer is yet to be written as it is sent: what is said of the request
    waits in `behind`, and is said when it ends.
    """

    tracer: Tracer = PassedOn()
    ended: list[tuple[Stage, float]] = field(default_factory=list)
    at: Stage | None = None
    streamed: bool = False
    behind: list[Callable[[], None]] = field(default_factory=list)

    def seconds(self) -> dict[Stage, float]:
        """The time of each stage so far; of what went on side by side, the sum."""
        sums = dict.fromkeys(Stage, 0.0)
        for stage, seconds in tuple(self.ended):
            sums[stage] += seconds
        known = {stage for stage, _ in self.ended}
        return {stage: seconds for stage, seconds in sums.items() if stage in known}


_CURRENT: Final[ContextVar[Trace | None]] = ContextVar("trace", default=None)


def current() -> Trace | None:
    """The trace of the request that this work is for."""
    return _CURRENT.get()


def outgoing() -> Pairs:
    """The headers by which a request to a store belongs to the current trace."""
    trace = _CURRENT.get()
    return trace.tracer.headers() if trace is not None else ()


def tracing(
    trace: Trace, name: str, caller: Caller, attributes: Mapping[str, Attribute]
) -> AbstractContextManager[Span]:
    """All stages within belong to this trace, below one span of this name."""
    return _Traced(trace, trace.tracer.span(name, attributes, caller))


class _Traced(AbstractContextManager[Span]):
    """A trace that is the current one."""

    __slots__ = ("_span", "_token", "_trace")

    def __init__(self, trace: Trace, span: AbstractContextManager[Span]) -> None:
        self._trace = trace
        self._span = span

    def __enter__(self) -> Span:
        self._token = _CURRENT.set(self._trace)
        return self._span.__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        try:
            for say in self._trace.behind:
                say()
        finally:
            try:
                ended = self._span.__exit__(kind, error, traceback)
            finally:
                _CURRENT.reset(self._token)
        return ended


def stage(which: Stage, **attributes: Attribute) -> AbstractContextManager[Span]:
    """One stage of the current request; without a request nothing is noted."""
    trace = _CURRENT.get()
    return _UNNOTED if trace is None else _Staged(trace, which, attributes)


class _Staged(AbstractContextManager[Span]):
    """One stage of a trace; a class, for a request goes through a dozen of them."""

    __slots__ = ("_begun", "_span", "_trace", "_which")

    def __init__(self, trace: Trace, which: Stage, attributes: Mapping[str, Attribute]) -> None:
        self._trace = trace
        self._which = which
        self._span = trace.tracer.span(which, attributes)

    def __enter__(self) -> Span:
        self._trace.at = self._which
        self._begun = time.perf_counter()
        return self._span.__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        try:
            return self._span.__exit__(kind, error, traceback)
        finally:
            self._trace.ended.append((self._which, time.perf_counter() - self._begun))
