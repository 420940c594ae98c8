"""What proves who we are to a store: headers and TLS, inline or from files that may change."""

import base64
import os
import ssl
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final

from bridge.model.secret import Secret
from bridge.remote.settings import (
    Authorization,
    BasicAuth,
    HttpHeader,
    HttpSettings,
    StoreSettings,
    TlsSettings,
)

Headers = list[tuple[str, str]]

_VERSIONS: Final = {
    "TLS10": ssl.TLSVersion.TLSv1,
    "TLS11": ssl.TLSVersion.TLSv1_1,
    "TLS12": ssl.TLSVersion.TLSv1_2,
    "TLS13": ssl.TLSVersion.TLSv1_3,
}


class BadCredentials(Exception):
    """A file of credentials that cannot be read or used; the text names the file only."""


@dataclass(slots=True)
class Files:
    """Texts of files, read anew when a file's time or size changes."""

    _held: dict[str, tuple[tuple[int, int, int], str]] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """A file's text without the white space around; raises BadCredentials."""
        version = stamp(name)
        held = self._held.get(name)
        if held is not None and held[0] == version:
            return held[1]
        try:
            text = Path(name).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise BadCredentials(f"cannot read {name}: {_reason(error)}") from None
        self._held[name] = version, text
        return text


def stamp(name: str) -> tuple[int, int, int]:
    """What changes when a file does; raises BadCredentials."""
    try:
        found = os.stat(name)  # noqa: PTH116
    except OSError as error:
        raise BadCredentials(f"cannot read {name}: {_reason(error)}") from None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _reason(error: Exception) -> str:
    return error.strerror or "error" if isinstance(error, OSError) else "not UTF-8"


def request_headers(settings: StoreSettings, files: Files) -> Headers:
    """The headers that the settings ask for, and what clients send; raises BadCredentials."""
    http = settings.http
    made: Headers = list(settings.headers)
    made += ((name, value.reveal()) for name, value in settings.forwarded)
    made += _custom(http.headers, files)
    if http.basic_auth is not None:
        made.append(("Authorization", _basic(http.basic_auth, files)))
    elif http.authorization is not None:
        made += _authorization(http.authorization, files)
    return made


def _custom(headers: Iterable[HttpHeader], files: Files) -> Iterator[tuple[str, str]]:
    for header in headers:
        for value in header.values:
            yield header.name, value
        for secret in header.secrets:
            yield header.name, secret.reveal()
        for name in header.files:
            yield header.name, files.text(name)


def proxy_headers(http: HttpSettings, files: Files) -> Headers:
    """The headers for the proxy's CONNECT; raises BadCredentials."""
    return list(_custom(http.proxy_headers, files))


def _basic(basic: BasicAuth, files: Files) -> str:
    user = files.text(basic.username_file) if basic.username_file else basic.username
    password = revealed(basic.password, basic.password_file, files)
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _authorization(auth: Authorization, files: Files) -> Headers:
    credentials = revealed(auth.credentials, auth.credentials_file, files)
    return [("Authorization", f"{auth.type} {credentials}")] if credentials else []


def revealed(secret: Secret | None, name: str | None, files: Files) -> str:
    """A secret, inline or a file's text; raises BadCredentials."""
    if name:
        return files.text(name)
    return secret.reveal() if secret is not None else ""


def tls_files(tls: TlsSettings) -> tuple[tuple[int, int, int], ...]:
    """The versions of all files that a TLS context is made of; raises BadCredentials."""
    return tuple(stamp(name) for name in (tls.ca_file, tls.cert_file, tls.key_file) if name)


def tls_context(tls: TlsSettings, files: Files) -> ssl.SSLContext:
    """The TLS context of these settings; raises BadCredentials."""
    try:
        return _tls_context(tls, files)
    except (ssl.SSLError, ValueError):
        raise BadCredentials("tls_config has a certificate or key that cannot be used") from None


def _tls_context(tls: TlsSettings, files: Files) -> ssl.SSLContext:
    authority = files.text(tls.ca_file) if tls.ca_file else tls.ca
    certificate = files.text(tls.cert_file) if tls.cert_file else tls.cert
    if not (authority or certificate):
        return _of_the_system(tls)
    context = _made(tls, authority)
    if certificate:
        _load_chain(context, certificate, revealed(tls.key, tls.key_file, files))
    return context


@lru_cache(maxsize=16)
def _of_the_system(tls: TlsSettings) -> ssl.SSLContext:
    """The context of clients that trust the system's authorities: reading those takes 40 ms."""
    return _made(tls, None)


def _made(tls: TlsSettings, authority: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=authority or None)
    context.minimum_version = _VERSIONS[tls.min_version or "TLS12"]
    if tls.max_version:
        context.maximum_version = _VERSIONS[tls.max_version]
    if tls.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _load_chain(context: ssl.SSLContext, certificate: str, key: str) -> None:
    """Loads certificate and key, which the ssl module takes from a file only."""
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(f"{certificate}\n{key}\n")
        file.flush()
        context.load_cert_chain(file.name)
