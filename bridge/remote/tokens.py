"""OAuth 2.0 client credentials: a token for a client's id and secret, kept until it expires.

Source of the protocol's details: golang.org/x/oauth2, as Prometheus uses it.
"""

import asyncio
import base64
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, quote_plus, urlencode

import httpx

from bridge.remote.clients import Clients
from bridge.remote.credentials import BadCredentials, Files, revealed
from bridge.remote.hidden import hide, in_url
from bridge.remote.responses import AGENT, COMPRESSED, Request
from bridge.remote.settings import HttpSettings, OAuth2, shown_url

# A token is renewed so many seconds before it expires.
_EARLY: Final = 10.0
_MOST_BYTES: Final = 1 << 20
_SHOWN: Final = 200
_FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class _Token:
    """What proves us: its kind and text; `expires` on the clock, None: never."""

    kind: str
    text: str = field(repr=False)
    expires: float | None


class Tokens:
    """The tokens of one client; `clock` gives seconds."""

    def __init__(
        self, settings: OAuth2, files: Files, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._files = files
        self._clock = clock
        self._clients = Clients(settings.http or HttpSettings(), settings.token_url, files)
        self._lock = asyncio.Lock()
        self._held: _Token | None = None
        self._known: dict[str, None] = {}
        self._in_body = False

    async def authorization(self) -> str:
        """The Authorization header's value; raises BadCredentials where none is to be had."""
        async with self._lock:
            held = self._held
            if held is None or (held.expires is not None and held.expires <= self._clock()):
                held = self._held = await self._fetched()
        return f"{held.kind} {held.text}"

    def refused(self) -> None:
        """The store did not take the token: the next one is a new one."""
        self._held = None

    def secrets(self) -> tuple[str, ...]:
        """What must not be shown: the secret, and the latest tokens."""
        try:
            secret = self._secret()
        except BadCredentials:
            secret = ""
        params = (value for _, value in self._settings.endpoint_params)
        return (*filter(None, (secret,)), *self._known, *params)

    async def aclose(self) -> None:
        """Closes all connections."""
        await self._clients.aclose()

    async def _fetched(self) -> _Token:
        try:
            response, body = await self._asked(in_body=self._in_body)
            if not response.is_success and not self._in_body:
                # Some servers take the secret in the form only.
                response, body = await self._asked(in_body=True)
                self._in_body = response.is_success
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._failed(str(error) or type(error).__name__) from None
        if not response.is_success:
            status = f"{response.status_code} {response.reason_phrase}".rstrip()
            raise self._failed(f"{status}: {self._shown(body)}")
        token = self._read(response, body)
        self._known[token.text] = None
        while len(self._known) > 2:
            del self._known[next(iter(self._known))]
        return token

    async def _asked(self, *, in_body: bool) -> tuple[httpx.Response, bytes]:
        held, secret = self._settings, self._secret()
        form = [("grant_type", "client_credentials")]
        if held.scopes:
            form.append(("scope", " ".join(held.scopes)))
        form += held.endpoint_params
        headers = [AGENT, ("Content-Type", _FORM), COMPRESSED]
        if in_body:
            form += [("client_id", held.client_id), ("client_secret", secret)]
        else:
            pair = f"{quote_plus(held.client_id)}:{quote_plus(secret)}"
            proof = base64.b64encode(pair.encode()).decode()
            headers.append(("Authorization", f"Basic {proof}"))
        sender = await self._clients.current()
        request = Request("POST", held.token_url, headers, urlencode(form).encode())
        response = (await sender.send(request)).decoding()
        try:
            body = bytearray()
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) > _MOST_BYTES:
                    raise self._failed(f"more than {_MOST_BYTES} bytes")
        finally:
            await response.aclose()
        return response, bytes(body)

    def _read(self, response: httpx.Response, body: bytes) -> _Token:
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip()
        try:
            text = body.decode()
            found: Mapping[str, Any] = (
                dict(parse_qsl(text)) if kind in {_FORM, "text/plain"} else json.loads(text)
            )
            token, lasts = str(found.get("access_token") or ""), float(found.get("expires_in") or 0)
            named = str(found.get("token_type") or "Bearer")
        except (ValueError, AttributeError, TypeError, OverflowError, RecursionError):
            raise self._failed(f"no token in {self._shown(body)}") from None
        if not token:
            raise self._failed("server response missing access_token")
        named = {"bearer": "Bearer", "basic": "Basic", "mac": "MAC"}.get(named.lower(), named)
        return _Token(named, token, self._clock() + lasts - _EARLY if lasts else None)

    def _secret(self) -> str:
        held = self._settings
        return revealed(held.client_secret, held.client_secret_file, self._files)

    def _shown(self, body: bytes) -> str:
        hidden = hide(body, (*self.secrets(), *in_url(self._settings.token_url)))
        text = hidden[:_SHOWN].decode("utf-8", "replace")
        return " ".join(text.split()) or "no reason"

    def _failed(self, why: str) -> BadCredentials:
        where = shown_url(self._settings.token_url)
        return BadCredentials(f"cannot fetch a token from {where}: {why}")
