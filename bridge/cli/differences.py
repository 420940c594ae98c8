"""What differs between two answers of the query API, in one sentence."""

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

from bridge.cli.terminal import series_name

Json = Mapping[str, Any]
_Samples = dict[str, list[tuple[float, Any]]]

_LONGEST: Final = 60


def difference(theirs: Json, ours: Json, tolerance: float = 0.0) -> str:
    """What is different in prombridge's answer; empty if nothing is.

    Series are compared as sets, values as texts; with a `tolerance`, numbers may differ by that
    share of the larger one.
    """
    return next(_differences(theirs, ours, tolerance), "")


def _differences(theirs: Json, ours: Json, tolerance: float) -> Iterator[str]:
    if theirs.get("status") != "success" or ours.get("status") != "success":
        if _failure(theirs) != _failure(ours):
            yield f"theirs: {_failure(theirs)}; ours: {_failure(ours)}"
        return
    mine, known = ours["data"], theirs["data"]
    if known["resultType"] != mine["resultType"]:
        yield f"theirs is a {known['resultType']}, ours a {mine['resultType']}"
        return
    if not isinstance(known["result"], list) or known["resultType"] in {"scalar", "string"}:
        if known["result"] != mine["result"]:
            yield f"theirs: {known['result'][1]}; ours: {mine['result'][1]}"
        return
    yield from _of_series(_series(known["result"]), _series(mine["result"]), tolerance)


def _failure(answer: Json) -> str:
    if answer.get("status") == "success":
        return "an answer"
    return f"{answer.get('errorType')}: {answer.get('error')}"


def _series(result: list[Json]) -> _Samples:
    """Samples of each series, floats and histograms, by its labels."""
    found: _Samples = {}
    for one in result:
        name = series_name(dict(sorted(one["metric"].items())))
        pairs = [*one.get("values", ()), *one.get("histograms", ())]
        pairs += [one[key] for key in ("value", "histogram") if key in one]
        found[name] = [(moment, value) for moment, value in pairs]
    return found


def _of_series(theirs: _Samples, ours: _Samples, tolerance: float) -> Iterator[str]:
    missing, added = theirs.keys() - ours.keys(), ours.keys() - theirs.keys()
    if missing:
        yield f"{len(missing)} of {len(theirs)} series are missing: {_one(missing)}"
    if added:
        yield f"{len(added)} series are only in ours: {_one(added)}"
    changed = {
        name: said
        for name in theirs
        if name in ours and (said := _of_samples(theirs[name], ours[name], tolerance))
    }
    if changed:
        name = min(changed)
        yield f"{len(changed)} of {len(theirs)} series differ: {_cut(name)} {changed[name]}"


def _of_samples(
    theirs: list[tuple[float, Any]], ours: list[tuple[float, Any]], tolerance: float
) -> str:
    if theirs == ours:
        return ""
    known, mine = dict(theirs), dict(ours)
    for moment in sorted(known.keys() | mine.keys()):
        before, after = known.get(moment), mine.get(moment)
        if not _alike(before, after, tolerance):
            return f"at {moment}: {_shown(before)}, ours {_shown(after)}"
    return ""


def _alike(before: Any, after: Any, tolerance: float) -> bool:
    if before == after:
        return True
    if not tolerance or not isinstance(before, str) or not isinstance(after, str):
        return False
    return math.isclose(float(before), float(after), rel_tol=tolerance)


def _shown(value: Any) -> str:
    return "nothing" if value is None else value if isinstance(value, str) else "a histogram"


def _one(names: set[str]) -> str:
    return _cut(min(names)) + (" …" if len(names) > 1 else "")


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
