"""Native histograms of the query API's answers for a terminal: in a cell, and as bars."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

# Eighths of a character, as parts of a bar.
_EIGHTHS: Final = " ▏▎▍▌▋▊▉"
_WHOLE: Final = "█"
_RULES: Final = ("(]", "[)", "()", "[]")

Json = Mapping[str, Any]


def cell(histogram: Json) -> str:
    """A histogram in a word."""
    return f"count {histogram['count']}, sum {histogram['sum']}"


def bars(histogram: Json, width: int) -> Iterator[str]:
    """Its populated buckets, each with its count and a bar, in lines of at most `width`."""
    buckets: Sequence[tuple[int, str, str, str]] = histogram.get("buckets", ())
    names = [_RULES[rule][0] + f"{low}, {high}" + _RULES[rule][1] for rule, low, high, _ in buckets]
    counts = [count for *_, count in buckets]
    most = max(map(float, counts), default=0.0)
    named, counted = max(map(len, names), default=0), max(map(len, counts), default=0)
    room = max(width - named - counted - 6, 10)
    for name, count in zip(names, counts, strict=True):
        yield f"  {name:<{named}}  {count:>{counted}}  {_bar(float(count), most, room)}".rstrip()


def _bar(count: float, most: float, room: int) -> str:
    eighths = round(count / most * room * 8) if 0 < count <= most else 0
    return _WHOLE * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
