"""The newest sample of each series, in the forms that Prometheus scrapes.

Source: web/federate.go of Prometheus.
"""

import asyncio
from typing import Final

from bridge.api import params
from bridge.api.endpoint import Api, ApiRequest
from bridge.api.envelope import Answer
from bridge.api.escaping import negotiated
from bridge.api.exposition import as_protobuf, as_text, newest
from bridge.api.headers import cache_headers, fresh
from bridge.api.query import nocache
from bridge.model.errors import QueryTimeout
from bridge.model.labels import Matcher
from bridge.promql.selectors import parse_selector
from bridge.storage.interface import Provenance, ReadOptions, Select, Selection

_INSTANCE: Final = "instance"


async def federate(api: Api, request: ApiRequest) -> Answer:
    """`/federate`: series that fit any `match[]`, as they are now; read from the stores."""
    params.refuse_broken(request.form)
    asked = map(parse_selector, request.form.all("match[]"))
    # As in Prometheus, {} asks for nothing; a store would take it for everything.
    matcher_sets = [matchers for matchers in asked if matchers]
    for matchers in matcher_sets:
        api.limits.limits.check_matchers(matchers)
    options = ReadOptions(
        nocache(request.form), fresh(request.headers), api.limits.max_samples, api.limits.max_bytes
    )
    now = api.now()
    try:
        async with asyncio.timeout(api.limits.timeout / 1000):
            found = await asyncio.gather(
                *(_select(api, matchers, now, options) for matchers in matcher_sets)
            )
    except TimeoutError:
        raise QueryTimeout("federation") from None
    form = negotiated(request.headers.get("accept", ""))
    shared = {_INSTANCE: "", **dict(api.settings.external_labels)}
    write = as_protobuf if form.protobuf else as_text
    body = await asyncio.to_thread(lambda: write(newest(found), shared, form.escaping))
    used = cache_headers(Provenance.total(one.provenance for one in found))
    return Answer(body, headers=(("Content-Type", form.content_type), *used))


async def _select(
    api: Api, matchers: tuple[Matcher, ...], now: int, options: ReadOptions
) -> Selection:
    return await api.querier.select(Select(matchers, now - api.limits.lookback, now), options)
