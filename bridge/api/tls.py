"""TLS contexts of the server, made of a web configuration; what is on disk now is what counts."""

import ssl
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

from bridge.api.web_config import ServerTls
from bridge.model.errors import BridgeError

# Go's names of cipher suites and OpenSSL's; those of TLS 1.3 cannot be chosen, in Go neither.
CIPHERS: Final = {
    "TLS_AES_128_GCM_SHA256": "",
    "TLS_AES_256_GCM_SHA384": "",
    "TLS_CHACHA20_POLY1305_SHA256": "",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA": "ECDHE-ECDSA-AES128-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA": "ECDHE-ECDSA-AES256-SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA": "ECDHE-RSA-AES128-SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA": "ECDHE-RSA-AES256-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-RSA-CHACHA20-POLY1305",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
}
CURVES: Final = {
    "CurveP256": "prime256v1",
    "CurveP384": "secp384r1",
    "CurveP521": "secp521r1",
    "X25519": "X25519",
}
CLIENT_AUTH: Final = {
    "": ssl.CERT_NONE,
    "NoClientCert": ssl.CERT_NONE,
    # Whoever connects is let in with any certificate or none, so none is asked for.
    "RequestClientCert": ssl.CERT_NONE,
    "RequireAnyClientCert": ssl.CERT_REQUIRED,
    "RequireClientCert": ssl.CERT_REQUIRED,
    "VerifyClientCertIfGiven": ssl.CERT_OPTIONAL,
    "RequireAndVerifyClientCert": ssl.CERT_REQUIRED,
}
_UNVERIFIED: Final = frozenset({"RequireAnyClientCert", "RequireClientCert"})
_VERSIONS: Final = {
    # What is older than TLS 1.2 is not spoken.
    "TLS10": ssl.TLSVersion.TLSv1_2,
    "TLS11": ssl.TLSVersion.TLSv1_2,
    "TLS12": ssl.TLSVersion.TLSv1_2,
    "TLS13": ssl.TLSVersion.TLSv1_3,
}
_TOO_OLD: Final = frozenset({"TLS10", "TLS11"})


class BadTls(BridgeError):
    """A certificate, key or choice that cannot be used; the text names files, never a key."""


def server_context(tls: ServerTls) -> ssl.SSLContext:
    """The context of these settings, with what its files hold now; raises BadTls."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version, context.maximum_version = _versions(tls)
    _load_chain(context, tls)
    _choose(context, tls)
    _ask_clients(context, tls)
    context.set_alpn_protocols(["http/1.1"])
    return context


def tls_stamp(tls: ServerTls) -> tuple[tuple[int, int, int] | None, ...]:
    """The versions of all files that a context is made of."""
    return tuple(map(_stamp, (tls.cert_file, tls.key_file, tls.client_ca_file)))


def _stamp(name: str) -> tuple[int, int, int] | None:
    try:
        held = Path(name).stat()
    except OSError:
        return None
    return (held.st_mtime_ns, held.st_size, held.st_ino)


def _versions(tls: ServerTls) -> tuple[ssl.TLSVersion, ssl.TLSVersion]:
    if tls.max_version in _TOO_OLD:
        raise BadTls(f"max_version {tls.max_version}: prombridge speaks TLS 1.2 and 1.3 only")
    return _VERSIONS[tls.min_version], _VERSIONS[tls.max_version]


def _load_chain(context: ssl.SSLContext, tls: ServerTls) -> None:
    cert = _read("cert_file", tls.cert_file) if tls.cert_file else tls.cert
    key = _read("key_file", tls.key_file) if tls.key_file else tls.key.reveal()
    # The ssl module takes them from files only; these are their owner's alone.
    with _written(cert) as chain, _written(key) as secret:
        try:
            context.load_cert_chain(chain, secret, password=lambda: "")
        except (ssl.SSLError, ValueError, OSError) as error:
            reason = getattr(error, "reason", None) or "no usable certificate and key"
            raise BadTls(f"failed to load X509KeyPair: tls: {reason}") from None


@contextmanager
def _written(text: str) -> Iterator[str]:
    """The name of a file with this text."""
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(text)
        file.flush()
        yield file.name


def _read(key: str, name: str) -> str:
    try:
        return Path(name).read_text("utf-8", "replace")
    except OSError as error:
        reason = (error.strerror or "cannot be read").lower()
        raise BadTls(f"failed to read {key} ({name}): open {name}: {reason}") from None


def _choose(context: ssl.SSLContext, tls: ServerTls) -> None:
    """Sets cipher suites and curves."""
    if tls.cipher_suites:
        chosen = [CIPHERS[name] for name in tls.cipher_suites if CIPHERS[name]]
        if chosen:
            context.set_ciphers(":".join(chosen))
        else:
            context.minimum_version = ssl.TLSVersion.TLSv1_3
    if tls.curves:
        # Python's ssl module takes one: the first, so that never another than these is used.
        context.set_ecdh_curve(CURVES[tls.curves[0]])


def _ask_clients(context: ssl.SSLContext, tls: ServerTls) -> None:
    if tls.client_auth in _UNVERIFIED:
        raise BadTls(
            f"client_auth_type {tls.client_auth}: prombridge cannot take certificates that it does"
            " not verify; use RequireAndVerifyClientCert with client_ca_file"
        )
    authority = tls.client_ca
    if tls.client_ca_file:
        try:
            authority = Path(tls.client_ca_file).read_text("utf-8", "replace")
        except OSError as error:
            reason = (error.strerror or "cannot be read").lower()
            raise BadTls(f"open {tls.client_ca_file}: {reason}") from None
    if authority:
        try:
            context.load_verify_locations(cadata=authority)
        except (ssl.SSLError, ValueError):
            # As in Go: what holds no certificate verifies nobody.
            authority = ""
    context.verify_mode = CLIENT_AUTH[tls.client_auth]
    if tls.allowed_sans is not None and context.verify_mode is not ssl.CERT_NONE:
        context.sslobject_class = _checking(frozenset(tls.allowed_sans))


def _checking(allowed: frozenset[str]) -> type[ssl.SSLObject]:
    """Connections whose client's certificate bears one of these names."""

    class Checked(ssl.SSLObject):
        """One such connection."""

        def do_handshake(self) -> None:
            super().do_handshake()
            certificate = self.getpeercert()
            if certificate and not allowed & set(_names(certificate)):
                raise ssl.SSLCertVerificationError("could not find allowed SANs in client cert")

    return Checked


def _names(certificate: Any) -> list[str]:
    """The names that a certificate is for: DNS, e-mail, IP, URI."""
    kinds = {"DNS", "email", "IP Address", "URI"}
    return [value for kind, value in certificate.get("subjectAltName", ()) if kind in kinds]


class CurrentContext(ssl.SSLContext):
    """A context that is another one at each connection: the one that `current` gives.

    If it raises BadTls or a ConfigError the connection is refused, and `failed` is told.
    """

    _current: Callable[[], ssl.SSLContext]
    _failed: Callable[[BridgeError], None]

    def __new__(
        cls, _current: Callable[[], ssl.SSLContext], _failed: Callable[[BridgeError], None]
    ) -> Self:
        return super().__new__(cls, ssl.PROTOCOL_TLS_SERVER)

    def __init__(
        self, current: Callable[[], ssl.SSLContext], failed: Callable[[BridgeError], None]
    ) -> None:
        self._current, self._failed = current, failed

    def wrap_bio(self, *arguments: Any, **named: Any) -> ssl.SSLObject:
        """The start of a connection."""
        try:
            return self._current().wrap_bio(*arguments, **named)
        except BridgeError as error:
            self._failed(error)
            raise ssl.SSLError("the server's TLS configuration cannot be used") from None
