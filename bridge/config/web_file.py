"""A web configuration file, as Prometheus' exporter-toolkit has it.

Source of rules and texts: web/tls_config.go and web/handler.go of the exporter-toolkit.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, ClassVar, Final, Self

from pydantic import AfterValidator, Field, model_validator

from bridge.api.tls import CIPHERS, CLIENT_AUTH, CURVES, BadTls, server_context
from bridge.api.web_config import RateLimit, ServerTls, WebConfig
from bridge.config.document import read_document
from bridge.config.errors import ConfigError, Problem
from bridge.config.fields import (
    Duration,
    FileName,
    Flag,
    SecretText,
    Section,
    Text,
    Whole,
    choice,
    joined,
    refused,
    without_faults,
)
from bridge.config.validation import validated
from bridge.model.labels import quoted
from bridge.model.secret import Secret

# What each header may be, None for anything.
_HEADERS: Final[dict[str, tuple[str, ...]]] = {
    "Strict-Transport-Security": (),
    "X-Content-Type-Options": ("nosniff",),
    "X-Frame-Options": ("deny", "sameorigin"),
    "X-XSS-Protection": (),
    "Content-Security-Policy": (),
}
_SHORTEST_HASH: Final = 59
_COSTS: Final = range(4, 32)

Version = Annotated[str, choice("TLS13", "TLS12", "TLS11", "TLS10", words="unknown TLS version")]
Cipher = Annotated[str, choice(*CIPHERS, words="unknown cipher")]
Curve = Annotated[str, choice(*CURVES, words="unknown curve")]


def _check_headers(headers: dict[str, str] | None) -> dict[str, str]:
    for name, value in (headers or {}).items():
        if name not in _HEADERS:
            raise refused(f"HTTP header {quoted(name)} can not be configured")
        known = _HEADERS[name]
        if known and value not in known:
            shown = f"[{' '.join(map(quoted, known))}]"
            raise refused(
                f"invalid value for {name}. Expected one of: {shown}, but got: {quoted(value)}"
            )
    return headers or {}


def _check_users(users: dict[str, Secret] | None) -> dict[str, Secret]:
    for held in (users or {}).values():
        if fault := _hash_fault(held.reveal()):
            raise refused(f"crypto/bcrypt: {fault}")
    return users or {}


def _hash_fault(text: str) -> str:
    """What is wrong with a bcrypt hash, in the words of Go's package."""
    if len(text) < _SHORTEST_HASH:
        return "hashedSecret too short to be a bcrypted password"
    if text[0] != "$":
        return f"bcrypt hashes must start with '$', but hashedSecret started with '{text[0]}'"
    if text[1] > "2":
        return f"bcrypt algorithm version '{text[1]}' requested is newer than current version '2'"
    cost = re.match(r"\$2[a-z]?\$(\d\d)", text)
    if cost is None:
        return "invalid cost in hashedSecret"
    if int(cost[1]) not in _COSTS:
        return f"cost {int(cost[1])} is outside allowed inclusive range 4..31"
    return ""


class TlsServerSection(Section):
    """`tls_server_config`."""

    go_type: ClassVar[str] = "web.TLSConfig"

    cert: Text = ""
    key: SecretText = Secret("")
    client_ca: Text = ""
    cert_file: FileName = ""
    key_file: FileName = ""
    client_auth_type: Text = ""
    client_ca_file: FileName = ""
    cipher_suites: list[Cipher] | None = None
    curve_preferences: list[Curve] | None = None
    min_version: Version = "TLS12"
    max_version: Version = "TLS13"
    prefer_server_cipher_suites: Flag = True
    client_allowed_sans: list[Text] | None = None

    def settings(self, folder: Path) -> ServerTls:
        """The settings; file names are relative to `folder`."""
        sans = self.client_allowed_sans
        return ServerTls(
            cert=self.cert,
            cert_file=joined(folder, self.cert_file) or "",
            key=self.key,
            key_file=joined(folder, self.key_file) or "",
            client_ca=self.client_ca,
            client_ca_file=joined(folder, self.client_ca_file) or "",
            client_auth=self.client_auth_type,
            allowed_sans=tuple(sans) if sans is not None else None,
            cipher_suites=tuple(self.cipher_suites or ()),
            curves=tuple(self.curve_preferences or ()),
            min_version=self.min_version,
            max_version=self.max_version,
        )


class HttpServerSection(Section):
    """`http_server_config`; HTTP/2 is accepted and not spoken."""

    go_type: ClassVar[str] = "web.HTTPConfig"

    http2: Flag = True
    headers: Annotated[dict[str, Text] | None, AfterValidator(_check_headers)] = None


class RateLimitSection(Section):
    """`rate_limit`."""

    go_type: ClassVar[str] = "web.RateLimiterConfig"

    burst: Whole = 0
    interval: Duration = 0


class WebFile(Section):
    """The whole file."""

    go_type: ClassVar[str] = "web.Config"

    tls_server_config: TlsServerSection | None = None
    http_server_config: HttpServerSection | None = None
    rate_limit: RateLimitSection | None = None
    basic_auth_users: Annotated[dict[str, SecretText] | None, AfterValidator(_check_users)] = Field(
        None, repr=False
    )

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        tls = self.tls_server_config
        return without_faults(self, _faults(tls.settings(Path())) if tls else ())

    def settings(self, folder: Path) -> WebConfig:
        """The settings; file names are relative to `folder`."""
        http = self.http_server_config or HttpServerSection()
        limit = self.rate_limit or RateLimitSection()
        return WebConfig(
            tls=(self.tls_server_config or TlsServerSection()).settings(folder),
            headers=tuple((http.headers or {}).items()),
            rate_limit=RateLimit(limit.interval, limit.burst),
            users=tuple((self.basic_auth_users or {}).items()),
        )


def _faults(tls: ServerTls) -> Iterator[str]:
    """The first thing that is missing or contradicts itself."""
    if not tls.enabled:
        return
    if not (tls.cert or tls.cert_file):
        yield "missing one of cert or cert_file"
    elif not (tls.key or tls.key_file):
        yield "missing one of key or key_file"
    elif tls.client_auth not in CLIENT_AUTH:
        yield f"invalid ClientAuth: {tls.client_auth}"
    elif (tls.client_ca or tls.client_ca_file) and tls.client_auth in {"", "NoClientCert"}:
        yield "client CA's have been configured without a Client Auth Policy"


def load_web_file(path: Path) -> WebConfig:
    """What a file says; raises ConfigError."""
    return validated(read_document(path), WebFile).settings(path.parent)


def check_web_file(path: Path) -> WebConfig:
    """The same, and its certificates and keys can be used; raises ConfigError."""
    config = load_web_file(path)
    if config.tls.enabled:
        try:
            server_context(config.tls)
        except BadTls as error:
            raise ConfigError([Problem(str(path), 0, str(error))]) from None
    return config
