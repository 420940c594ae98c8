"""Prometheus' HTTP client configuration, which stands inline in a remote_read entry."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, model_validator

from bridge.config.authentication import AuthorizationSection, BasicAuthSection
from bridge.config.fields import (
    Flag,
    ProxyUrl,
    SecretText,
    Section,
    Text,
    joined,
    unsupported,
    without_faults,
)
from bridge.config.headers import HeaderSection, check_http_headers
from bridge.config.tls import TlsSection
from bridge.model.secret import Secret
from bridge.remote.settings import Authorization, HttpHeader, HttpSettings


class HttpSection(Section):
    """The keys of Prometheus' HTTP client configuration that stand inline in an entry."""

    basic_auth: BasicAuthSection | None = None
    authorization: AuthorizationSection | None = None
    oauth2: Annotated[
        None, unsupported("use basic_auth, authorization or a bearer_token_file that you renew")
    ] = None
    bearer_token: SecretText = Secret("")
    bearer_token_file: Text = ""
    tls_config: TlsSection | None = None
    follow_redirects: Flag = True
    enable_http2: Flag = True
    proxy_url: ProxyUrl = Secret("")
    no_proxy: Text = ""
    proxy_from_environment: Flag = False
    proxy_connect_header: dict[str, list[SecretText] | None] | None = None
    http_headers: Annotated[dict[str, HeaderSection] | None, AfterValidator(check_http_headers)] = (
        None
    )

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        return without_faults(self, (*self._authentication_faults(), *self._proxy_faults()))

    def _authentication_faults(self) -> Iterator[str]:
        bearer = self.bearer_token or self.bearer_token_file
        if self.bearer_token and self.bearer_token_file:
            yield "at most one of bearer_token & bearer_token_file must be configured"
        if self.basic_auth and bearer:
            yield (
                "at most one of basic_auth, oauth2, bearer_token & bearer_token_file "
                "must be configured"
            )
        if self.authorization and bearer:
            yield "authorization is not compatible with bearer_token & bearer_token_file"
        if self.authorization and self.basic_auth:
            yield "at most one of basic_auth, oauth2 & authorization must be configured"
        for section in (self.basic_auth, self.authorization):
            yield from section.faults() if section else ()

    def _proxy_faults(self) -> Iterator[str]:
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

    def http_settings(self, folder: Path) -> HttpSettings:
        """The settings; file names are relative to `folder`."""
        headers = (self.http_headers or {}).items()
        proxy_headers = (self.proxy_connect_header or {}).items()
        return HttpSettings(
            basic_auth=self.basic_auth.settings(folder) if self.basic_auth else None,
            authorization=self._authorization(folder),
            tls=(self.tls_config or TlsSection()).settings(folder),
            follow_redirects=self.follow_redirects,
            proxy_url=self.proxy_url or None,
            proxy_headers=tuple(
                HttpHeader(name, secrets=tuple(secrets or ())) for name, secrets in proxy_headers
            ),
            no_proxy=self.no_proxy,
            proxy_from_environment=self.proxy_from_environment,
            headers=tuple(header.settings(name, folder) for name, header in headers),
        )

    def _authorization(self, folder: Path) -> Authorization | None:
        if self.authorization:
            return self.authorization.settings(folder)
        if self.bearer_token or self.bearer_token_file:
            return Authorization(
                credentials=self.bearer_token or None,
                credentials_file=joined(folder, self.bearer_token_file),
            )
        return None
