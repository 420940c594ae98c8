"""What was purged, here or in a replica: samples read before are not served any more."""

import asyncio
import hashlib
import json
import secrets
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bridge.cache.foreign import text
from bridge.cache.intervals import common, covers
from bridge.cache.keys import Key
from bridge.cache.memory import Clock, system_clock
from bridge.cache.tiers import Tier
from bridge.model.errors import BadData
from bridge.model.labels import Matcher, MatchType
from bridge.model.time import MAX_TIME, MIN_TIME, Window

Wait = Callable[[float], Awaitable[None]]

# Nobody serves what was purged elsewhere longer ago than this, ms.
LEASE: Final = 1000
# With more purges than this at a time everything is purged: one that stands for all.
_MOST: Final = 256
_DAY: Final = 86_400_000
_ALL_TIME: Final = Window(MIN_TIME, MAX_TIME)


@dataclass(frozen=True, slots=True)
class Purge:
    """Nothing read before counts in this window, of any selector that may select what matches.

    `until` (wall clock, ms) nothing read before can be left. `over` are ids of purges that this one
    stands for: it includes them, and who made it knew them. By clocks alone nobody could tell which
    of two purges was made first: they may be set, and those of replicas differ.
    """

    id: str
    matchers: tuple[Matcher, ...]
    window: Window
    until: int
    over: tuple[str, ...] = ()

    @staticmethod
    def read(value: bytes) -> "Purge | None":
        """The purge that another process wrote; None if it cannot be understood."""
        try:
            name, triples, start, end, until, *over = json.loads(value)
            matchers = tuple(
                Matcher.checked(text(n), MatchType(kind), text(v)) for n, kind, v in triples
            )
            window = Window(int(start), int(end))
            return Purge(str(name), matchers, window, int(until), tuple(map(str, over)))
        except (ValueError, TypeError, OverflowError, RecursionError, BadData):
            return None

    @staticmethod
    def everything(id_: str, until: int) -> "Purge":
        """A purge of all there is."""
        return Purge(id_, (), _ALL_TIME, until)

    def instead_of(self, known: Iterable["Purge"]) -> "Purge":
        """The same, made just now: it stands for those that were known and that it includes.

        So it does for what these stood for, of which others may still know.
        """
        included = [one for one in known if self._includes(one)]
        ids = [one.id for one in included]
        before = [id_ for one in included for id_ in one.over]
        until = max([self.until, *(one.until for one in included)])
        return replace(self, until=until, over=tuple(dict.fromkeys([*ids, *before]))[:_MOST])

    @property
    def value(self) -> bytes:
        """The same in bytes."""
        triples = [(one.name, one.type.value, one.value) for one in self.matchers]
        told = [self.id, triples, self.window.start, self.window.end, self.until, *self.over]
        return json.dumps(told).encode()

    def concerns(self, key: Key, window: Window) -> bool:
        """Whether a selector's samples of a window are purged, or a part of them."""
        return common(self.window, window) is not None and key.may_match(self.matchers)

    def _includes(self, other: "Purge") -> bool:
        """Whether this purges all that the other does."""
        return set(self.matchers) <= set(other.matchers) and covers(self.window, other.window)


class Purges:
    """Every purge that still counts, of this process and of all that share a tier with it.

    Followers are called with each purge once it is known, and from then on must not serve what they
    hold of it. A tier keeps values at places that name the purges known to who wrote them, so what
    was written before a purge, or without knowledge of it, is not found after it. What was known to
    `before` is known here, and who follows that hears of all that this one hears.
    """

    def __init__(
        self,
        tiers: Sequence[Tier] = (),
        clock: Clock = system_clock,
        lifetime: int = _DAY,
        wait: Wait = asyncio.sleep,
        before: "Purges | None" = None,
    ) -> None:
        self._tiers = tiers
        self._clock = clock
        self._lifetime = 2 * max(lifetime, _DAY)
        self._wait = wait
        self._known: dict[str, Purge] = {} if before is None else before.known()
        self._followers: list[Callable[[Purge], None]] = [] if before is None else [before.hear]
        self._heard: set[Tier] = set()
        self._looked: int | None = None
        self._looking: asyncio.Task[None] | None = None

    def follow(self, forget: Callable[[Purge], None]) -> None:
        """Has each purge told to this one."""
        self._followers.append(forget)

    def unfollow(self, forget: Callable[[Purge], None]) -> None:
        """Tells purges to this one no more."""
        if forget in self._followers:
            self._followers.remove(forget)

    def known(self) -> dict[str, Purge]:
        """Every purge that is known, by its id."""
        return dict(self._known)

    def hear(self, purge: Purge) -> None:
        """Takes up a purge that another one knows of."""
        self._learn([purge])

    def concerning(self, key: Key, window: Window) -> tuple[str, ...]:
        """Which purges concern a selector's samples of a window."""
        now = self._clock().wall
        known = self._known.values()
        return tuple(
            sorted(one.id for one in known if one.until > now and one.concerns(key, window))
        )

    def knows(self, tier: Tier) -> bool:
        """Whether all is known that was purged of a tier: without that its values do not count."""
        return tier in self._heard

    async def current(self) -> None:
        """Sees to it that all is known that was purged until a second ago, as far as tiers tell."""
        if not self._tiers:
            return
        now = self._clock().steady
        if self._looked is not None and 0 <= now - self._looked < LEASE:
            return
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
        await asyncio.shield(self._looking)

    async def purge(self, matchers: Iterable[Matcher], window: Window) -> list[str]:
        """Purges here and everywhere; the names of the tiers that could not be told yet.

        Returns once no replica that reaches the tiers serves anything of it any more.
        """
        made = self._made(tuple(sorted(set(matchers))), window)
        self._learn([made])
        told = await asyncio.gather(*(self._tell(tier, [made]) for tier in self._tiers))
        reached = dict(zip(self._tiers, told, strict=True))
        # They are told, and believed, once they answer.
        self._heard -= {tier for tier, well in reached.items() if not well}
        if any(tier.shared for tier, well in reached.items() if well):
            await self._wait(LEASE / 1000)
        return [tier.name for tier, well in reached.items() if not well]

    async def aclose(self) -> None:
        """Ends what is under way; nobody is told any more."""
        self._followers.clear()
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    def _made(self, matchers: tuple[Matcher, ...], window: Window) -> Purge:
        until = self._clock().wall + self._lifetime
        name = secrets.token_hex(8)
        many = len(self._known) >= _MOST
        made = Purge.everything(name, until) if many else Purge(name, matchers, window, until)
        return made.instead_of(self._known.values())

    async def _look(self) -> None:
        """Hears of each tier what was purged, and tells it what it lacks."""
        began = self._clock().steady
        try:
            due = [tier for tier in self._tiers if tier.shared or tier not in self._heard]
            answers = await asyncio.gather(*(tier.purges() for tier in due))
            for tier, values in zip(due, answers, strict=True):
                if values is None:
                    self._heard.discard(tier)
                else:
                    self._learn([self._read(value) for value in values])
                    self._heard.add(tier)
            # Not before: who comes meanwhile would count on what was heard too long ago.
            self._looked = began
            for tier, values in zip(due, answers, strict=True):
                await self._settle(tier, values or ())
        finally:
            self._looking = None

    def _read(self, value: bytes) -> Purge:
        """A purge of another process; whatever cannot be understood, somebody purged something."""
        until = self._clock().wall + self._lifetime
        return Purge.read(value) or Purge.everything(hashlib.sha256(value).hexdigest()[:16], until)

    async def _settle(self, tier: Tier, values: Sequence[bytes]) -> None:
        """Tells a tier what it lacks, and takes from it what is of no more use."""
        if tier not in self._heard:
            return
        theirs = {value: Purge.read(value) for value in values}
        ids = {one.id for one in theirs.values() if one is not None}
        lacking = [one for one in self._known.values() if one.id not in ids]
        useless = [v for v, one in theirs.items() if one is None or one.id not in self._known]
        if await self._tell(tier, lacking) and useless:
            await tier.drop_purges(useless)

    async def _tell(self, tier: Tier, purges: Sequence[Purge]) -> bool:
        told = [await tier.add_purge(one.value, one.until) for one in purges]
        return all(told)

    def _learn(self, purges: Sequence[Purge]) -> None:
        """Takes up what is new, and tells the followers; what is over or stood for goes."""
        now = self._clock().wall
        for one in purges:
            known = self._known
            if one.until <= now or one.id in known or any(one.id in o.over for o in known.values()):
                continue
            self._known = {id_: o for id_, o in known.items() if id_ not in one.over}
            self._known[one.id] = one
            for forget in self._followers:
                forget(one)
        self._known = {id_: o for id_, o in self._known.items() if o.until > now}
