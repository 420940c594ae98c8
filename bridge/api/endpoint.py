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
from bridge.api.form import Form, form_of, has_body, read_form
from bridge.api.headers import fresh, headers_of
from bridge.api.ledger import Ledger
from bridge.api.lifecycle import Lifecycle, Steady
from bridge.api.origin import Origin, origin_of
from bridge.api.peeked import Peeked
from bridge.api.pieces import joined
from bridge.api.settings import ApiSettings
from bridge.api.streamed import Counted, Streamed, accepts_gzip, takes_pieces
from bridge.api.tenancy import EVERYBODY, Tenant
from bridge.api.whole import JSON, Whole
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
# From here on an answer waits for who reads it slowly, which has to be watched.
_SHORT: Final = 1 << 16
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


class _Request(NamedTuple):
    """One request as the server has it; `begun` is when it came, by the performance counter."""

    scope: Scope
    receive: Receive
    headers: Mapping[str, str]
    origin: Origin
    begun: float


Handler = Callable[[Api, ApiRequest], Awaitable[Answer]]
# What a form asks a handler, if its answer may be one that was given before.
Asks = Callable[[Api, Form], Question | None]


class Endpoint:
    """The ASGI application of one path; a `plain` one knows no envelope: its errors are texts.

    Where `question` tells what is asked, a short answer that is known is given without more ado, if
    the request is there as a whole: nothing is read or made for it that would have to be counted,
    shown in a trace, or ended if the client goes away.
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
        self._asks = question
        self._seen = api.tracer is not PassedOn or api.ledger.log is not None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request; never raises what a client could see."""
        begun = time.perf_counter()
        if self._asks is not None and has_body(scope):
            receive = Peeked(receive)
        headers = headers_of(scope)
        request = _Request(scope, receive, headers, origin_of(scope, headers), begun)
        question = known = None
        # Whatever is wrong is told where it is answered.
        with suppress(Exception):
            question = self._question(request)
            known = await self._known(question, request)
        if known is None:
            await self._answered(request, send, question)
            return
        with suppress(OSError):
            await known(scope, receive, send)
        self._over(known.status_code, begun, len(known.body))

    def _question(self, request: "_Request") -> Question | None:
        """What is asked, if an answer that was given before will do and all of it has arrived."""
        if self._asks is None or fresh(request.headers):
            return None
        body = request.receive.body if isinstance(request.receive, Peeked) else b""
        if body is None:
            return None
        form = form_of(request.scope["query_string"], body, request.headers)
        return self._asks(self._api, form)

    async def _known(self, question: Question | None, request: "_Request") -> Whole | None:
        """The answer that was given to the same before, if it would be given now and is short."""
        if question is None or self._seen:
            return None
        known = await self._api.answers.held(question)
        if known is None or (response := _at_hand(known.answer, request.headers)) is None:
            return None
        self._api.limits.limits.check_response(len(known.answer.data))
        self._api.metrics.answers.looked(found=True)
        self._api.ledger.known(question.text, question.steps, request.origin, known.stats)
        return response

    async def _answered(self, request: "_Request", send: Send, question: Question | None) -> None:
        """Answers a request whose answer has to be found."""
        caller, origin = Caller.of(request.headers), request.origin
        trace = Trace(self._api.tracer(caller))
        name, shown = _shown(request.scope["method"], self.name)
        with (
            tracing(trace, name, caller, shown) as span,
            held(self._api.memory),
            paid_by(self._api.budgets.payer(origin.tenant, origin.user, origin.dashboard)),
        ):
            response = await self._response(request, question)
            sent = Counted(send)
            # Who goes away while it is answered is no fault of ours.
            with suppress(OSError):
                await response(request.scope, request.receive, sent)
            span.set_attribute("http.response.status_code", response.status_code)
        self._api.metrics.queries.stages(trace.ended)
        self._over(response.status_code, request.begun, sent.bytes)

    def _over(self, status: int, begun: float, size: int) -> None:
        """Counts a request that was answered with so many bytes."""
        seconds = time.perf_counter() - begun
        self._api.metrics.http(self.name, status, seconds, size)
        if _LOG.isEnabledFor(logging.DEBUG):
            told = {"handler": self.name, "status": status}
            _LOG.debug("answered", extra=told | {"seconds": f"{seconds:.4f}"})

    async def _response(self, request: "_Request", question: Question | None) -> Response | Whole:
        scope, receive, asked = request.scope, request.receive, request.headers
        try:
            form = await read_form(scope, receive, asked)
            call = ApiRequest(form, asked, scope.get("path_params", {}), request.origin)
            answer = await while_connected(receive, self._handler(self._api, call))
            return await self._sendable(answer, request, question)
        except asyncio.CancelledError:
            if not self._api.lifecycle.stopping:
                raise
            # Time to drain is over: the server ends the request, the client learns why.
            return self._failed(failure_of(Unavailable("prombridge is shutting down")))
        except ClientDisconnect:
            return self._failed(failure_of(QueryCanceled("reading the request")))
        except Exception as error:  # noqa: BLE001 - the last place where an error can become an answer
            return self._failed(self._noted(error))

    async def _sendable(
        self, answer: Answer, request: "_Request", question: Question | None
    ) -> Response | Whole:
        """The response of an answer; what is compressed for it is kept with a kept answer."""
        if not (answer.data or answer.pieces or self._plain):
            return Response(status_code=HTTPStatus.NO_CONTENT)
        limits, packs = self._api.limits.limits, accepts_gzip(request.headers)
        most = limits.response_bytes
        if answer.pieces and takes_pieces(request.scope) and (not most or answer.at_most <= most):
            return Streamed(answer.pieces, {**JSON, **dict(answer.headers)}, gzip=packs)
        if answer.pieces:
            body = await asyncio.to_thread(joined, answer.pieces)
        else:
            body = answer.data if self._plain or answer.bare else success(answer)
        limits.check_response(len(body))
        answered(len(body))
        if len(body) < _WORTH_COMPRESSING or not packs:
            return Whole(body, answer.headers)
        packed = answer.packed or await asyncio.to_thread(igzip.compress, body, 1, mtime=0)
        answered(len(packed))
        if question is not None:
            self._api.answers.pack(question, answer, packed)
        return Whole(packed, answer.headers, gzip=True)

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


def _at_hand(answer: Answer, asked: Mapping[str, str]) -> Whole | None:
    """The response of a known answer; None if it is yet to be compressed, or is no short one."""
    whole = Whole(answer.data, answer.headers)
    if len(answer.data) >= _WORTH_COMPRESSING and accepts_gzip(asked):
        whole = Whole(answer.packed, answer.headers, gzip=True)
    return whole if 0 < len(whole.body) <= _SHORT else None
