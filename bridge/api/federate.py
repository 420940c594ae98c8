"""The newest sample of each series, in the text form that Prometheus scrapes.

Source: web/federate.go of Prometheus, expfmt/text_create.go of prometheus/common. Native histograms
have no text form and are left out, as there.
"""

import asyncio
import math
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

import numpy as np

from bridge.api import params
from bridge.api.endpoint import Api, ApiRequest
from bridge.api.envelope import Answer
from bridge.api.escaping import Escaping, is_legacy, negotiated
from bridge.api.headers import cache_headers
from bridge.api.query import fresh, nocache
from bridge.model.errors import QueryTimeout
from bridge.model.labels import METRIC_NAME, Labels, Matcher
from bridge.model.samples import STALE_NAN_BITS, Columns
from bridge.promql.selectors import parse_selector
from bridge.storage.interface import Provenance, ReadOptions, Select, Selection

_MEDIA: Final = "text/plain; version=0.0.4; charset=utf-8; escaping="
_ESCAPES: Final = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})
_INSTANCE: Final = "instance"
_PLAIN_DIGITS: Final = 6

Newest = tuple[Labels, int, float]


async def federate(api: Api, request: ApiRequest) -> Answer:
    """`/federate`: series that fit any `match[]`, as they are now; read from the stores."""
    params.refuse_broken(request.form)
    asked = map(parse_selector, request.form.all("match[]"))
    # As in Prometheus, {} asks for nothing; a store would take it for everything.
    matcher_sets = [matchers for matchers in asked if matchers]
    for matchers in matcher_sets:
        api.limits.limits.check_matchers(matchers)
    options = ReadOptions(
        nocache(request), fresh(request), api.limits.max_samples, api.limits.max_bytes
    )
    now = api.now()
    try:
        async with asyncio.timeout(api.limits.timeout / 1000):
            found = await asyncio.gather(
                *(_select(api, matchers, now, options) for matchers in matcher_sets)
            )
    except TimeoutError:
        raise QueryTimeout("federation") from None
    escaping = negotiated(request.headers.get("accept", ""))
    shared = {_INSTANCE: "", **dict(api.settings.external_labels)}
    text = await asyncio.to_thread(lambda: exposition(found, shared, escaping))
    body = text.encode("utf-8", "surrogateescape")
    used = cache_headers(Provenance.total(one.provenance for one in found))
    return Answer(body, headers=(("Content-Type", f"{_MEDIA}{escaping}"), *used))


async def _select(
    api: Api, matchers: tuple[Matcher, ...], now: int, options: ReadOptions
) -> Selection:
    return await api.querier.select(Select(matchers, now - api.limits.lookback, now), options)


def exposition(found: Sequence[Selection], shared: Mapping[str, str], escaping: Escaping) -> str:
    """The newest samples of all answers, by metric; labels that all `shared` come last."""
    newest: dict[Labels, Newest] = {}
    for selection in found:
        for table, part in selection.block.row_ranges():
            for one in _newest(table, part.columns()):
                newest.setdefault(one[0], one)
    lines: list[str] = []
    last = ""
    for labels, time, value in sorted(newest.values(), key=_order):
        name = labels.get(METRIC_NAME)
        if not name:
            continue
        if name != last:
            lines.append(f"# TYPE {_name(escaping.escape(name))} untyped\n")
            last = name
        lines.append(f"{_series(labels, shared, escaping)} {go_shortest(value)} {time}\n")
    return "".join(lines)


def _order(one: Newest) -> tuple[str, Labels]:
    return one[0].get(METRIC_NAME), one[0]


def _newest(labels: Sequence[Labels], columns: Columns) -> Iterator[Newest]:
    """The last sample of each row, unless it ends the row's series."""
    bits = columns.values.view(np.uint64)
    for row, one in enumerate(labels):
        at = int(columns.offsets[row + 1]) - 1
        if at >= int(columns.offsets[row]) and bits[at] != STALE_NAN_BITS:
            yield one, int(columns.timestamps[at]), float(columns.values[at])


def _series(labels: Labels, shared: Mapping[str, str], escaping: Escaping) -> str:
    name = escaping.escape(labels.get(METRIC_NAME))
    own = {key: value for key, value in labels.pairs if key != METRIC_NAME}
    added = ((key, shared[key]) for key in sorted(shared) if key not in own)
    texts = [
        f'{_name(escaping.escape(key))}="{_escaped(value)}"'
        for key, value in (*own.items(), *added)
    ]
    if is_legacy(name):
        return f"{name}{{{','.join(texts)}}}"
    return f"{{{','.join((_name(name), *texts))}}}"


def _name(name: str) -> str:
    return name if is_legacy(name) else f'"{_escaped(name)}"'


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES)


def go_shortest(value: float) -> str:
    """A number in the shortest form of Go's format 'g', exponent from 1e+06 on; -0 is 0."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    assert isinstance(exponent, int)
    text = "".join(map(str, digits)).rstrip("0") or "0"
    point = len(digits) + exponent
    if text == "0":
        return text
    minus = "-" if sign else ""
    if -4 <= point - 1 < _PLAIN_DIGITS:
        whole = text[:point].ljust(point, "0") if point > 0 else "0"
        rest = "0" * -point + text[max(point, 0) :]
        return f"{minus}{whole}.{rest}" if rest and rest.strip("0") else f"{minus}{whole}"
    mantissa = f"{text[0]}.{text[1:]}" if len(text) > 1 else text
    return f"{minus}{mantissa}e{point - 1:+03d}"
