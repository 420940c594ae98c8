"""Where sealed blocks outlive this process: what a folder and a shared Valkey have in common."""

from collections.abc import Sequence
from typing import Final, Protocol

TIMEOUT: Final = 0.1
"""Seconds that anything asked of a tier may take."""

WAITING_BYTES: Final = 64 << 20
"""So much may wait to be written; more is lost."""


class Tier(Protocol):
    """Values by place; losing one is never wrong, and no method ever raises or waits for long."""

    @property
    def name(self) -> str:
        """What it is called in metrics."""

    @property
    def shared(self) -> bool:
        """Whether other processes put values there too."""

    def left_alone(self) -> bool:
        """Whether it failed so often, or is so slow, that it is not asked for a while."""

    async def get(self, places: Sequence[str]) -> list[bytes | None]:
        """The value of each place, as far as it can be had now."""

    def put(self, place: str, value: bytes, lifetime: int) -> None:
        """Keeps a value for so many ms, at some time after this call; or not at all."""

    async def drop(self, places: Sequence[str]) -> None:
        """Forgets what is kept at these places."""

    async def purges(self) -> list[bytes] | None:
        """What was purged, as it was told; None if that cannot be had now."""

    async def add_purge(self, value: bytes, until: int) -> bool:
        """Keeps a purge up to a moment, ms, or longer; whether that worked."""

    async def drop_purges(self, values: Sequence[bytes]) -> None:
        """Forgets purges."""

    async def settled(self) -> None:
        """Waits until all values put are kept or lost."""

    async def aclose(self) -> None:
        """Lets go of files and connections."""
