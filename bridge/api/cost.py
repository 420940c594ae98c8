"""query_cost: what a query would read, before it is asked."""

import asyncio
from collections.abc import Callable, Iterable, Sequence

from bridge.api import params
from bridge.api.endpoint import Api, ApiRequest
from bridge.api.envelope import Answer, go_json
from bridge.api.headers import fresh
from bridge.api.query import nocache
from bridge.api.selectors import selector_text
from bridge.engine.query import QueryOptions
from bridge.model.time import Steps, Window
from bridge.storage.interface import (
    Estimate,
    ReadOptions,
    Select,
    estimated,
)

Json = dict[str, object]


async def query_cost(api: Api, request: ApiRequest) -> Answer:
    """`/api/v1/query_cost`: the reads that a query needs, and what is known of each; reads nothing.

    With `start`, `end` or `step` it is a range query, else an instant one.
    """
    form = request.form
    ranged = any(form.get(name) for name in ("start", "end", "step"))
    steps = params.steps(form, api.limits.limits) if ranged else _moment(api, request)
    asked = QueryOptions(lookback=params.lookback(form))
    with params.parameter("query"):
        selects = await api.engine.selects(form.get("query"), steps, asked)
    options = ReadOptions(nocache(request.form), fresh(request.headers))
    found = await asyncio.gather(*(estimated(api.querier, one, options) for one in selects))
    every = [one for estimates in found for one in estimates]
    stores = {one.store: [o for o in every if o.store == one.store] for one in every}
    return Answer(
        go_json(
            {
                "selects": [_select(*one) for one in zip(selects, found, strict=True)],
                "stores": [{"store": name} | _sums(held) for name, held in sorted(stores.items())],
                "total": _sums(every),
            }
        )
    )


def _moment(api: Api, request: ApiRequest) -> Steps:
    return Steps.at(params.optional_time(request.form, "time", api.now()))


def _select(select: Select, estimates: Iterable[Estimate]) -> Json:
    return {
        "selector": selector_text(select.matchers),
        **_window(Window(select.start, select.end)),
        "stores": [_estimate(one) for one in estimates],
    }


def _estimate(one: Estimate) -> Json:
    return {
        "store": one.store,
        "cache": _use(one),
        "held": list(map(_window, one.held)),
        "gaps": list(map(_window, one.gaps)),
        "series": one.series,
        **_sizes([one]),
    }


def _use(one: Estimate) -> str:
    if not one.gaps:
        return "hit"
    return "partial" if one.held else "miss"


def _sums(estimates: Sequence[Estimate]) -> Json:
    """Of several reads as one; a sum of which a part is not known is not known."""
    gaps = [gap for one in estimates for gap in one.gaps]
    milliseconds = sum(gap.end - gap.start + 1 for gap in gaps)
    return {
        "selects": len(estimates),
        "gaps": len(gaps),
        "gapSeconds": milliseconds / 1000,
        **_sizes(estimates),
    }


def _sizes(estimates: Sequence[Estimate]) -> Json:
    return {
        "samples": _sum(estimates, lambda one: one.samples),
        "readSamples": _sum(estimates, lambda one: one.read_samples),
        "readBytes": _sum(estimates, lambda one: one.read_bytes),
    }


def _sum(estimates: Sequence[Estimate], figure: Callable[[Estimate], int | None]) -> int | None:
    figures = list(map(figure, estimates))
    known = [one for one in figures if one is not None]
    return sum(known) if len(known) == len(figures) else None


def _window(window: Window) -> Json:
    return {"start": window.start / 1000, "end": window.end / 1000}
