"""Who is told what happens in the cache."""

from enum import StrEnum
from typing import Protocol

from bridge.storage.interface import CacheUse


class Gone(StrEnum):
    """Why a block is not held any more."""

    EXPIRED = "expired"
    REPLACED = "replaced"
    SPACE = "space"
    PURGED = "purged"


class TierValue(StrEnum):
    """What became of a value that a tier was asked for."""

    HIT = "hit"
    MISS = "miss"
    FOREIGN = "foreign"


class CacheObserver(Protocol):
    """Who counts; `store` and `tier` are names."""

    def cache_used(self, store: str, use: CacheUse) -> None:
        """A store's read was answered."""

    def gap_read(self, store: str, milliseconds: int, received_bytes: int) -> None:
        """A gap of this length was read of a store."""

    def read_joined(self, store: str) -> None:
        """A read waits for what another one had asked the store for already."""

    def stale_served(self, store: str) -> None:
        """A store was down, and its read was answered from memory all the same."""

    def block_gone(self, why: Gone) -> None:
        """A block is not held any more."""

    def blocks_refused(self) -> None:
        """What was read is not remembered, for want of room."""

    def tier_asked(self, tier: str, seconds: float) -> None:
        """A tier was asked for values, and answered or not."""

    def tier_value(self, tier: str, what: TierValue) -> None:
        """So it was with one value asked for."""

    def tier_failed(self, tier: str) -> None:
        """A tier could not do what it was told."""

    def tier_write_dropped(self, tier: str) -> None:
        """A value was not written: it is too large, or too much waits already."""


class Unobserved:
    """Nobody is told."""

    def cache_used(self, store: str, use: CacheUse) -> None: ...

    def gap_read(self, store: str, milliseconds: int, received_bytes: int) -> None: ...

    def read_joined(self, store: str) -> None: ...

    def stale_served(self, store: str) -> None: ...

    def block_gone(self, why: Gone) -> None: ...

    def blocks_refused(self) -> None: ...

    def tier_asked(self, tier: str, seconds: float) -> None: ...

    def tier_value(self, tier: str, what: TierValue) -> None: ...

    def tier_failed(self, tier: str) -> None: ...

    def tier_write_dropped(self, tier: str) -> None: ...
