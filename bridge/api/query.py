"""query, query_range, format_query and parse_query."""

import asyncio
import time
from contextlib import nullcontext
from dataclasses import replace
from typing import Final

from bridge.api import params
from bridge.api.answers import Given, Known, Place, Question
from bridge.api.asked import Lead
from bridge.api.delegation import pushed_down
from bridge.api.encode import at_most, encode_pieces, encoded, many_pieces
from bridge.api.endpoint import Api, ApiRequest
from bridge.api.envelope import Answer, go_json, in_pieces, whole
from bridge.api.form import Form
from bridge.api.headers import cache_headers, fresh
from bridge.api.ledger import Entry, samples_of
from bridge.engine.demands import Limits
from bridge.engine.functions import signatures
from bridge.engine.query import QueryOptions, Stats
from bridge.model.errors import LimitExceeded, QueryTimeout, TooManySamples
from bridge.model.labels import quoted
from bridge.model.time import Steps
from bridge.promql.ast import Expr
from bridge.promql.pretty import prettified
from bridge.promql.translate import to_json
from bridge.storage.pool import CURRENT, Part
from bridge.telemetry.trace import Stage, stage

# A point as JSON, in the two copies that there are until its answer is whole.
_BYTES_PER_POINT: Final = 2 * 32
_STATS: Final = ("true", "all")


async def instant(api: Api, request: ApiRequest) -> Answer:
    """`/api/v1/query`: one step, now unless `time` says otherwise."""
    form = request.form
    with stage(Stage.PARAMS):
        # What is asked of now is another question each time.
        steps, options = form.once(_at, 0) if form.get("time") else _at(form, api.now())
    return await _evaluated(api, request, steps, options)


async def ranged(api: Api, request: ApiRequest) -> Answer:
    """`/api/v1/query_range`: `start` to `end` by `step`."""
    with stage(Stage.PARAMS):
        steps, options = request.form.once(_along, api.limits.limits)
    return await _evaluated(api, request, steps, options)


def _at(form: Form, now: int) -> tuple[Steps, QueryOptions]:
    limit = params.limit(form)
    steps = Steps.at(params.optional_time(form, "time", now))
    return steps, _options(form, limit)


def _along(form: Form, limits: Limits) -> tuple[Steps, QueryOptions]:
    limit = params.limit(form)
    steps = params.steps(form, limits)
    return steps, _options(form, limit)


def _options(form: Form, limit: int) -> QueryOptions:
    timeout = params.timeout(form)
    lookback = params.lookback(form)
    return QueryOptions(
        0 if timeout is None else timeout or -1,
        lookback,
        limit,
        nocache(form),
        every_step=bool(form.get("stats")),
    )


async def _evaluated(api: Api, request: ApiRequest, steps: Steps, options: QueryOptions) -> Answer:
    """The answer, evaluated here or by a store whose settings say so."""
    if options.timeout < 0:
        await asyncio.to_thread(_parsed, api, request)
        raise QueryTimeout("query execution")
    if fresh(request.headers):
        options = replace(options, fresh=True)
    question = _question(api, request.form, steps, options)
    if question is not None and (known := await api.answers.find(question)) is not None:
        api.ledger.known(question.text, steps, request.origin, known.stats)
        return known.answer
    text = request.form.get("query")
    with params.parameter("query"):
        answer = await pushed_down(api, text, steps, options)
    if answer is not None:
        return answer
    try:
        return await _once(api, request, steps, options, question)
    except (LimitExceeded, TooManySamples) as error:
        answer = await pushed_down(api, text, steps, options, error)
        if answer is None:
            raise
        return answer


def instant_question(api: Api, form: Form) -> Question | None:
    """What a form asks `/api/v1/query`, if its answer may be one that was given before.

    None also if it asks of now, which is another question each time. Raises BadData.
    """
    return _question(api, form, *form.once(_at, 0)) if form.get("time") else None


def ranged_question(api: Api, form: Form) -> Question | None:
    """What a form asks `/api/v1/query_range`, if its answer may be one that was given before.

    Raises BadData, and LimitExceeded.
    """
    return _question(api, form, *form.once(_along, api.limits.limits))


def _question(api: Api, form: Form, steps: Steps, options: QueryOptions) -> Question | None:
    """What is asked, if its answer may be one that was given before."""
    anew = options.nocache or options.fresh or options.timeout < 0 or form.get("stats")
    if anew or not api.answers.shelf.max_bytes:
        return None
    return Question(form.get("query"), steps, options.lookback, options.limit)


async def _once(
    api: Api, request: ApiRequest, steps: Steps, options: QueryOptions, question: Question | None
) -> Answer:
    """The answer, evaluated for all who ask the same meanwhile."""
    text = request.form.get("query")
    with api.ledger.entry(text, steps, request.origin) as entry, params.parameter("query"):
        if question is None:
            return await _evaluated_here(api, request, steps, options, entry)
        lead = api.answers.lead(question)
        if lead is None:
            found, options = await _followed(api, question, options)
            if isinstance(found, Known):
                entry.given(found.stats)
                return found.answer
            lead = found
        with lead or nullcontext():
            answer = await _evaluated_here(api, request, steps, options, entry)
            given = await api.answers.put(question, answer, entry.stats)
            if lead is not None:
                lead.give(given)
    return given().answer if given else answer


async def _followed(
    api: Api, question: Question, options: QueryOptions
) -> tuple[Lead[Place, Given] | Known | None, QueryOptions]:
    """What comes of waiting for who evaluates the same, and options for the time that is left."""
    most = api.engine.settings.timeout
    most, began = min(options.timeout or most, most), time.monotonic()
    try:
        async with asyncio.timeout(most / 1000):
            found = await api.answers.follow(question)
    except TimeoutError:
        raise QueryTimeout("query execution") from None
    left = most - round(1000 * (time.monotonic() - began))
    return found, replace(options, timeout=max(left, 1))


async def _evaluated_here(
    api: Api, request: ApiRequest, steps: Steps, options: QueryOptions, entry: Entry
) -> Answer:
    wanted = request.form.get("stats")
    result = await api.engine.query(entry.text, steps, options, entry.stats)
    if not steps.instant:
        known = result.stats.known_steps
        api.metrics.answers.steps(known, len(steps) - known)
    headers = cache_headers(result.stats.provenance)
    if many_pieces(result) and not wanted:
        longest = await asyncio.to_thread(at_most, result)
        entry.trace.streamed = True
        remarked = Answer(b"", result.warnings, result.infos, headers)
        return in_pieces(remarked, encode_pieces(result), longest)
    with stage(Stage.ENCODE):
        if share := CURRENT.get():
            share.set(Part.ANSWER, result.points * _BYTES_PER_POINT)
        data = await encoded(result)
    stats, remarks = _stats(wanted, entry)
    data = b'%s,"stats":%s}' % (data[:-1], stats) if stats else data
    return whole(Answer(data, (*result.warnings, *remarks), result.infos, headers))


def nocache(form: Form) -> bool:
    """Whether an answer without the cache is asked for."""
    return form.get("nocache") in {"1", "true"}


def _stats(wanted: str, entry: Entry) -> tuple[bytes, tuple[str, ...]]:
    if not wanted:
        return b"", ()
    stats = entry.stats
    shown = {
        "timings": stats.timings,
        "samples": samples_of(stats) | (_per_step(stats) if wanted == "all" else {}),
        "stages": {str(one): seconds for one, seconds in entry.trace.seconds().items()},
    }
    return go_json(shown), () if wanted in _STATS else (_deprecated(wanted),)


def _per_step(stats: Stats) -> dict[str, object]:
    """What was seen at each step, under Prometheus' name; nothing unless it was counted."""
    if not stats.queryable_per_step:
        return {}
    pairs = [[_go_seconds(time), count] for time, count in stats.queryable_per_step]
    return {"totalQueryableSamplesPerStep": pairs}


def _go_seconds(milliseconds: int) -> int | float:
    whole, rest = divmod(milliseconds, 1000)
    return milliseconds / 1000 if rest else whole


def _deprecated(value: str) -> str:
    return (
        f'value {quoted(value)} for parameter "stats" is deprecated and will be rejected in the'
        ' next major release, use "true" or "all"'
    )


async def format_query(api: Api, request: ApiRequest) -> Answer:
    """`/api/v1/format_query`: the query, printed prettily."""
    return await asyncio.to_thread(lambda: Answer(go_json(prettified(_parsed(api, request)))))


async def parse_query(api: Api, request: ApiRequest) -> Answer:
    """`/api/v1/parse_query`: the query's tree."""

    def translated() -> Answer:
        return Answer(go_json(to_json(_parsed(api, request), signatures())))

    return await asyncio.to_thread(translated)


def _parsed(api: Api, request: ApiRequest) -> Expr:
    with params.parameter("query"):
        return api.engine.parse(request.form.get("query"))
