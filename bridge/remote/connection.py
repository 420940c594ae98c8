"""HTTP to one store: who we are to it, headers, redirects within its origin."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from http import HTTPStatus
from importlib.metadata import version
from typing import Final

import httpx

from bridge.remote.clients import Clients
from bridge.remote.credentials import BadCredentials, Files, Headers, request_headers
from bridge.remote.hidden import secrets_of
from bridge.remote.settings import StoreSettings
from bridge.remote.signing import Signed, keys_of, signature
from bridge.remote.tokens import Tokens
from bridge.remote.wire import REQUEST_HEADERS
from bridge.telemetry.trace import outgoing

_REDIRECTS: Final = 10
_AGENT: Final = f"prombridge/{version('prombridge')}"


class TooManyRedirects(Exception):
    """A store that redirects for ever, or to another origin; the text says which."""


def _headers(usual: Iterable[tuple[str, str]], own: Headers) -> Headers:
    """The usual headers, and those of the settings, which go first."""
    taken = {name.lower() for name, _ in own}
    named = (("User-Agent", _AGENT), *usual, *outgoing())
    return [pair for pair in named if pair[0].lower() not in taken] + own


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

    async def post(self, body: bytes) -> httpx.Response:
        """The response to a remote read, its body not read yet; the caller closes it.

        Raises BadCredentials, TooManyRedirects and httpx' errors.
        """
        return await self.send("POST", self.settings.url, body, REQUEST_HEADERS)

    async def send(
        self, method: str, url: str, body: bytes, headers: Iterable[tuple[str, str]]
    ) -> httpx.Response:
        """The same for any request to the store; a token that it refuses is renewed once."""
        response = await self._followed(method, url, body, headers)
        if response.status_code == HTTPStatus.UNAUTHORIZED and self._tokens is not None:
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
    ) -> httpx.Response:
        client = await self._clients.current()
        headers = _headers(usual, await self._own_headers())
        server_name = self.settings.http.tls.server_name
        extensions = {"sni_hostname": server_name} if server_name else None
        at = _parsed(url)
        for _ in range(_REDIRECTS):
            request = client.build_request(
                method, at, content=body, headers=headers, extensions=extensions
            )
            self._sign(request, body)
            response = await client.send(request, stream=True)
            if not response.has_redirect_location or not self.settings.http.follow_redirects:
                return response
            await response.aclose()
            at = _within_origin(at, response)
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

    def _sign(self, request: httpx.Request, body: bytes) -> None:
        sigv4 = self.settings.http.sigv4
        if sigv4 is not None:
            what = Signed(request.method, str(request.url), request.headers.items(), body)
            keys = keys_of(sigv4, self._files)
            request.headers.update(signature(what, sigv4.region, keys, datetime.now(UTC)))


@lru_cache(maxsize=256)
def _parsed(url: str) -> httpx.URL:
    """A URL; raises httpx.InvalidURL. The same few are asked for again and again."""
    return httpx.URL(url)


def _within_origin(asked: httpx.URL, response: httpx.Response) -> httpx.URL:
    """Where a redirect leads; raises TooManyRedirects if credentials would go elsewhere."""
    target = asked.join(response.headers["Location"])
    if (target.scheme, target.host, target.port) != (asked.scheme, asked.host, asked.port):
        raise TooManyRedirects(f"it redirects to another origin ({target.host})")
    return target
