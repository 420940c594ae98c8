"""What no error may show although a store sends it back: the secrets that it was sent."""

import base64
import binascii
from collections.abc import Collection, Iterable, Iterator
from urllib.parse import parse_qsl, unquote, urlsplit

from bridge.model.secret import TELLING, Secret
from bridge.remote.credentials import BadCredentials, Files, Headers, proxy_headers, request_headers
from bridge.remote.settings import StoreSettings

_SHORTEST = 4  # letters; hiding less would hide innocent text


def secrets_of(settings: StoreSettings, files: Files) -> tuple[str, ...]:
    """The secrets in what a store is sent, each as configured and as sent; longest first."""
    http = settings.http
    try:
        headers = request_headers(settings, files) + proxy_headers(http, files)
    except BadCredentials:
        # Nothing is sent without them.
        return ()
    custom = (*http.headers, *http.proxy_headers)
    declared = {one.reveal() for header in custom for one in header.secrets}
    filed = {header.name.lower() for header in custom if header.files}
    proxy = http.proxy_url.reveal() if http.proxy_url else ""
    given = _of_clients(settings.forwarded)
    found = {*declared, *given, *_in_headers(headers, filed), *in_url(settings.url), *in_url(proxy)}
    return tuple(sorted((one for one in found if len(one) >= _SHORTEST), key=len, reverse=True))


def _in_headers(headers: Headers, filed: Collection[str]) -> Iterator[str]:
    """The values of headers whose names tell of a secret, or that come from files."""
    for name, value in headers:
        if TELLING.search(name) or name.lower() in filed:
            yield value
            yield from _credentials(value)


def _of_clients(forwarded: Iterable[tuple[str, Secret]]) -> Iterator[str]:
    """What clients sent: whole values, what stands behind a scheme, the values of cookies."""
    for _, held in forwarded:
        value = held.reveal()
        yield value
        yield from _credentials(value)
        yield from (pair.partition("=")[2].strip() for pair in value.split(";"))


def _credentials(value: str) -> Iterator[str]:
    """What stands behind the scheme of an Authorization, and the password in it."""
    _, _, sent = value.partition(" ")
    yield sent
    try:
        yield base64.b64decode(sent, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return


def in_url(url: str) -> Iterator[str]:
    """The secrets in a URL."""
    parts = urlsplit(url)
    if parts.password:
        user, password = unquote(parts.username or ""), unquote(parts.password)
        yield from (parts.password, password)
        yield base64.b64encode(f"{user}:{password}".encode()).decode()
    yield from (value for name, value in parse_qsl(parts.query) if TELLING.search(name))


def hide(text: bytes, secrets: Iterable[str]) -> bytes:
    """A text with each of the secrets masked."""
    for secret in secrets:
        text = text.replace(secret.encode(), f"{Secret('')}".encode())
    return text
