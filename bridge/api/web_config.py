"""Who may ask and how connections are secured: the settings of a web configuration file."""

from dataclasses import dataclass, field
from typing import Final

from bridge.model.secret import Secret

NO_SECRET: Final = Secret("")


@dataclass(frozen=True, slots=True)
class ServerTls:
    """How the server proves itself, and what it wants of clients; names are Go's.

    Of each pair of a text and a file one is given, or none. Without `allowed_sans` (None) any
    certificate that is verified will do.
    """

    cert: str = ""
    cert_file: str = ""
    key: Secret = NO_SECRET
    key_file: str = ""
    client_ca: str = ""
    client_ca_file: str = ""
    client_auth: str = ""
    allowed_sans: tuple[str, ...] | None = None
    cipher_suites: tuple[str, ...] = ()
    curves: tuple[str, ...] = ()
    min_version: str = "TLS12"
    max_version: str = "TLS13"

    @property
    def enabled(self) -> bool:
        """Whether connections are secured at all."""
        texts = (self.cert, self.key, self.client_ca, self.client_auth)
        return any((*texts, self.cert_file, self.key_file, self.client_ca_file))


@dataclass(frozen=True, slots=True)
class RateLimit:
    """One request each `interval` ms, and `burst` at once; an interval of 0 for any number."""

    interval: int = 0
    burst: int = 0


@dataclass(frozen=True, slots=True)
class WebConfig:
    """What stands in the file; `users` are names and bcrypt hashes of their passwords."""

    tls: ServerTls = field(default_factory=ServerTls)
    headers: tuple[tuple[str, str], ...] = ()
    rate_limit: RateLimit = field(default_factory=RateLimit)
    users: tuple[tuple[str, Secret], ...] = field(default=(), repr=False)
