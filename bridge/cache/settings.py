"""What can be set about the sample cache; times in ms, sizes in bytes."""

from dataclasses import dataclass
from typing import Final

from bridge.model.secret import Secret

_SECOND: Final = 1000
_MINUTE: Final = 60 * _SECOND
_HOUR: Final = 60 * _MINUTE


@dataclass(frozen=True, slots=True)
class CacheSettings:
    """How much is remembered, and for how long; every age counts from the moment a read began.

    `freshness`: samples younger than this when they were read are never remembered, but for
    `burst`, in which what one read brought serves those that come right behind it.
    `out_of_order_window`: how late a store may accept samples; what was younger than this when it
    was read is remembered for `young_ttl`, as are answers without a sample; all else for
    `sealed_ttl`.
    `stale_if_error`: while the store is down, what it had settled is served however old it is.
    `coalesce`: gaps nearer to each other than this are read as one, as are more than `max_gaps`.
    `round_tail`: reads of the newest samples begin and end at multiples of this. `read_ahead`: when
    a window that is held has moved on within what is settled, or reaches further back, half as much
    to so much more is read behind it, or before it, of each selector another part.
    `dir`, `dir_max_bytes`: a folder where sealed samples outlive this process, and its size;
    `valkey_url`: a Valkey or Redis where replicas share them.
    `max_bytes`: memory owned by what is remembered, besides at most `answers_max_bytes` of answers
    that rest on it, and as much of known values. `admission`: within this time a selector must be
    missed twice before others are forgotten for it.
    """

    enabled: bool = True
    max_bytes: int = 512 << 20
    answers_max_bytes: int = 32 << 20
    freshness: int = 10 * _MINUTE
    out_of_order_window: int = _HOUR
    sealed_ttl: int = 24 * _HOUR
    young_ttl: int = 10 * _MINUTE
    burst: int = _SECOND
    stale_if_error: bool = False
    coalesce: int = 5 * _MINUTE
    max_gaps: int = 4
    round_tail: int = _MINUTE
    read_ahead: int = 15 * _MINUTE
    admission: int = 10 * _MINUTE
    dir: str | None = None
    dir_max_bytes: int = 8 << 30
    valkey_url: Secret | None = None
