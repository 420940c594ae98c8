"""The cache seen and steered from outside: what is remembered, what is to be forgotten."""

import asyncio
from collections.abc import Sequence
from typing import Final

from bridge.api import params
from bridge.api.endpoint import Api, ApiRequest
from bridge.api.envelope import NOTHING, Answer, go_json
from bridge.api.ledger import rfc3339
from bridge.api.params import TimeRange
from bridge.api.selectors import selector_text
from bridge.cache.status import HeldSelector, held_selectors
from bridge.model.errors import BadData, Unavailable
from bridge.model.time import MAX_TIME, MIN_TIME, Window
from bridge.promql.selectors import parse_selector

# Of a selector that is remembered in more pieces than this the newest are shown.
_MOST_WINDOWS: Final = 50


async def status(api: Api, request: ApiRequest) -> Answer:
    """`/api/v1/status/cache`: of each store the selectors that take most bytes, `limit` of them."""
    limit, caches = params.length(request.form), api.caches
    now = caches.memory.clock()
    held = await asyncio.to_thread(held_selectors, caches.memory, now)
    stores: dict[str, list[HeldSelector]] = {}
    for one in held:
        stores.setdefault(one.store, []).append(one)
    shown = {
        "maxBytes": caches.memory.settings.max_bytes,
        "ownedBytes": caches.memory.nbytes,
        "samplesBytes": caches.memory.samples_bytes,
        "blocks": caches.memory.blocks,
        "tiers": [{"name": one.name, "leftAlone": one.left_alone()} for one in caches.tiers],
        "stores": [_store(name, all_, limit, now.wall) for name, all_ in sorted(stores.items())],
    }
    return Answer(await asyncio.to_thread(go_json, shown))


def _store(name: str, held: Sequence[HeldSelector], limit: int, now: int) -> dict[str, object]:
    return {
        "store": name,
        "selectors": len(held),
        "blocks": sum(one.blocks for one in held),
        "samples": sum(one.samples for one in held),
        "ownedBytes": sum(one.nbytes for one in held),
        "held": [_selector(one, now) for one in held[:limit]],
    }


def _selector(held: HeldSelector, now: int) -> dict[str, object]:
    windows = held.coverage[-_MOST_WINDOWS:]
    return {
        "selector": selector_text(held.matchers),
        "series": held.series,
        "blocks": held.blocks,
        "samples": held.samples,
        "ownedBytes": held.nbytes,
        "oldestAgeSeconds": None if held.oldest is None else (now - held.oldest) / 1000,
        "newestAgeSeconds": None if held.newest is None else (now - held.newest) / 1000,
        "coverage": [{"start": rfc3339(one.start), "end": rfc3339(one.end)} for one in windows],
        "coverageOmitted": len(held.coverage) - len(windows),
    }


async def purge(api: Api, request: ApiRequest) -> Answer:
    """`/-/cache/purge`: what `match[]` selects is read anew, in every replica.

    Guarded and checked as Prometheus does it for `delete_series`.
    """
    if not api.settings.enable_admin_api:
        raise Unavailable("admin APIs disabled")
    params.refuse_broken(request.form)
    texts = request.form.all("match[]")
    if not texts:
        raise BadData("no match[] parameter provided")
    span = params.time_range(request.form, TimeRange(MIN_TIME, MAX_TIME))
    with params.parameter("match[]"):
        selectors = [parse_selector(text) for text in texts]
    untold = await api.caches.purge(selectors, Window(span.start, span.end))
    if untold:
        raise Unavailable(
            f"purged in this process, but {' and '.join(untold)} could not be told: what was read"
            " before may still be served by other replicas, or after a restart; they are told as"
            " soon as they answer"
        )
    return NOTHING
