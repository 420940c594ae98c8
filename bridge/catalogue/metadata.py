"""What a metric's name says of its type, as the naming rules of exposition have it."""

from collections.abc import Iterable, Iterator
from typing import Final

_PARTS: Final = ("_bucket", "_count", "_sum")


def types_of(names: Iterable[str], summaries: Iterable[str] = ()) -> Iterator[tuple[str, str]]:
    """Each metric family among the names, with its type, sorted.

    A classic histogram is one family: only where all three of its parts are there. `summaries` are
    metrics with a `quantile` label; with `_count` and `_sum` they are one family, too. A metric
    whose name says nothing is of type unknown.
    """
    held = frozenset(names)
    histograms = {name.removesuffix("_bucket") for name in held if name.endswith("_bucket")}
    histograms = {base for base in histograms if all(base + part in held for part in _PARTS)}
    summed = {base for base in summaries if base + "_count" in held and base + "_sum" in held}
    families = dict.fromkeys(summed, "summary") | dict.fromkeys(histograms, "histogram")
    members = {base + part for base in families for part in _PARTS}
    for name in held - members - families.keys():
        families[name] = _by_suffix(name)
    yield from sorted(families.items())


def _by_suffix(name: str) -> str:
    if name.endswith("_total"):
        return "counter"
    if name.endswith("_info"):
        return "gauge"
    return "unknown"
