"""What a store can do, found out by asking it little: each probe reads one series at most."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from bridge.model.labels import METRIC_NAME, Labels, Matcher, MatchType
from bridge.model.time import format_duration
from bridge.remote.asking import Asker, Reply, Times
from bridge.remote.profiles import GENERIC, Profile
from bridge.remote.settings import Hints, NameMatchers, ResponseType

_MINUTE: Final = 60_000
_DAY: Final = 86_400_000
# How far back a series is looked for, and with which matchers, if none is given.
_LOOKS: Final = (5 * _MINUTE, 60 * _MINUTE, _DAY)
_UP: Final = (Matcher(METRIC_NAME, MatchType.EQUAL, "up"),)
_ANYTHING: Final = (Matcher(METRIC_NAME, MatchType.REGEXP, ".+"),)
_RANGES: Final = (31 * _DAY, 91 * _DAY, 400 * _DAY)
_NOWHERE: Final = "prombridge_doctor_asks_for_nothing"
_LABEL: Final = "prombridge_doctor_label"


@dataclass(frozen=True, slots=True)
class Finding:
    """One probe's outcome and its cost: requests, bytes received."""

    probe: str
    found: str
    requests: int
    received: int


@dataclass(slots=True)
class Probes:
    """The probes of one store; `profile` is what they found, on top of the least.

    `given` are matchers of series to probe with (empty: looked for), `now` is a time in ms.
    """

    asker: Asker
    given: tuple[Matcher, ...]
    now: int
    profile: Profile = GENERIC
    answers: bool = False
    _labels: Labels = field(default_factory=lambda: Labels.of({}))
    _lacking: tuple[str, ...] = ()
    _times: Times = ()
    _first: Reply = field(default_factory=Reply)

    async def findings(self) -> AsyncIterator[Finding]:
        """Each outcome as soon as it is known; ends early where nothing can be found out."""
        yield await self._measured("answers remote read", self._answers)
        if not self.answers:
            return
        for probe, ask in self._without_series():
            yield await self._measured(probe, ask)
        yield await self._measured("a series to probe with", self._series)
        if self._times:
            for probe, ask in self._with_series():
                yield await self._measured(probe, ask)

    def _without_series(self) -> Sequence[tuple[str, Callable[[], Awaitable[str]]]]:
        return (
            ("HTTP version, clock", self._clock),
            ("response types", self._types),
            ("unknown metric", self._unknown),
            ("longest range", self._range),
        )

    def _with_series(self) -> Sequence[tuple[str, Callable[[], Awaitable[str]]]]:
        return (
            ("queries in a request", self._queries),
            ("end of the range", self._end),
            ("regular expressions", self._regex),
            ("missing labels", self._missing),
            ("matchers on the name", self._names),
            ("series hint", self._hint),
        )

    async def _measured(self, probe: str, ask: Callable[[], Awaitable[str]]) -> Finding:
        requests, received = self.asker.requests, self.asker.received
        found = await ask()
        asker = self.asker
        return Finding(probe, found, asker.requests - requests, asker.received - received)

    def _learn(self, **found: Any) -> None:
        self.profile = replace(self.profile, **found)

    async def _answers(self) -> str:
        self._first = reply = await self.asker.ask(_named(_NOWHERE), self._recent(_MINUTE))
        refused = reply.status == 400 or reply.status >= 500
        self.answers = reply.kind is not None or (refused and "unsupported path" not in reply.error)
        if not self.answers:
            return f"no: {reply.error}"
        return f"yes, with HTTP {reply.status}" if reply.kind else f"perhaps: {reply.error}"

    def _recent(self, length: int) -> tuple[int, int]:
        return self.now - length, self.now

    async def _clock(self) -> str:
        http = self._first.http or "HTTP/1.1"
        if self._first.date is None:
            return f"{http}, no clock shown"
        # A Date has whole seconds.
        skew = self._first.date + 0.5 - self._first.asked_at
        return (
            f"{http}, clock within 2s of ours" if abs(skew) < 2 else f"{http}, clock {skew:+.0f}s"
        )

    async def _types(self) -> str:
        both = (ResponseType.STREAMED, ResponseType.SAMPLES)
        reply = await self.asker.ask(_named(_NOWHERE), self._recent(_MINUTE), both)
        streams = reply.kind is ResponseType.STREAMED
        self._learn(response_types=both if streams else (ResponseType.SAMPLES,))
        return "streamed and samples" if streams else "samples only"

    async def _queries(self) -> str:
        last = self._times[-1]
        reply = await self.asker.ask(self._exact(), (last - _MINUTE, last + 1), queries=2)
        self._learn(single_query=reply.results != 2)
        why = f" ({reply.error})" if reply.error else ""
        return "several" if reply.results == 2 else f"one{why}"

    async def _unknown(self) -> str:
        missing = self._first.kind is not None and not self._first.results
        self._learn(empty_result_may_be_missing=missing)
        if self._first.kind is not None:
            return "no result at all" if missing else "an empty answer"
        return f"an error: {self._first.error}"

    async def _range(self) -> str:
        """Asks for nothing over longer and longer ranges."""
        taken = 0
        for length in _RANGES:
            reply = await self.asker.ask(_named(_NOWHERE), self._recent(length))
            if reply.error and reply.error != self._first.error:
                self._learn(max_range=taken or length - _DAY)
                return f"less than {format_duration(length)}: {reply.error}"
            taken = length
        self._learn(max_range=0)
        return f"{format_duration(taken)} at least"

    async def _series(self) -> str:
        for matchers in (self.given,) if self.given else (_UP, _ANYTHING):
            for length in _LOOKS if matchers != _ANYTHING else _LOOKS[:1]:
                reply = await self.asker.ask(matchers, self._recent(length))
                held = [one for one in reply.series if len(one[1]) and one[0].get(METRIC_NAME)]
                if held:
                    self._take(held)
                    return str(self._labels)
        return f"none found{f' ({reply.error})' if reply.error else ''}; name one with --match"

    def _take(self, held: Sequence[tuple[Labels, Times]]) -> None:
        """Chooses a series, if possible one that lacks a label that another of its name has."""
        known: dict[str, set[str]] = {}
        for labels, _ in held:
            known.setdefault(labels.get(METRIC_NAME), set()).update(dict(labels.pairs))

        def lacking(labels: Labels) -> set[str]:
            return known[labels.get(METRIC_NAME)] - set(dict(labels.pairs))

        self._labels, times = max(
            held, key=lambda one: (bool(lacking(one[0])), len(one[0].pairs), one[0].pairs)
        )
        self._lacking = (*sorted(lacking(self._labels))[:1], _LABEL)
        self._times = tuple(sorted(times))

    def _exact(self, *more: Matcher) -> tuple[Matcher, ...]:
        """Matchers of the one series, and more."""
        pairs = self._labels.pairs
        return (*(Matcher(name, MatchType.EQUAL, value) for name, value in pairs), *more)

    async def _held(
        self, matchers: Sequence[Matcher], times: tuple[int, int] | None = None
    ) -> bool:
        """Whether the answer has the series with samples, at the last one's time if not told."""
        reply = await self._asked(matchers, times)
        return any(one is self._labels and held for one, held in reply.series)

    async def _asked(
        self, matchers: Sequence[Matcher], times: tuple[int, int] | None = None
    ) -> Reply:
        last = self._times[-1]
        return await self.asker.ask(matchers, times or (last - _MINUTE, last + 1))

    async def _end(self) -> str:
        last = self._times[-1]
        reply = await self._asked(self._exact(), (last - 1, last))
        inclusive = any(last in held for _, held in reply.series)
        self._learn(end_exclusive=not inclusive)
        return "inclusive" if inclusive else "exclusive: a sample at the end is left out"

    async def _regex(self) -> str:
        """Asks for a value by its pattern, and by a pattern that only a part of it matches."""
        name, value = max(
            self._labels.pairs, key=lambda pair: (pair[0] != METRIC_NAME, len(pair[1]))
        )
        rest = [one for one in self._exact() if one.name != name]
        pattern = Matcher(name, MatchType.REGEXP, f"^(?s:{re.escape(value)})$")
        if not await self._held((*rest, pattern)):
            self._learn(regex_matchers=False)
            return "not as in RE2"
        part = Matcher(name, MatchType.REGEXP, re.escape(value[:-1]) + "|" + re.escape(value[1:]))
        found = len(value) > 1 and await self._held((*rest, part))
        self._learn(regex_matchers=True, anchor_regex=found)
        return "not anchored" if found else "anchored"

    async def _missing(self) -> str:
        """A label that the series lacks must count as empty for each kind of matcher."""
        wrong = [
            f"{label}{kind}"
            for label in self._lacking
            for kind, value in (
                (MatchType.EQUAL, ""),
                (MatchType.NOT_EQUAL, "x"),
                (MatchType.REGEXP, "x?"),
                (MatchType.NOT_REGEXP, "x"),
            )
            if not await self._held(self._exact(Matcher(label, kind, value)))
        ]
        self._learn(missing_label_ok=not wrong)
        return f"lost by {' '.join(wrong)}" if wrong else "count as empty"

    async def _names(self) -> str:
        name = self._labels.get(METRIC_NAME)
        rest = [one for one in self._exact() if one.name != METRIC_NAME]
        pattern = Matcher(METRIC_NAME, MatchType.REGEXP, f"^(?s:{re.escape(name)})$")
        other = Matcher(METRIC_NAME, MatchType.NOT_EQUAL, _NOWHERE)
        kinds = NameMatchers.EQ
        if await self._held((pattern, *rest) if self.profile.regex_matchers else rest):
            kinds = NameMatchers.EQ_RE
            kinds = NameMatchers.ALL if rest and await self._held((other, *rest)) else kinds
        required = kinds is NameMatchers.EQ or await self._wants_matcher()
        self._learn(name_matchers=kinds, matcher_required=required)
        return {"all": "all", "eq_re": "= and =~", "eq": "one ="}[kinds]

    async def _wants_matcher(self) -> bool:
        """Asks without any, for a moment before there were samples."""
        reply = await self.asker.ask((), (1, 2))
        return bool(reply.error)

    async def _hint(self) -> str:
        last = self._times[-1]
        reply = await self.asker.ask(self._exact(), (last - _MINUTE, last + 1), hint=True)
        bare = bool(reply.series) and not any(held for _, held in reply.series)
        self._learn(hints=Hints.SERIES if bare else Hints.NONE)
        return "honoured: labels without samples" if bare else "not honoured"


def _named(name: str) -> tuple[Matcher, ...]:
    return (Matcher(METRIC_NAME, MatchType.EQUAL, name),)
