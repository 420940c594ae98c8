"""`/api/v1/read`: remote read for others, so that they read through what is remembered here."""

import contextlib
import time
from dataclasses import dataclass, field, replace
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from bridge.api.connected import while_connected
from bridge.api.endpoint import retry_after
from bridge.api.errors import failure_of
from bridge.api.headers import cache_headers, headers_of
from bridge.api.origin import origin_of
from bridge.api.streamed import Counted
from bridge.model.errors import BridgeError, QueryCanceled
from bridge.remote.server import ReadEndpoint
from bridge.storage.budgets import Budgets
from bridge.storage.interface import Provenance, Querier, ReadOptions, Select, Selection
from bridge.storage.payer import paid_by
from bridge.storage.pool import Pool, held
from bridge.telemetry.metrics import Metrics

PATH: Final = "/api/v1/read"


class Read:
    """The ASGI application of the path; errors are plain text, as in Prometheus."""

    def __init__(
        self, endpoint: ReadEndpoint, metrics: Metrics, memory: Pool, budgets: Budgets
    ) -> None:
        self._endpoint = endpoint
        self._memory = memory
        self._budgets = budgets
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        begun = time.perf_counter()
        request = Request(scope, receive)
        sent = Counted(send)
        origin = origin_of(scope, headers_of(scope))
        payer = self._budgets.payer(origin.tenant, origin.user, origin.dashboard)
        with held(self._memory), paid_by(payer):
            response = await self._response(request)
            with contextlib.suppress(OSError):
                await response(scope, receive, sent)
        self._metrics.http("/read", response.status_code, time.perf_counter() - begun, sent.bytes)

    async def _response(self, request: Request) -> Response:
        try:
            body = await self._endpoint.body(request)
            return await while_connected(request.receive, self._answer(body))
        except ClientDisconnect:
            error: BridgeError = QueryCanceled("reading the request")
        except BridgeError as failure:
            error = failure
        outcome = failure_of(error)
        return PlainTextResponse(f"{error}\n", outcome.status, retry_after(outcome))

    async def _answer(self, body: bytes) -> Response:
        """The endpoint's answer, which says how much of it was remembered."""
        noting = _Noting(self._endpoint.querier)
        response = await replace(self._endpoint, querier=noting).answer(body)
        response.headers.update(dict(cache_headers(Provenance.total(noting.found))))
        return response


@dataclass(frozen=True, slots=True)
class _Noting:
    """A Querier that notes where its answers come from."""

    querier: Querier
    found: list[Provenance] = field(default_factory=list)

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        """The inner Querier's answer."""
        selection = await self.querier.select(select, options)
        self.found.append(selection.provenance)
        return selection
