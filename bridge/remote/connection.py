"""HTTP to one store: who we are to it, headers, redirects within its origin."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

import httpx

from bridge.remote.clients import Clients
from bridge.remote.credentials import BadCredentials, Files, Headers, request_headers
from bridge.remote.hidden import secrets_of
from bridge.remote.responses import AGENT, Request, Response
from bridge.remote.settings import StoreSettings
from bridge.remote.signing import Signed, keys_of, signature
from bridge.remote.tokens import Tokens
from bridge.remote.wire import REQUEST_HEADERS
from bridge.telemetry.trace import outgoing

_REDIRECTS: Final = 10


class TooManyRedirects(Exception):
    """A store that redirects for ever, or to another origin; the text says which."""


def _headers(usual: Iterable[tuple[str, str]], own: Headers) -> Headers:
    """The usual headers, and those of the settings, which go first."""
    return _headers_over((AGENT, *usual, *outgoing()), own)


def _headers_over(those: Iterable[tuple[str, str]], more: Headers) -> Headers:
    """Headers and more of them, which take the place of those of the same names."""
    taken = {name.lower() for name, _ in more}
    return [pair for pair in those if pair[0].lower() not in taken] + more


@dataclass(slots=True)
class Connection:
    """Keeps connections to a store alive."""

    settings: StoreSettings
    transport: httpx.AsyncBaseTransport | None = None
    _files: Files = field(default_factory=Files)
    _clients: Clients = field(init=False)
    _tokens: Tokens | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        http, url = self.settings.http, self.settings.url
        self._clients = Clients(http, url, self._files, self.transport)
        if http.oauth2 is not None:
            self._tokens = Tokens(http.oauth2, self._files)

    async def post(self, body: bytes) -> Response:
        """The response to a remote read, its body not read yet; the caller closes it.

        Raises BadCredentials, TooManyRedirects and httpx' errors.
        """
        return await self.send("POST", self.settings.url, body, REQUEST_HEADERS)

    async def send(
        self, method: str, url: str, body: bytes, headers: Iterable[tuple[str, str]]
    ) -> Response:
        """The same for any request to the store; a token that it refuses is renewed once."""
        response = await self._followed(method, url, body, headers)
        if response.status == HTTPStatus.UNAUTHORIZED and self._tokens is not None:
            await response.aclose()
            self._tokens.refused()
            response = await self._followed(method, url, body, headers)
        return response

    def secrets(self) -> tuple[str, ...]:
        """What is sent to the store and must not be shown, should it come back."""
        tokens = () if self._tokens is None else self._tokens.secrets()
        return (*tokens, *self._session(), *secrets_of(self.settings, self._files))

    async def aclose(self) -> None:
        """Closes all connections."""
        await self._clients.aclose()
        if self._tokens is not None:
            await self._tokens.aclose()

    async def _followed(
        self, method: str, url: str, body: bytes, usual: Iterable[tuple[str, str]]
    ) -> Response:
        sender = await self._clients.current()
        headers = _headers(usual, await self._own_headers())
        at = url
        for _ in range(_REDIRECTS):
            signed = self._signed(method, at, headers, body)
            name = self.settings.http.tls.server_name or None
            response = await sender.send(Request(method, at, signed, body, name))
            location = response.location
            if location is None or not self.settings.http.follow_redirects:
                return response
            await response.aclose()
            at = _within_origin(at, location)
        raise TooManyRedirects(f"more than {_REDIRECTS} redirects")

    async def _own_headers(self) -> Headers:
        made = request_headers(self.settings, self._files)
        if self._tokens is not None:
            made.append(("Authorization", await self._tokens.authorization()))
        return made

    def _session(self) -> tuple[str, ...]:
        """The token of a session of AWS."""
        sigv4 = self.settings.http.sigv4
        if sigv4 is None:
            return ()
        with suppress(BadCredentials):
            session = keys_of(sigv4, self._files).session
            return () if session is None else (session.reveal(),)
        return ()

    def _signed(self, method: str, url: str, headers: Headers, body: bytes) -> Headers:
        """The headers, and those that sign the request."""
        sigv4 = self.settings.http.sigv4
        if sigv4 is None:
            return headers
        what = Signed(method, str(httpx.URL(url)), httpx.Headers(headers).items(), body)
        made = signature(what, sigv4.region, keys_of(sigv4, self._files), datetime.now(UTC))
        return _headers_over(headers, list(made.items()))


def _within_origin(asked: str, location: str) -> str:
    """Where a redirect leads; raises TooManyRedirects if credentials would go elsewhere."""
    at = httpx.URL(asked)
    target = at.join(location)
    if (target.scheme, target.host, target.port) != (at.scheme, at.host, at.port):
        raise TooManyRedirects(f"it redirects to another origin ({target.host})")
    return str(target)
