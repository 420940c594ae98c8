"""How a store's certificate is checked and ours is shown: `tls_config`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Self

from pydantic import model_validator

from bridge.config.fields import (
    FileName,
    Flag,
    Reference,
    SecretText,
    Section,
    Text,
    choice,
    joined,
    without_faults,
)
from bridge.model.secret import Secret
from bridge.remote.settings import TlsSettings

TlsVersion = Annotated[str, choice("TLS10", "TLS11", "TLS12", "TLS13", words="unknown TLS version")]


class TlsSection(Section):
    """`tls_config`."""

    ca: Text = ""
    ca_file: FileName = ""
    ca_ref: Reference = None
    cert: Text = ""
    cert_file: FileName = ""
    cert_ref: Reference = None
    key: SecretText = Secret("")
    key_file: FileName = ""
    key_ref: Reference = None
    server_name: Text = ""
    insecure_skip_verify: Flag = False
    min_version: TlsVersion = ""
    max_version: TlsVersion = ""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        return without_faults(self, self.faults())

    def faults(self) -> Iterator[str]:
        """What contradicts itself, in the words of TLSConfig.Validate."""
        if self.ca and self.ca_file:
            yield "at most one of ca, ca_file & ca_ref must be configured"
        if self.cert and self.cert_file:
            yield "at most one of cert, cert_file & cert_ref must be configured"
        if self.key and self.key_file:
            yield "at most one of key and key_file must be configured"
        cert, key = self.cert or self.cert_file, self.key or self.key_file
        if cert and not key:
            yield (
                "exactly one of key or key_file must be configured "
                "when a client certificate is configured"
            )
        if key and not cert:
            yield (
                "exactly one of cert or cert_file must be configured "
                "when a client key is configured"
            )

    def settings(self, folder: Path) -> TlsSettings:
        """The settings; file names are relative to `folder`."""
        return TlsSettings(
            ca=self.ca or None,
            ca_file=joined(folder, self.ca_file),
            cert=self.cert or None,
            cert_file=joined(folder, self.cert_file),
            key=self.key or None,
            key_file=joined(folder, self.key_file),
            server_name=self.server_name or None,
            insecure_skip_verify=self.insecure_skip_verify,
            min_version=self.min_version or None,
            max_version=self.max_version or None,
        )
