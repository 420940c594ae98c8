"""Senders that settings make: TLS, proxies, and who is reached without one."""

from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

import httpx

from bridge.remote.credentials import Files, proxy_headers, tls_context, tls_files
from bridge.remote.responses import Request, Response, Sender
from bridge.remote.settings import HttpSettings
from bridge.remote.transport import Direct

_LIMITS: Final = httpx.Limits(max_connections=64, max_keepalive_connections=16)


@dataclass(slots=True)
class Clients:
    """The Sender for one URL's host; made anew when a file of its TLS settings changes.

    `transport` stands in for the network.
    """

    http: HttpSettings
    url: str = field(repr=False)
    files: Files
    transport: httpx.AsyncBaseTransport | None = None
    _client: Sender | None = field(default=None, init=False)
    _made_of: object = field(default=None, init=False)
    _retired: Sender | None = field(default=None, init=False)

    async def current(self) -> Sender:
        """The Sender; raises BadCredentials."""
        made_of = tls_files(self.http.tls)
        if self._client is None or made_of != self._made_of:
            # Reads in flight end on the old one's connections; those before it are long over.
            made, oldest = self._made(), self._retired
            self._client, self._made_of, self._retired = made, made_of, self._client
            if oldest is not None:
                await oldest.aclose()
        return self._client

    async def aclose(self) -> None:
        """Closes all connections."""
        for client in (self._client, self._retired):
            if client is not None:
                await client.aclose()
        self._client = self._retired = None

    def _made(self) -> Sender:
        http = self.http
        context = tls_context(http.tls, self.files)
        proxy = None
        if http.proxy_url is not None and not in_network(self.url, http.no_proxy):
            headers = proxy_headers(http, self.files)
            proxy = httpx.Proxy(http.proxy_url.reveal(), headers=headers)
        if proxy is None and self.transport is None and not http.proxy_from_environment:
            return Direct(context)
        client = httpx.AsyncClient(
            transport=self.transport,
            verify=context,
            http2=False,
            limits=_LIMITS,
            timeout=None,  # noqa: S113
            proxy=proxy,
            mounts=direct(http.no_proxy),
            trust_env=http.proxy_from_environment,
        )
        return _Httpx(client)


@dataclass(frozen=True, slots=True)
class _Httpx:
    """A Sender that may go through a proxy."""

    client: httpx.AsyncClient

    async def send(self, request: Request) -> Response:
        """The response; raises httpx' errors."""
        name = request.server_name
        made = self.client.build_request(
            request.method,
            request.url,
            content=request.body,
            headers=list(request.headers),
            extensions={"sni_hostname": name} if name else None,
        )
        response = await self.client.send(made, stream=True)
        reason, version = response.reason_phrase, response.http_version
        body = _Pieces(response)
        return Response(response.status_code, reason, response.headers.raw, body, version)

    async def aclose(self) -> None:
        """Closes all connections."""
        await self.client.aclose()


@dataclass(frozen=True, slots=True)
class _Pieces(httpx.AsyncByteStream):
    """The body of one of httpx' responses."""

    response: httpx.Response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self.response.aiter_raw():
            yield piece

    async def aclose(self) -> None:
        await self.response.aclose()


def direct(no_proxy: str) -> dict[str, httpx.AsyncBaseTransport | None]:
    """The hosts that no proxy is used for: names with all below them, addresses as they are."""
    return {f"all://{_pattern(host)}": None for host in _hosts(no_proxy) if "/" not in host}


def _hosts(no_proxy: str) -> list[str]:
    return [host.strip() for host in no_proxy.split(",") if host.strip()]


def in_network(url: str, no_proxy: str) -> bool:
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
