"""How a server is reached: TLS and proxies, inline in Prometheus' HTTP client configuration."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bridge.config.fields import Flag, ProxyUrl, SecretText, Section, Text
from bridge.config.tls import TlsSection
from bridge.model.secret import Secret
from bridge.remote.settings import HttpHeader


class TransportSection(Section):
    """The keys about TLS and proxies."""

    tls_config: TlsSection | None = None
    proxy_url: ProxyUrl = Secret("")
    no_proxy: Text = ""
    proxy_from_environment: Flag = False
    proxy_connect_header: dict[str, list[SecretText] | None] | None = None

    def proxy_faults(self) -> Iterator[str]:
        """What contradicts itself, in the words of ProxyConfig.Validate."""
        proxied = bool(self.proxy_url)
        if self.proxy_connect_header and not (self.proxy_from_environment or proxied):
            yield (
                "if proxy_connect_header is configured, proxy_url or proxy_from_environment "
                "must also be configured"
            )
        if self.proxy_from_environment and proxied:
            yield "if proxy_from_environment is configured, proxy_url must not be configured"
        if self.proxy_from_environment and self.no_proxy:
            yield "if proxy_from_environment is configured, no_proxy must not be configured"
        elif self.no_proxy and not proxied:
            yield "if no_proxy is configured, proxy_url must also be configured"

    def transport(self, folder: Path) -> dict[str, Any]:
        """The keys of HttpSettings that these are; file names are relative to `folder`."""
        proxy_headers = (self.proxy_connect_header or {}).items()
        return {
            "tls": (self.tls_config or TlsSection()).settings(folder),
            "proxy_url": self.proxy_url or None,
            "proxy_headers": tuple(
                HttpHeader(name, secrets=tuple(secrets or ())) for name, secrets in proxy_headers
            ),
            "no_proxy": self.no_proxy,
            "proxy_from_environment": self.proxy_from_environment,
        }
