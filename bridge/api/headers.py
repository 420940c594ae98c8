"""Headers: those of a request, those that are added to an answer, those of prombridge's own."""

import re
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from typing import Final

from starlette.types import Message, Scope, Send

from bridge.storage.interface import Provenance

# Names in small letters and values, as they go over the wire.
RawHeaders = Sequence[tuple[bytes, bytes]]

# Where an answer comes from, and whether something may be missing in it.
SOURCE_HEADER: Final = "X-Prombridge-Source"
# How much of an answer was remembered.
CACHE_HEADER: Final = "X-Prombridge-Cache"


def headers_of(scope: Scope) -> Mapping[str, str]:
    """A request's headers by their names in small letters; of several of one name the first."""
    pairs = reversed(scope["headers"])
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in pairs}


def fresh(headers: Mapping[str, str]) -> bool:
    """Whether the newest samples must come from the store: alert evaluations, `no-cache`."""
    from_alert = headers.get("fromalert", "").lower() == "true"
    return from_alert or "no-cache" in headers.get("cache-control", "").lower()


def raw_headers(headers: Iterable[tuple[str, str]]) -> RawHeaders:
    """Headers as they go over the wire."""
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]


def configured_headers(headers: Iterable[tuple[str, str]]) -> RawHeaders:
    """Headers that a file asks for, as Go sends them: in UTF-8, and in one line each."""
    return [
        (name.lower().encode("latin-1"), re.sub(r"[\r\n]", " ", value).strip().encode())
        for name, value in headers
    ]


def adding(headers: RawHeaders, send: Send) -> Send:
    """Sends answers with these headers, in place of their own of the same names."""
    if not headers:
        return send
    names = {name for name, _ in headers}

    def send_with_headers(message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            own = [pair for pair in message["headers"] if pair[0] not in names]
            message = {**message, "headers": [*own, *headers]}
        return send(message)

    return send_with_headers


def cache_headers(provenance: Provenance) -> tuple[tuple[str, str], ...]:
    """The header that tells of the cache; none where nothing was read."""
    if provenance.use is None:
        return ()
    counts = f"blocks={provenance.blocks}; gaps={provenance.gaps}"
    return ((CACHE_HEADER, f"{provenance.use}; {counts}"),)
