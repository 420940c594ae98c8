"""What vouches that a read would be answered now as it was answered then."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

# How far what vouches for all of a read reaches, and what vouches for nothing of it; ms.
WHOLE: Final = 1 << 62
NOTHING_STANDS: Final = -WHOLE


class Warranty(Protocol):
    """What vouches that a read would be answered now as it was answered then."""

    @property
    def complete(self) -> bool:
        """Whether it did for the whole read in the beginning."""

    async def reach(self, since: int) -> int:
        """Up to which time, ms, that is still so of samples from `since` on; WHOLE if of all."""

    def joined(self, later: "Warranty", since: int, until: int) -> "Warranty | None":
        """What vouches for both, this one from `since` to `until`; None if nothing does."""


@dataclass(frozen=True, slots=True)
class Undivided:
    """Vouches for a read as a whole only: of a shorter window it might have had other samples."""

    whole: Warranty

    @property
    def complete(self) -> bool:
        """Whether it did in the beginning."""
        return self.whole.complete

    async def reach(self, since: int) -> int:
        """WHOLE for everything that was read, as long as it stands; of a part nothing is known."""
        stands = since == NOTHING_STANDS and await self.whole.reach(since) == WHOLE
        return WHOLE if stands else NOTHING_STANDS

    def joined(self, _later: Warranty, _since: int, _until: int) -> None:
        """Two reads are not one."""


Warranties = tuple[Warranty, ...]


async def lasting(warranties: Sequence[Warranty]) -> bool:
    """Whether all of these vouch for all that was read."""
    return await reach(warranties, NOTHING_STANDS) == WHOLE


async def reach(warranties: Sequence[Warranty], since: int) -> int:
    """How far all of these reach, ms; see Warranty."""
    least = WHOLE
    for one in warranties:
        least = min(least, await one.reach(since))
        if least < since:
            break
    return least


def joined(earlier: Warranties, later: Warranties, since: int, until: int) -> Warranties | None:
    """What vouches for two reads of the same stores, of the earlier one from `since` to `until`."""
    if len(earlier) != len(later):
        return None
    found = [one.joined(other, since, until) for one, other in zip(earlier, later, strict=True)]
    kept = tuple(one for one in found if one is not None)
    return kept if len(kept) == len(found) else None
