"""What a query would read, for a terminal: one row for each read of each store, and a sum."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from bridge.cli.terminal import Table, counted, moment
from bridge.model.time import format_duration

Json = Mapping[str, Any]

_UNKNOWN: Final = "unknown"
_HEADER: Final = (
    "SELECTOR",
    "STORE",
    "FROM",
    "LENGTH",
    "CACHE",
    "GAPS",
    "SERIES",
    "SAMPLES",
    "READ",
    "BYTES",
)
# Selector, store and time.
_WORDS: Final = 3


def cost_lines(data: Json, width: int) -> Iterator[str]:
    """What `data` of an answer of query_cost looks like in a terminal of so many columns."""
    rows = tuple(_rows(data["selects"]))
    if not rows:
        yield "This query reads no samples."
        return
    yield from Table(_HEADER, rows, words=_WORDS).lines(width)
    yield ""
    yield _sentence(data["total"], len(data["stores"]))


def _rows(selects: Sequence[Json]) -> Iterator[tuple[str, ...]]:
    for select in selects:
        for one in select["stores"]:
            yield (
                select["selector"],
                one["store"],
                moment(select["start"]),
                _length([select]),
                one["cache"],
                _length(one["gaps"]),
                _count(one["series"]),
                _count(one["samples"]),
                _count(one["readSamples"]),
                _size(one["readBytes"]),
            )


def _sentence(total: Json, stores: int) -> str:
    reads = counted(total["selects"], "read") + " of " + counted(stores, "store")
    if not total["gaps"]:
        return f"{reads}, all from memory: nothing is asked of the store."
    gaps = counted(total["gaps"], "gap")
    sent = f"about {_count(total['readSamples'])} samples in {_size(total['readBytes'])}"
    if total["readSamples"] is None:
        sent = "how much that is cannot be known beforehand"
    return f"{reads}: {_duration(total['gapSeconds'])} to read in {gaps}, {sent}."


def _length(windows: Sequence[Json]) -> str:
    """How long windows are together."""
    return _duration(sum(one["end"] - one["start"] for one in windows)) if windows else "-"


def _duration(seconds: float) -> str:
    # Windows end a millisecond before the next: what is shown is rounded to the second.
    return format_duration(math.ceil(seconds) * 1000)


def _count(number: int | None) -> str:
    return _UNKNOWN if number is None else f"{number:,}"


def _size(number: int | None) -> str:
    if number is None:
        return _UNKNOWN
    size = float(number)
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"
