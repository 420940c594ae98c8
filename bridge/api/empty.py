"""The empty forms of what remote read does not carry, their parameters checked as Prometheus does.

Source: web/api/v1/api.go of Prometheus.
"""

import asyncio
import re
from collections.abc import Sequence
from typing import Any, Final

from bridge.api import params
from bridge.api.endpoint import Api, ApiRequest, Handler
from bridge.api.envelope import Answer, go_json
from bridge.api.form import Form
from bridge.api.params import TimeRange
from bridge.api.passing import Keep, passed_on
from bridge.engine.functions import signatures
from bridge.model.errors import BadData, Forbidden
from bridge.model.labels import Labels, Matcher, matches_all, quoted
from bridge.model.time import MAX_TIME, MIN_TIME
from bridge.promql.narrowing import NotNarrowable, narrowed
from bridge.promql.printer import to_text
from bridge.promql.selectors import parse_selector

_BOOLEANS: Final = frozenset({"", "1", "t", "true", "0", "f", "false"})
_INTEGER: Final = re.compile(r"[+-]?[0-9]+", re.ASCII)
_INT32_MAX: Final = 2**31 - 1


def constant(data: object) -> Handler:
    """A handler that always gives the same; bytes are JSON already."""
    answer = Answer(data if isinstance(data, bytes) else go_json(data))

    async def handler(_api: Api, _request: ApiRequest) -> Answer:
        return answer

    return handler


alertmanagers: Final = constant({"activeAlertmanagers": [], "droppedAlertmanagers": []})
scrape_pools: Final = constant({"scrapePools": []})
# There is no storage of one's own: no blocks, no log to replay, nothing to be told about it.
blocks: Final = constant({"blocks": []})
walreplay: Final = constant(b'{"min":0,"max":0,"current":0}')


async def alerts(api: Api, request: ApiRequest) -> Answer:
    """`/api/v1/alerts`."""
    if api.tenant.matchers:
        # A rule's expression may read anything: that its labels fit says nothing of the rest.
        return Answer(b'{"alerts":[]}')
    passed = await passed_on(api, request.form.pairs, "alerts", "alerts")
    return passed or Answer(b'{"alerts":[]}')


async def query_exemplars(api: Api, request: ApiRequest) -> Answer:
    """`/api/v1/query_exemplars`."""
    span = params.time_range(request.form, TimeRange(MIN_TIME, MAX_TIME))
    if span.end < span.start:
        raise BadData("end timestamp must not be before start timestamp")
    expr = await asyncio.to_thread(api.engine.parse, request.form.get("query"))
    pairs, keep = request.form.pairs, None
    if matchers := api.tenant.matchers:
        try:
            text = to_text(narrowed(expr, matchers, signatures()))
        except NotNarrowable as error:
            raise Forbidden(f"tenants cannot be told exemplars of a query with {error}()") from None
        pairs = (*(one for one in pairs if one[0] in ("start", "end")), ("query", text))
        keep = _of(matchers)
    return await passed_on(api, pairs, "query_exemplars", keep=keep) or Answer(b"[]")


def _of(matchers: Sequence[Matcher]) -> Keep:
    """Whether exemplars are those of a series that satisfies all of these."""

    def keep(item: Any) -> bool:
        labels = item.get("seriesLabels") if isinstance(item, dict) else None
        return isinstance(labels, dict) and matches_all(matchers, Labels.of(labels))

    return keep


async def rules(api: Api, request: ApiRequest) -> Answer:
    """`/api/v1/rules`."""
    form = request.form
    params.refuse_broken(form)
    params.selectors(form.all("match[]"), parse_selector)
    with params.parameter("type"):
        kind = form.get("type").lower()
        if kind not in {"", "alert", "record"}:
            raise BadData(f"not supported value {quoted(kind)}")
    with params.parameter("exclude_alerts"):
        _boolean(form, "exclude_alerts")
    hidden = bool(api.tenant.matchers)
    if not hidden and (passed := await passed_on(api, form.pairs, "rules", "groups")):
        return passed
    _page(form.get("group_limit"), form.get("group_next_token"))
    return Answer(b'{"groups":[]}')


def _page(limit: str, token: str) -> None:
    """Refuses what asks for no page, and every page but the first."""
    with params.parameter("group_limit"):
        if limit and _int32(limit) <= 0:
            raise BadData("group_limit needs to be greater than 0")
    with params.parameter("group_next_token"):
        if token and not limit:
            raise BadData("group_limit needs to be present in order to paginate over the groups")
        if token:
            raise BadData(f"invalid group_next_token '{token}'. were rule groups changed?")


def _int32(text: str) -> int:
    wrong = f"group_limit needs to be a valid number: strconv.ParseInt: parsing {quoted(text)}: "
    if not _INTEGER.fullmatch(text):
        raise BadData(f"{wrong}invalid syntax")
    # int() refuses texts of thousands of digits with words of its own.
    digits = text.lstrip("+-").lstrip("0") or "0"
    value = int(digits) if len(digits) < 11 else _INT32_MAX + 2
    value = -value if text.startswith("-") else value
    if not -_INT32_MAX - 1 <= value <= _INT32_MAX:
        raise BadData(f"{wrong}value out of range")
    return value


def _boolean(form: Form, name: str) -> None:
    text = form.get(name).lower()
    if text not in _BOOLEANS:
        what = f"strconv.ParseBool: parsing {quoted(text)}: invalid syntax"
        raise BadData(f"error converting {name}: {what}")


async def targets(_api: Api, request: ApiRequest) -> Answer:
    """`/api/v1/targets`."""
    shows_dropped = request.form.get("state").lower() in {"", "any", "dropped"}
    counts = b"{}" if shows_dropped else b"null"
    return Answer(b'{"activeTargets":[],"droppedTargets":[],"droppedTargetCounts":%s}' % counts)


async def targets_metadata(_api: Api, request: ApiRequest) -> Answer:
    """`/api/v1/targets/metadata`."""
    params.number(request.form, "limit")
    with params.parameter("match_target"):
        if text := request.form.get("match_target"):
            parse_selector(text)
    return Answer(b"[]")
