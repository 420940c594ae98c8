"""The gate before the whole application: who may pass, and headers that every answer bears.

Source of the rules: web/handler.go of Prometheus' exporter-toolkit.
"""

import base64
import binascii
import logging
import time
from collections.abc import Callable, Mapping
from typing import Final

from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bridge.api.bucket import Bucket
from bridge.api.credentials import Passwords, token_owner
from bridge.api.headers import adding, configured_headers, headers_of
from bridge.api.origin import BEARER, USER
from bridge.api.web_config import WebConfig
from bridge.model.errors import BridgeError, Overloaded

_LOG: Final = logging.getLogger(__name__)


def _refusal(status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
    nosniff = {"X-Content-Type-Options": "nosniff"}
    return PlainTextResponse(f"{text}\n", status, nosniff | dict(headers or {}))


class Gate:
    """Lets requests pass whose user or token is known; all of them if neither is asked for.

    `config` and `tokens` (names and SHA-256 digests) give what counts at this moment, or raise
    BridgeError: then nobody passes. Tokens are asked for where `tokens` is given, though there be
    none. The gate knows no paths: what is behind it is behind it under any spelling.
    """

    def __init__(
        self,
        app: ASGIApp,
        config: Callable[[], WebConfig],
        tokens: Callable[[], Mapping[str, bytes]] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._config = config
        self._tokens = tokens
        self._passwords = Passwords()
        self._bucket = Bucket(clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers or passes on one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            config, tokens = self._config(), self._tokens() if self._tokens else None
        except BridgeError as error:
            _LOG.error("Unable to parse configuration", extra={"err": str(error)})
            await _refusal(500, "Internal Server Error")(scope, receive, send)
            return
        if not self._bucket.allows(config.rate_limit):
            await _refusal(429, "Too Many Requests")(scope, receive, send)
            return
        send = adding(configured_headers(config.headers), send)
        if config.users or tokens is not None:
            headers = headers_of(scope)
            try:
                user = await self._user(headers, config, tokens or {})
            except Overloaded as error:
                later = {"Retry-After": str(error.retry_after)}
                await _refusal(503, "Service Unavailable", later)(scope, receive, send)
                return
            if user is None:
                schemes = "Basic" if config.users else "Bearer"
                refusal = _refusal(401, "Unauthorized", {"WWW-Authenticate": schemes})
                await refusal(scope, receive, send)
                return
            scope[USER], scope[BEARER] = user, _scheme(headers)[0] == "bearer"
        await self._app(scope, receive, send)

    async def _user(
        self, headers: Mapping[str, str], config: WebConfig, tokens: Mapping[str, bytes]
    ) -> str | None:
        """Who asks, if that is proven."""
        scheme, given = _scheme(headers)
        match scheme:
            case "basic" if config.users:
                pair = _basic(given)
                if pair is None:
                    return None
                users = {name: held.reveal() for name, held in config.users}
                return pair[0] if await self._passwords.right(users, *pair) else None
            case "bearer" if tokens:
                return token_owner(tokens, given.strip().encode("latin-1", "replace"))
            case _:
                return None


def _scheme(headers: Mapping[str, str]) -> tuple[str, str]:
    """How a client says who it is, and what it says."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    return scheme.lower(), given


def _basic(given: str) -> tuple[str, bytes] | None:
    """User and password of a Basic authorization."""
    try:
        user, colon, password = base64.b64decode(given.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return None
    return (user.decode("utf-8", "surrogateescape"), password) if colon else None
