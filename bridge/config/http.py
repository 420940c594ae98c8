"""Prometheus' HTTP client configuration, which stands inline in a remote_read entry."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, model_validator

from bridge.config.authentication import AuthorizationSection, BasicAuthSection
from bridge.config.fields import (
    FileName,
    Flag,
    SecretText,
    joined,
    without_faults,
)
from bridge.config.headers import HeaderSection, check_http_headers
from bridge.config.oauth2 import OAuth2Section
from bridge.config.transport import TransportSection
from bridge.model.secret import Secret
from bridge.remote.settings import Authorization, HttpSettings


class HttpSection(TransportSection):
    """The keys of Prometheus' HTTP client configuration that stand inline in an entry."""

    basic_auth: BasicAuthSection | None = None
    authorization: AuthorizationSection | None = None
    oauth2: OAuth2Section | None = None
    bearer_token: SecretText = Secret("")
    bearer_token_file: FileName = ""
    follow_redirects: Flag = True
    enable_http2: Flag = True
    http_headers: Annotated[dict[str, HeaderSection] | None, AfterValidator(check_http_headers)] = (
        None
    )

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        return without_faults(self, (*self._authentication_faults(), *self.proxy_faults()))

    def _authentication_faults(self) -> Iterator[str]:
        bearer = self.bearer_token or self.bearer_token_file
        if self.bearer_token and self.bearer_token_file:
            yield "at most one of bearer_token & bearer_token_file must be configured"
        if (self.basic_auth or self.oauth2) and bearer:
            yield (
                "at most one of basic_auth, oauth2, bearer_token & bearer_token_file "
                "must be configured"
            )
        if self.authorization and bearer:
            yield "authorization is not compatible with bearer_token & bearer_token_file"
        if sum(map(bool, (self.authorization, self.basic_auth, self.oauth2))) > 1:
            yield "at most one of basic_auth, oauth2 & authorization must be configured"
        for section in (self.basic_auth, self.authorization, self.oauth2):
            yield from section.faults() if section else ()

    @property
    def authenticates(self) -> bool:
        """Whether there are credentials of any kind."""
        bearer = self.bearer_token or self.bearer_token_file
        return bool(bearer or self.basic_auth or self.authorization or self.oauth2)

    def http_settings(self, folder: Path) -> HttpSettings:
        """The settings; file names are relative to `folder`."""
        headers = (self.http_headers or {}).items()
        return HttpSettings(
            basic_auth=self.basic_auth.settings(folder) if self.basic_auth else None,
            authorization=self._authorization(folder),
            oauth2=self.oauth2.settings(folder) if self.oauth2 else None,
            follow_redirects=self.follow_redirects,
            headers=tuple(header.settings(name, folder) for name, header in headers),
            **self.transport(folder),
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
