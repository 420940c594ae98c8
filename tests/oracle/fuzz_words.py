"""What fuzzed expressions are made of: names, labels and values of a data set, and constants."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from bridge.promql.ast import Signature, ValueType
from tests.oracle.series import Dataset, NativeData
from tests.promql.signatures import SIGNATURES

# Stable in 3.14 but not in 3.5.
_LATER: Final = frozenset({"first_over_time"})
# Experimental in both.
_EXPERIMENTAL: Final = frozenset(
    {
        "double_exponential_smoothing",
        "mad_over_time",
        "ts_of_last_over_time",
        "ts_of_max_over_time",
        "ts_of_min_over_time",
    }
)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


NUMBERS: Final = _words(
    "0 1 2 3 0.5 -1 1.5 10 100 1e8 0.1 1e-9 NaN Inf -Inf 0x1F 1_000 017 5m -0 1e308 "
    "-1e308 5e-324 1e-320 9007199254740993 0b11 0o17 .5 2. 1e3 1h30m 0xFFp2 -1e-9 1800"
)
SMALL: Final = _words("1 2 3 0 -1 1.7 5 100 NaN -5 1e10 2.9 Inf")
SHARES: Final = _words("0 0.1 0.25 0.5 0.9 0.99 1 1.2 -0.1 NaN")
RANGES: Final = _words(
    "5m 1m 2m 45s 30s 15s 17m 1h 4m30s 300 61.5 1m1ms 90s 10m 3m20s 25m 1ms 16s "
    "1h20m15s500ms 2w 0.5 1e3 7m"
)
SUBRANGES: Final = _words("10m 5m 3m 30m 1h 7m30s 90s 1m 2h 1m1s 0x100")
RESOLUTIONS: Final = _words("30s 1m 10s 7s 2m 15s 61 3m 0x10 500ms")
OFFSETS: Final = _words("1m 5m 30s -1m -30s 10m 15s 1h -2m30s 7 -0.5 1ms 1y -1w 1d 0 0s")
STEPS: Final = (15_000, 30_000, 60_000, 61_000, 7_000, 13_500, 300_000, 1_000, 250, 45_000, 1)  # ms
ARITHMETIC: Final = _words("+ - * / % ^ atan2")
COMPARISONS: Final = _words("== != < > <= >=")
SETS: Final = _words("and or unless")
PLAIN_AGGREGATORS: Final = ["sum", "avg", "count", "min", "max", "group", "stddev", "stdvar"]
PATTERNS: Final = (".*", ".+", "", "a|b", "[ab]", "^a$", "2..", "(?i)API", "nothing", "1\\.0")
EXOTIC: Final = (
    *(".{0,3}", "a||b", "(?i:A)PI", "[^a]+", "(?s).", "(?P<x>a)|b", "a{1001}", "(", "*a", "a**"),
    *("[[:alpha:]]+", "[z-a]", "\\d+", "\\pL*", "\\Q.\\E.*", "\\z", "(?x)a", "x*", "\\8", "é|a"),
    *("(a|b|c)", "api|web|", "[a-c]|d", "(?-s).+", "(?:a)+?", "a.*|.*b", ".*a.*", "\\x{61}", "\\C"),
)
SOURCES: Final = ("(.*)", "(.)(.*)", "([a-z]+).*", "(?P<word>.+)", "x", "")
TEMPLATES: Final = ("$1", "${1}-$2", "x$1y", "", "$word", "same", "$$1", "${2}${1}")
TARGETS: Final = ("job", "instance", "copy", "__name__", "le", "kind", "code", "größe", "")


@dataclass(frozen=True, slots=True)
class Family:
    """All series of one name: each label they have, with its values; '' where one lacks it.

    `native`: whether there are native histograms among them.
    """

    name: str
    labels: Mapping[str, tuple[str, ...]]
    native: bool = False

    def common(self, other: "Family") -> tuple[str, ...]:
        """Labels that both have, but for `le`."""
        return tuple(name for name in self.labels if name in other.labels and name != "le")


@dataclass(frozen=True, slots=True)
class Words:
    """The families of a data set, the times (ms) they lie in, and the functions to call."""

    families: tuple[Family, ...]
    start: int
    end: int
    functions: Mapping[ValueType, tuple[Signature, ...]]

    @property
    def labels(self) -> tuple[str, ...]:
        """All label names."""
        return tuple(sorted({name for family in self.families for name in family.labels}))


def words(data: Dataset, start: int, end: int, *, experimental: bool = False) -> Words:
    """The words for a data set whose samples lie between two times in ms."""
    names = dict.fromkeys(one.labels["__name__"] for one in (*data.series, *data.native))
    families = tuple(_family(name, data) for name in names)
    return Words(families, start, end, _functions(SIGNATURES.values(), experimental))


def _family(name: str, data: Dataset) -> Family:
    every = (*data.series, *data.native)
    pieces = [one for one in every if one.labels["__name__"] == name]
    series = [one.labels for one in pieces]
    labels = sorted({label for one in series for label in one} - {"__name__"})
    values = {x: tuple(sorted({one.get(x, "") for one in series})) for x in labels}
    return Family(name, values, any(isinstance(one, NativeData) for one in pieces))


def _functions(
    signatures: Iterable[Signature], experimental: bool
) -> Mapping[ValueType, tuple[Signature, ...]]:
    """Those that an oracle of 3.5 knows, behind its feature flag or without, by what they give."""
    known = _EXPERIMENTAL if experimental else ()
    called = [
        one
        for one in signatures
        if one.name in known or not (one.experimental or one.name in _LATER)
    ]
    return {
        kind: tuple(one for one in called if one.returns is kind)
        for kind in (ValueType.VECTOR, ValueType.SCALAR)
    }
