"""Answers of a cache that may be given again, with what vouches for them."""

from dataclasses import dataclass, field, replace

from bridge.storage.interface import Select
from bridge.storage.warranty import Warranties, joined, reach
from tests.cache.replicas import Process
from tests.cache.world import Samples

_REMEMBERED = 20  # answers


@dataclass(frozen=True)
class Given:
    """What a process answered to a select, and what vouches for it."""

    process: Process
    select: Select
    answer: Samples
    warranties: Warranties

    async def standing(self) -> "Given | None":
        """The part that may be given again, if any."""
        start, end = self.select.start, self.select.end
        upto = min(await reach(self.warranties, start), end)
        return None if upto < start else self.until(upto)

    def until(self, time: int) -> "Given":
        """The part up to a time."""
        part = {point: value for point, value in self.answer.items() if point[1] <= time}
        return replace(self, select=replace(self.select, end=time), answer=part)

    async def followed_by(self, later: "Given") -> "Given | None":
        """What stands of this one and a later answer of the same process behind it, as one."""
        if later.process is not self.process or later.select.matchers != self.select.matchers:
            return None
        known = await self.standing()
        if known is None or not known.select.start < later.select.start <= known.select.end + 1:
            return None
        until = known.select.end
        if later.select.end <= until:
            return None
        found = joined(self.warranties, later.warranties, known.select.start, until)
        more = {point: value for point, value in later.answer.items() if point[1] > until}
        select = replace(known.select, end=later.select.end)
        if found is None:
            return None
        return Given(self.process, select, known.answer | more, found)


@dataclass
class GivenAgain:
    """The answers that were given last; `stood` and `joined` count those that could be again."""

    held: list[Given] = field(default_factory=list)
    stood: int = 0
    joined: int = 0

    async def add(self, given: Given) -> None:
        """Takes up an answer, by itself and behind others."""
        found = [await one.followed_by(given) for one in self.held]
        both = [one for one in found if one is not None]
        self.joined += len(both)
        self.held = [given, *both, *self.held][:_REMEMBERED]

    async def standing(self) -> list[Given]:
        """What may be given again now."""
        found = [await one.standing() for one in self.held]
        known = [one for one in found if one is not None]
        self.stood += len(known)
        return known

    def forget(self, process: Process) -> None:
        """A process has ended."""
        self.held = [one for one in self.held if one.process is not process]
