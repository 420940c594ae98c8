"""URLs in configurations: which are usable, and how they are shown without their secrets."""

import re
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from bridge.model.secret import TELLING, Secret
from bridge.remote.settings import shown_url

_MASK: Final = f"{Secret('')}"


def checked_url(text: str, schemes: tuple[str, ...]) -> str:
    """Raises ValueError; its text never repeats the URL, which may hold a password."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise ValueError("the URL has no valid host and port") from None
    if parts.scheme not in schemes:
        raise ValueError("unsupported or missing scheme in URL")
    if not parts.hostname or re.search(r"[\s\x00-\x1f]", text):
        raise ValueError("the URL has no valid host and port")
    return text


def shown_key(key: str) -> str:
    """A key for error texts: a URL without its user, password and query."""
    try:
        return shown_url(key) if "://" in key else key
    except ValueError:
        return "URL"


def masked_url(url: str) -> str:
    """A URL whose user information and secret-looking parameters are masked."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    netloc = f"{_MASK}@{host}" if at and user else host
    return urlunsplit(parts._replace(netloc=netloc, query=_masked_query(parts.query)))


def _masked_query(query: str) -> str:
    pairs = (pair.partition("=") for pair in query.split("&"))
    return "&".join(
        f"{name}{equals}{_MASK if value and TELLING.search(name) else value}"
        for name, equals, value in pairs
    )
