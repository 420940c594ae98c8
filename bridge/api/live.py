"""`/api/v1/notifications/live`: notices as a stream of events that lasts as long as its client.

Source: web/api/v1/api.go of Prometheus.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bridge.api.endpoint import Api
from bridge.api.headers import raw_headers
from bridge.api.notices import Notice, Notices, Subscriber
from bridge.api.streamed import takes_pieces

PATH: Final = "/api/v1/notifications/live"
# Where an answer that has begun leaves in the scope how it goes on.
LASTING: Final = "prombridge.lasting"
_HANDLER: Final = "/notifications/live"

Lasting = Callable[[Receive, Send], Awaitable[None]]


class Live:
    """The ASGI application of the path; tenants are told nothing, as if there were no room.

    It only begins an answer: who called it goes on by what it left in the scope as LASTING, once
    nothing else is held for the request. So no stream keeps a configuration alive that was
    replaced.
    """

    def __init__(self, api: Api) -> None:
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Begins the answer to one request; without room, or without a stream, all of it."""
        begun = time.perf_counter()
        request = Request(scope)
        response = self._response(request)
        if isinstance(response, _Events):
            await response.begin(send)
            scope[LASTING] = response
            status, sent = 200, 0
        else:
            await response(scope, receive, send)
            status, sent = response.status_code, len(response.body)
        self._api.metrics.http(_HANDLER, status, time.perf_counter() - begun, sent)

    def _response(self, request: Request) -> "_Events | Response":
        api, headers = self._api, _headers(request)
        notices = api.lifecycle.notices
        if api.tenant.operator:
            if not takes_pieces(request.scope):
                return Response(b"".join(map(_event, notices.held)), headers=headers)
            if subscriber := notices.subscribe(api.settings.max_notifications_subscribers):
                sent = partial(api.metrics.http_sent.add, (_HANDLER,))
                return _Events(headers, notices, subscriber, sent)
        return Response(status_code=204, headers=headers)


@dataclass(frozen=True, slots=True, eq=False)
class _Events:
    """The stream of one subscriber; `sent` counts its bytes."""

    headers: dict[str, str]
    notices: Notices
    subscriber: Subscriber
    sent: Callable[[int], None]

    async def begin(self, send: Send) -> None:
        """Sends the head, so that the client sees at once that it is told."""
        try:
            head = raw_headers(self.headers.items())
            await send({"type": "http.response.start", "status": 200, "headers": head})
        except BaseException:
            self.notices.unsubscribe(self.subscriber)
            raise

    async def __call__(self, receive: Receive, send: Send) -> None:
        """Sends events until the client goes or the process is about to end."""
        watching = asyncio.create_task(self._watch(receive))
        try:
            while (notice := await self.subscriber.told()) is not None:
                event = _event(notice)
                await send({"type": "http.response.body", "body": event, "more_body": True})
                self.sent(len(event))
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            watching.cancel()
            self.notices.unsubscribe(self.subscriber)

    async def _watch(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.subscriber.end()


def _headers(request: Request) -> dict[str, str]:
    closing = "close" in request.headers.get("connection", "").lower()
    lasts = request.scope.get("http_version") != "1.0" and not closing
    kept = {"Connection": "keep-alive"} if lasts else {}
    return {"Cache-Control": "no-cache", "Content-Type": "text/event-stream", **kept}


def _event(notice: Notice) -> bytes:
    return b"data: %s\n\n" % notice.json()
