"""Client credentials of OAuth 2.0: `oauth2`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Self

from pydantic import model_validator

from bridge.config.fields import FileName, Reference, SecretText, Text, Url, joined, without_faults
from bridge.config.transport import TransportSection
from bridge.model.secret import Secret
from bridge.remote.settings import HttpSettings, OAuth2


class OAuth2Section(TransportSection):
    """`oauth2`."""

    client_id: Text = ""
    client_secret: SecretText = Secret("")
    client_secret_file: FileName = ""
    client_secret_ref: Reference = None
    scopes: list[Text] | None = None
    token_url: Url = ""
    endpoint_params: dict[str, Text] | None = None

    @model_validator(mode="after")
    def _proxied(self) -> Self:
        return without_faults(self, self.proxy_faults())

    def faults(self) -> Iterator[str]:
        """What is missing or contradicts itself, in the words of HTTPClientConfig.Validate."""
        if not self.client_id:
            yield "oauth2 client_id must be configured"
        if not self.token_url:
            yield "oauth2 token_url must be configured"
        if self.client_secret and self.client_secret_file:
            yield (
                "at most one of oauth2 client_secret, client_secret_file & client_secret_ref must "
                "be configured using grant-type=client_credentials"
            )

    def settings(self, folder: Path) -> OAuth2:
        """The settings; file names are relative to `folder`."""
        return OAuth2(
            client_id=self.client_id,
            client_secret=self.client_secret or None,
            client_secret_file=joined(folder, self.client_secret_file),
            scopes=tuple(self.scopes or ()),
            token_url=self.token_url,
            endpoint_params=tuple((self.endpoint_params or {}).items()),
            http=HttpSettings(**self.transport(folder)),
        )
