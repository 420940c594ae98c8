"""HTTP to one store: the client that its settings make, headers, redirects within its origin."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

import httpx

from bridge.remote.credentials import (
    Files,
    Headers,
    proxy_headers,
    request_headers,
    tls_context,
    tls_files,
)
from bridge.remote.hidden import secrets_of
from bridge.remote.settings import StoreSettings
from bridge.remote.transport import DirectTransport
from bridge.remote.wire import REQUEST_HEADERS
from bridge.telemetry.trace import outgoing

_REDIRECTS: Final = 10
_LIMITS: Final = httpx.Limits(max_connections=64, max_keepalive_connections=16)


class TooManyRedirects(Exception):
    """A store that redirects for ever, or to another origin; the text says which."""


def _names(headers: Headers) -> set[str]:
    return {name.lower() for name, _ in headers}


def _headers(own: Headers) -> Headers:
    """The protocol's headers, and those of the settings, which go first."""
    taken = _names(own)
    usual = (("User-Agent", f"prombridge/{version('prombridge')}"), *REQUEST_HEADERS)
    return [pair for pair in usual if pair[0].lower() not in taken] + own


@dataclass(slots=True)
class Connection:
    """Keeps connections to a store alive; made anew when a file of its TLS settings changes."""

    settings: StoreSettings
    transport: httpx.AsyncBaseTransport | None = None
    _files: Files = field(default_factory=Files)
    _client: httpx.AsyncClient | None = None
    _made_of: object = None
    _retired: httpx.AsyncClient | None = None

    async def post(self, body: bytes) -> httpx.Response:
        """The response to a request, its body not read yet; the caller closes it.

        Raises BadCredentials, TooManyRedirects and httpx' errors.
        """
        client = await self._current()
        headers = _headers(request_headers(self.settings, self._files))
        headers += [pair for pair in outgoing() if pair[0] not in _names(headers)]
        server_name = self.settings.http.tls.server_name
        extensions = {"sni_hostname": server_name} if server_name else None
        url = httpx.URL(self.settings.url)
        for _ in range(_REDIRECTS):
            request = client.build_request(
                "POST", url, content=body, headers=headers, extensions=extensions
            )
            response = await client.send(request, stream=True)
            if not response.has_redirect_location or not self.settings.http.follow_redirects:
                return response
            await response.aclose()
            url = _within_origin(url, response)
        raise TooManyRedirects(f"more than {_REDIRECTS} redirects")

    def secrets(self) -> tuple[str, ...]:
        """What is sent to the store and must not be shown, should it come back."""
        return secrets_of(self.settings, self._files)

    async def aclose(self) -> None:
        """Closes all connections."""
        for client in (self._client, self._retired):
            if client is not None:
                await client.aclose()
        self._client = self._retired = None

    async def _current(self) -> httpx.AsyncClient:
        made_of = tls_files(self.settings.http.tls)
        if self._client is None or made_of != self._made_of:
            # Reads in flight end on the old client's connections; those before it are long over.
            made, oldest = self._made(), self._retired
            self._client, self._made_of, self._retired = made, made_of, self._client
            if oldest is not None:
                await oldest.aclose()
        return self._client

    def _made(self) -> httpx.AsyncClient:
        http = self.settings.http
        context = tls_context(http.tls, self._files)
        proxy = None
        if http.proxy_url is not None and not _in_network(self.settings.url, http.no_proxy):
            headers = proxy_headers(http, self._files)
            proxy = httpx.Proxy(http.proxy_url.reveal(), headers=headers)
        transport = self.transport
        if transport is None and not http.proxy_from_environment:
            transport = DirectTransport(context)
        return httpx.AsyncClient(
            transport=transport,
            verify=context,
            http2=False,
            limits=_LIMITS,
            timeout=None,  # noqa: S113
            proxy=proxy,
            mounts=_direct(http.no_proxy),
            trust_env=http.proxy_from_environment,
        )


def _direct(no_proxy: str) -> dict[str, httpx.AsyncBaseTransport | None]:
    """The hosts that no proxy is used for: names with all below them, addresses as they are."""
    return {f"all://{_pattern(host)}": None for host in _hosts(no_proxy) if "/" not in host}


def _hosts(no_proxy: str) -> list[str]:
    return [host.strip() for host in no_proxy.split(",") if host.strip()]


def _in_network(url: str, no_proxy: str) -> bool:
    """Whether a URL's host is an address in one of the networks, such as 10.0.0.0/8."""
    try:
        address = ip_address(httpx.URL(url).host)
    except (ValueError, httpx.InvalidURL):
        return False
    return any(address in network for network in _networks(no_proxy))


def _networks(no_proxy: str) -> Iterator[IPv4Network | IPv6Network]:
    for host in _hosts(no_proxy):
        # What is no network is passed over, as Prometheus does.
        with suppress(ValueError):
            if "/" in host:
                yield ip_network(host, strict=False)


def _pattern(host: str) -> str:
    try:
        ip_address(host)
    except ValueError:
        return host if host.startswith("*") else f"*{host}"
    return host


def _within_origin(asked: httpx.URL, response: httpx.Response) -> httpx.URL:
    """Where a redirect leads; raises TooManyRedirects if credentials would go elsewhere."""
    target = asked.join(response.headers["Location"])
    if (target.scheme, target.host, target.port) != (asked.scheme, asked.host, asked.port):
        raise TooManyRedirects(f"it redirects to another origin ({target.host})")
    return target
