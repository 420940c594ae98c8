"""AWS Signature Version 4 of a request.

Source: docs.aws.amazon.com, "Create a signed AWS API request"; the service is that of Amazon
Managed Service for Prometheus.
"""

import configparser
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from bridge.model.secret import Secret
from bridge.remote.credentials import BadCredentials, Files
from bridge.remote.settings import SigV4

_SERVICE: Final = "aps"
_ALGORITHM: Final = "AWS4-HMAC-SHA256"
# Headers that a proxy on the way may change.
_UNSIGNED: Final = frozenset(
    {
        "accept",
        "accept-encoding",
        "authorization",
        "connection",
        "content-length",
        "user-agent",
        "x-amzn-trace-id",
    }
)


@dataclass(frozen=True, slots=True)
class Keys:
    """What signs: the key's id, the key, and a session's token if it is of one."""

    access: str
    secret: Secret
    session: Secret | None = None


@dataclass(frozen=True, slots=True)
class Signed:
    """What is signed of a request."""

    method: str
    url: str
    headers: Iterable[tuple[str, str]]
    body: bytes


def keys_of(settings: SigV4, files: Files) -> Keys:
    """The keys, inline or of a profile; raises BadCredentials."""
    if settings.secret_key is not None:
        return Keys(settings.access_key, settings.secret_key, settings.session_token)
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(files.text(settings.profile_file))
        held = parser[settings.profile]
        access, secret = held["aws_access_key_id"], held["aws_secret_access_key"]
    except (configparser.Error, KeyError):
        text = f"{settings.profile_file} has no keys of the profile {settings.profile}"
        raise BadCredentials(text) from None
    session = held.get("aws_session_token")
    return Keys(access, Secret(secret), Secret(session) if session else None)


def signature(
    request: Signed, region: str, keys: Keys, moment: datetime, service: str = _SERVICE
) -> dict[str, str]:
    """The headers to add: Authorization and those that it needs."""
    stamp = f"{moment:%Y%m%dT%H%M%SZ}"
    added = {"X-Amz-Date": stamp}
    if keys.session is not None:
        added["X-Amz-Security-Token"] = keys.session.reveal()
    names, canonical = _canonical(request, added)
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"AWS4{keys.secret.reveal()}".encode()
    for part in scope.split("/"):
        key = _hmac(key, part)
    made = _hmac(key, f"{_ALGORITHM}\n{stamp}\n{scope}\n{digest}").hex()
    shown = f"Credential={keys.access}/{scope}, SignedHeaders={names}, Signature={made}"
    return added | {"Authorization": f"{_ALGORITHM} {shown}"}


def _canonical(request: Signed, added: dict[str, str]) -> tuple[str, str]:
    """The names of the signed headers, and the request in its canonical form."""
    url = urlsplit(request.url)
    held = {name.lower(): value for name, value in (*request.headers, *added.items())}
    held.setdefault("host", url.netloc.rpartition("@")[2])
    lines = {
        name: " ".join(value.split())
        for name, value in sorted(held.items())
        if name not in _UNSIGNED
    }
    names = ";".join(lines)
    query = sorted(
        f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}"
        for name, value in parse_qsl(url.query, keep_blank_values=True)
    )
    parts = (
        request.method,
        quote(quote(unquote(url.path) or "/", safe="/-_.~"), safe="/-_.~"),
        "&".join(query),
        *(f"{name}:{value}" for name, value in lines.items()),
        "",
        names,
        hashlib.sha256(request.body).hexdigest(),
    )
    return names, "\n".join(parts)


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
