"""`/api/v1/read`: remote read for others, so that they read through what is remembered here."""

import contextlib
import time
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send

from bridge.api.connected import while_connected
from bridge.api.errors import failure_of
from bridge.model.errors import BridgeError, QueryCanceled
from bridge.remote.server import ReadEndpoint
from bridge.telemetry.metrics import Metrics

PATH: Final = "/api/v1/read"


class Read:
    """The ASGI application of the path; errors are plain text, as in Prometheus."""

    def __init__(self, endpoint: ReadEndpoint, metrics: Metrics) -> None:
        self._endpoint = endpoint
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        begun = time.perf_counter()
        request = Request(scope, receive)
        response = await self._response(request)
        sent = 0

        async def counted(message: Message) -> None:
            nonlocal sent
            sent += len(message.get("body", b""))
            await send(message)

        with contextlib.suppress(OSError):
            await response(scope, receive, counted)
        self._metrics.http("/read", response.status_code, time.perf_counter() - begun, sent)

    async def _response(self, request: Request) -> Response:
        try:
            body = await self._endpoint.body(request)
            return await while_connected(request, self._endpoint.answer(body))
        except ClientDisconnect:
            error: BridgeError = QueryCanceled("reading the request")
        except BridgeError as failure:
            error = failure
        return PlainTextResponse(f"{error}\n", failure_of(error).status)
