"""How much is let in: what one query may ask for and read, and how many may run and wait."""

from collections.abc import Iterable
from dataclasses import dataclass

from bridge.model.errors import LimitExceeded
from bridge.model.labels import Matcher, MatchType
from bridge.model.time import format_duration
from bridge.storage.allowance import allow_received, allow_series
from bridge.storage.interface import ReadOptions, Select, Selection

_PATTERNS = (MatchType.REGEXP, MatchType.NOT_REGEXP)


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one query may ask for; sizes in bytes, times in ms, 0 for no limit.

    `expression_bytes` of its text; `matchers` and `regex_bytes` of one selector; `range`: from the
    first moment that is read to the last; `points` of one series, `series` read, `read_bytes`
    received from stores, `response_bytes` of an answer before it is compressed.
    """

    expression_bytes: int = 16 << 20
    matchers: int = 64
    regex_bytes: int = 16 << 20
    range: int = 0
    points: int = 11_000
    series: int = 500_000
    read_bytes: int = 1 << 30
    response_bytes: int = 512 << 20

    def check_text(self, text: str) -> None:
        """Whether an expression may be that long; raises LimitExceeded, as all checks do."""
        # No character takes more than four bytes.
        if self.expression_bytes and len(text) * 4 > self.expression_bytes:
            size = len(text.encode("utf-8", "surrogateescape"))
            within(
                "the expression's length in bytes",
                size,
                "max_expression_bytes",
                self.expression_bytes,
            )

    def check_selects(self, selects: Iterable[Select]) -> None:
        """Whether these reads may be made."""
        for select in selects:
            self.check_matchers(select.matchers)
            length = select.end - select.start
            if 0 < self.range < length:
                raise LimitExceeded(
                    f"the query reads {format_duration(length)} of time, more than"
                    f" query.max_range ({format_duration(self.range)}) allows"
                )

    def check_matchers(self, matchers: tuple[Matcher, ...]) -> None:
        """Whether a selector may have these."""
        within("the number of matchers of a selector", len(matchers), "max_matchers", self.matchers)
        for one in matchers:
            if one.type in _PATTERNS:
                size = len(one.value.encode("utf-8", "surrogateescape"))
                within(
                    "a regular expression's length in bytes",
                    size,
                    "max_regex_bytes",
                    self.regex_bytes,
                )

    def check_points(self, points: int) -> None:
        """Whether a series may have so many points."""
        within("the number of points of a series", points, "max_points", self.points)

    def check_response(self, size: int) -> None:
        """Whether an answer may be that large."""
        within("the answer's size in bytes", size, "max_response_bytes", self.response_bytes)


@dataclass(frozen=True, slots=True)
class TurnSettings:
    """How queries are let in; times in ms, 0 for no limit.

    `concurrency` of them run at a time; `queued` may wait, each for `wait`. While all turns are
    taken, `lane` queries more may run that are known to be small: of at most `small_samples`, none
    of which has to be read.
    """

    concurrency: int = 20
    queued: int = 256
    wait: int = 10_000
    lane: int = 4
    small_samples: int = 1_000_000


def within(what: str, measured: int, setting: str, most: int) -> None:
    """Raises LimitExceeded if more was measured than a setting of `query` allows; 0 allows all."""
    if 0 < most < measured:
        raise LimitExceeded(f"{what} is {measured}, more than query.{setting} ({most}) allows")


@dataclass(slots=True)
class Taken:
    """What a query's reads have brought so far; each of them ends early if it is too much alone."""

    options: ReadOptions
    series: int = 0
    read_bytes: int = 0

    def add(self, selection: Selection) -> Selection:
        """Counts one more answer."""
        self.series += len(selection.block)
        self.read_bytes += selection.received_bytes
        allow_series(self.series, self.options)
        allow_received(self.read_bytes, self.options)
        return selection
