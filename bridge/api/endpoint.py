"""One request from its form to its envelope: errors, time limits, clients that go away."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from http import HTTPStatus
from typing import Final, NamedTuple

from isal import igzip
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from bridge.api.answers import Answers, Question
from bridge.api.connected import while_connected
from bridge.api.envelope import Answer, failure, success
from bridge.api.errors import ErrorType, Failure, failure_of
from bridge.api.form import Form, form_of, read_form
from bridge.api.headers import fresh, headers_of
from bridge.api.ledger import Ledger
from bridge.api.lifecycle import Lifecycle, Steady
from bridge.api.origin import Origin, origin_of
from bridge.api.pieces import joined
from bridge.api.settings import ApiSettings
from bridge.api.streamed import Counted, Streamed, accepts_gzip, takes_pieces
from bridge.api.tenancy import EVERYBODY, Tenant
from bridge.api.whole import JSON, Headers, Whole
from bridge.cache.caches import Caches
from bridge.catalogue.joint import Names
from bridge.engine.engine import Engine
from bridge.engine.query import EngineSettings
from bridge.model.errors import QueryCanceled, Unavailable
from bridge.remote.client import RemoteStore
from bridge.remote.query_api import QueryApi
from bridge.remote.server import ReadEndpoint
from bridge.storage.budgets import Budgets
from bridge.storage.delegation import Delegation
from bridge.storage.interface import Querier
from bridge.storage.payer import paid_by
from bridge.storage.pool import Pool, answered, held
from bridge.telemetry.metrics import Metrics
from bridge.telemetry.trace import Caller, PassedOn, Trace, Tracer, tracing

_LOG: Final = logging.getLogger(__name__)
# Below this an answer fits into a few packets and compressing it only costs time.
_WORTH_COMPRESSING: Final = 8192
# Methods and paths whose spans are known.
_ENDPOINTS: Final = 256


@dataclass(frozen=True, slots=True, eq=False)
class Api:
    """What the handlers work with; `now` is the clock in ms, `started` its reading at the start.

    `tracer` gives who is shown the spans of a request that belongs to somebody's trace. `tenant` is
    whose requests are answered: what is read through the rest is narrowed to what it may see.
    """

    engine: Engine
    querier: Querier
    reads: ReadEndpoint
    catalogue: Names
    metrics: Metrics
    settings: ApiSettings
    limits: EngineSettings
    ready: Callable[[], bool]
    now: Callable[[], int]
    started: int
    ledger: Ledger
    answers: Answers
    tracer: Callable[[Caller], Tracer] = PassedOn
    delegations: tuple[Delegation, ...] = ()
    apis: tuple[QueryApi, ...] = ()
    caches: Caches = field(default_factory=Caches.none)
    lifecycle: Lifecycle = field(default_factory=Steady)
    stores: Sequence[RemoteStore] = ()
    memory: Pool = field(default_factory=Pool)
    budgets: Budgets = field(default_factory=Budgets)
    tenant: Tenant = EVERYBODY


class ApiRequest(NamedTuple):
    """One request as handlers see it; `path` holds the variable parts of the path."""

    form: Form
    headers: Mapping[str, str]
    path: Mapping[str, str]
    origin: Origin


Handler = Callable[[Api, ApiRequest], Awaitable[Answer]]
# What a form asks a handler, if its answer may be one that was given before.
Asks = Callable[[Api, Form], Question | None]


class Endpoint:
    """The ASGI application of one path; a `plain` one knows no envelope: its errors are texts.

    Where `question` tells what is asked, a short answer that is known is given without more ado, to
    requests without a body: nothing is read or made for it that would have to be counted, shown in
    a trace, or ended if the client goes away.
    """

    def __init__(
        self,
        name: str,
        handler: Handler,
        api: Api,
        *,
        plain: bool = False,
        question: Asks | None = None,
    ) -> None:
        self.name = name
        self._handler = handler
        self._api = api
        self._plain = plain
        unseen = api.tracer is PassedOn and api.ledger.log is None
        self._question = question if unseen else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request; never raises what a client could see."""
        begun = time.perf_counter()
        headers = headers_of(scope)
        origin = origin_of(scope, headers)
        known = await self._known(scope, headers, origin)
        if known is None:
            await self._answered(scope, receive, send, headers, origin, begun)
            return
        with suppress(OSError):
            await known(scope, receive, send)
        self._over(known.status_code, begun, len(known.body))

    async def _known(
        self, scope: Scope, headers: Mapping[str, str], origin: Origin
    ) -> Whole | None:
        """The answer that was given to the same before, if it would be given now and is short."""
        if self._question is None or scope["method"] != "GET" or fresh(headers):
            return None
        try:
            question = self._question(self._api, form_of(scope["query_string"]))
            if question is None:
                return None
            known = await self._api.answers.short(question, _WORTH_COMPRESSING)
        except Exception:  # noqa: BLE001 - whatever is wrong is told where it is answered
            return None
        if known is None:
            return None
        self._api.ledger.known(question.text, question.steps, origin, known.stats)
        return Whole(known.answer.data, known.answer.headers)

    async def _answered(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        headers: Mapping[str, str],
        origin: Origin,
        begun: float,
    ) -> None:
        """Answers a request whose answer has to be found."""
        caller = Caller.of(headers)
        trace = Trace(self._api.tracer(caller))
        name, shown = _shown(scope["method"], self.name)
        with (
            tracing(trace, name, caller, shown) as span,
            held(self._api.memory),
            paid_by(self._api.budgets.payer(origin.tenant, origin.user, origin.dashboard)),
        ):
            response = await self._response(scope, receive, headers, origin)
            sent = Counted(send)
            # Who goes away while it is answered is no fault of ours.
            with suppress(OSError):
                await response(scope, receive, sent)
            span.set_attribute("http.response.status_code", response.status_code)
        self._api.metrics.queries.stages(trace.ended)
        self._over(response.status_code, begun, sent.bytes)

    def _over(self, status: int, begun: float, size: int) -> None:
        """Counts a request that was answered with so many bytes."""
        seconds = time.perf_counter() - begun
        self._api.metrics.http(self.name, status, seconds, size)
        if _LOG.isEnabledFor(logging.DEBUG):
            told = {"handler": self.name, "status": status}
            _LOG.debug("answered", extra=told | {"seconds": f"{seconds:.4f}"})

    async def _response(
        self, scope: Scope, receive: Receive, asked: Mapping[str, str], origin: Origin
    ) -> Response | Whole:
        try:
            form = await read_form(scope, receive, asked)
            call = ApiRequest(form, asked, scope.get("path_params", {}), origin)
            answer = await while_connected(receive, self._handler(self._api, call))
            if not (answer.data or answer.pieces or self._plain):
                return Response(status_code=HTTPStatus.NO_CONTENT)
            most = self._api.limits.limits.response_bytes
            if answer.pieces and takes_pieces(scope) and (not most or answer.at_most <= most):
                packed = accepts_gzip(asked)
                headers = {**JSON, **dict(answer.headers)}
                return Streamed(answer.pieces, headers, gzip=packed)
            if answer.pieces:
                body = await asyncio.to_thread(joined, answer.pieces)
            else:
                body = answer.data if self._plain or answer.bare else success(answer)
            self._api.limits.limits.check_response(len(body))
            answered(len(body))
            if len(body) < _WORTH_COMPRESSING or not accepts_gzip(asked):
                return Whole(body, answer.headers)
            return await _compressed(body, answer.headers)
        except asyncio.CancelledError:
            if not self._api.lifecycle.stopping:
                raise
            # Time to drain is over: the server ends the request, the client learns why.
            return self._failed(failure_of(Unavailable("prombridge is shutting down")))
        except ClientDisconnect:
            return self._failed(failure_of(QueryCanceled("reading the request")))
        except Exception as error:  # noqa: BLE001 - the last place where an error can become an answer
            return self._failed(self._noted(error))

    def _failed(self, outcome: Failure) -> Response:
        if self._plain:
            headers = retry_after(outcome)
            return PlainTextResponse(f"{outcome.text}\n", outcome.status, headers=headers)
        return failed(outcome)

    def _noted(self, error: Exception) -> Failure:
        outcome = failure_of(error)
        fields = {"handler": self.name, "status": outcome.status, "error": outcome.text}
        match outcome.type:
            case ErrorType.INTERNAL:
                _LOG.error("request failed", exc_info=error, extra=fields)
            case (
                ErrorType.UNAVAILABLE
                | ErrorType.TIMEOUT
                | ErrorType.EXECUTION
                | ErrorType.TOO_MANY_REQUESTS
            ):
                # Grafana shows no error of a label request: a variable just turns empty.
                _LOG.warning("request failed", extra=fields)
            case _:
                _LOG.debug("request refused", extra=fields)
        return outcome


@lru_cache(_ENDPOINTS)
def _shown(method: str, route: str) -> tuple[str, Mapping[str, str]]:
    """The name of a request's span, and what is said of it."""
    return f"{method} {route}", {"http.request.method": method, "http.route": route}


def failed(outcome: Failure) -> Response:
    """The response of an error."""
    body = failure(outcome.type, outcome.text)
    headers = retry_after(outcome)
    return Response(body, outcome.status, headers=headers, media_type="application/json")


def retry_after(outcome: Failure) -> dict[str, str] | None:
    """The header that says when to ask again, if that helps."""
    return {"Retry-After": str(outcome.retry_after)} if outcome.retry_after else None


async def _compressed(body: bytes, headers: Headers) -> Whole:
    packed = await asyncio.to_thread(igzip.compress, body, 1, mtime=0)
    answered(len(packed))
    return Whole(packed, headers, gzip=True)
