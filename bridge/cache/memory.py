"""What is remembered in this process: blocks by selector, within a budget of bytes."""

import math
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from cachetools import LRUCache, TTLCache

from bridge.cache.blocks import Block
from bridge.cache.decodes import Decodes
from bridge.cache.intervals import common, without
from bridge.cache.keys import Condition, Key
from bridge.cache.names import Names
from bridge.cache.observed import CacheObserver, Gone, Unobserved
from bridge.cache.policy import Moment, Policy
from bridge.cache.settings import CacheSettings
from bridge.model.time import Window

Clock = Callable[[], Moment]

_MISSED: Final = 10_000
# The share of the budget for the names of selectors that hold no block of their own.
_RESTING: Final = 128
# The share of the budget for what is held decoded.
_DECODED: Final = 8
# Multiples of it, without what is before the point, are spread evenly, however many there are.
_GOLDEN: Final = (math.sqrt(5) - 1) / 2


class SystemClock:
    """Now, by the machine's clocks, of which the wall clock is not believed when set forward.

    By a clock that runs ahead of the stores, samples seem settled that are still arriving, and
    would be kept as they are. So the wall clock is what it was at the start and the time gone by
    since, or less. The steady clock goes on while the machine sleeps.
    """

    def __init__(
        self,
        wall: Callable[[], int] = time.time_ns,
        steady: Callable[[], int] = lambda: time.clock_gettime_ns(time.CLOCK_BOOTTIME),
    ) -> None:
        self._wall, self._steady = wall, steady
        self._most = wall() - steady()

    def __call__(self) -> Moment:
        """The moment, ms; two of them are as far apart by both clocks unless one was set."""
        steady = self._steady()
        lead = min(self._wall() - steady, self._most) // 1_000_000
        steady //= 1_000_000
        return Moment(steady + lead, steady)


system_clock: Final = SystemClock()


@dataclass(slots=True, eq=False, weakref_slot=True)
class Held:
    """What is remembered of one selector: blocks in order of time, disjoint.

    `uses`: how many are at work with it; `names_bytes`: what of its names was counted so far;
    `share`: a number from 0 to 1, which lies far from those of the selectors met just before.
    """

    key: Key
    policy: Policy
    share: float = 0.0
    names: Names = field(default_factory=Names)
    blocks: list[Block] = field(default_factory=list)
    uses: int = 0
    names_bytes: int = 0

    def overlapping(self, window: Window) -> list[Block]:
        """The blocks that share time with a window."""
        first = bisect_left(self.blocks, window.start, key=lambda block: block.window.end)
        stop = bisect_left(self.blocks, window.end + 1, key=lambda block: block.window.start)
        return self.blocks[first:stop]


class Memory:
    """The blocks of all selectors; the least recently used go when bytes run out.

    cachetools keeps the order of use and the sum of bytes. Its own time to live cannot serve: ours
    counts from a read's begin and may end for one half of a block before it does for the other.
    `samples_bytes` is what the samples themselves take. A selector that narrows another may hold no
    block; its names, which took a look at each series of the other, rest for a while.
    """

    def __init__(
        self,
        settings: CacheSettings,
        clock: Clock = system_clock,
        observer: CacheObserver | None = None,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.observer: CacheObserver = observer or Unobserved()
        self.samples_bytes = 0
        self.decodes = Decodes(settings.max_bytes // _DECODED, lambda: clock().steady)
        self._held: dict[Key, Held] = {}
        self._by_condition: dict[Condition | None, dict[Key, Held]] = {}
        self._used: LRUCache[Block, tuple[Held, int]] = LRUCache(math.inf, lambda one: one[1])
        self._names_bytes = 0
        self._met = 0
        self._resting: LRUCache[Key, Held] = LRUCache(
            settings.max_bytes // _RESTING, lambda one: one.names_bytes
        )
        self._missed: TTLCache[Key, bool] = TTLCache(
            _MISSED, settings.admission, timer=lambda: clock().steady
        )

    @property
    def blocks(self) -> int:
        """How many blocks are remembered."""
        return len(self._used)

    @property
    def nbytes(self) -> int:
        """Bytes of memory owned by all that is remembered."""
        owned = int(self._used.currsize + self._resting.currsize)
        return owned + self._names_bytes + self.decodes.nbytes

    def selectors(self) -> Iterator[Held]:
        """All selectors of which something is remembered."""
        return iter(tuple(self._held.values()))

    def resting(self) -> Iterator[Held]:
        """Selectors that hold no block, but whose names are known."""
        return iter(tuple(self._resting.values()))

    def begin(self, key: Key, policy: Policy) -> Held:
        """What is remembered of a selector, which stays at least until `end`.

        The policy of today counts, also for what was read under another one; what that other one
        took for settled or closed by rules of its own is forgotten.
        """
        held = self._held.get(key)
        if held is None:
            rested = key in self._resting
            held = self._resting.pop(key) if rested else self._new(key, policy)
            self._held[key] = held
            self._names_bytes += held.names_bytes
            self._by_condition.setdefault(key.condition, {})[key] = held
        held.uses += 1
        if policy is not held.policy and not policy.judges_like(held.policy):
            for block in tuple(held.blocks):
                self._drop(held, block, Gone.EXPIRED)
        held.policy = policy
        return held

    def _new(self, key: Key, policy: Policy) -> Held:
        self._met += 1
        return Held(key, policy, self._met * _GOLDEN % 1)

    def end(self, held: Held) -> None:
        """The counterpart of `begin`."""
        held.uses -= 1
        self._shrink(held)
        self._forget_if_empty(held)

    def wider(self, key: Key) -> list[Held]:
        """What is remembered of selectors that this one narrows."""
        found = (self._by_condition.get(one, {}).values() for one in key.conditions())
        return [held for some in found for held in some if held.key.wider(key)]

    def served(self, held: Held, window: Window, now: Moment, fresh: bool) -> list[
        tuple[Block, Window]
    ]:  # fmt: skip
        """The blocks that may answer a part of a window, and which; those of no more use go."""
        found, policy = [], held.policy
        for block in held.overlapping(window):
            usable = policy.servable(block, now, fresh=False)
            if usable is None:
                if not policy.settings.stale_if_error:
                    self._drop(held, block, Gone.EXPIRED)
                continue
            if fresh:
                usable = policy.servable(block, now, fresh=True)
            inside = usable and common(usable, window)
            if inside:
                self._used.get(block)
                found.append((block, inside))
        self._forget_if_empty(held)
        return found

    def serves(self, block: Block, window: Window, now: Moment) -> bool:
        """Whether a block is remembered and may answer a window; that counts as use."""
        used = self._used.get(block)
        return used is not None and used[0].policy.serves(block, window, now)

    def missed(self, key: Key) -> bool:
        """Notes that something had to be read; whether it had to before, lately."""
        again = key in self._missed
        self._missed[key] = True
        return again

    def keep(self, held: Held, blocks: Sequence[Block], again: bool) -> bool:
        """Remembers what was just read, in place of what is held of the same time.

        Returns whether there was room; see Policy.admits.
        """
        size = sum(block.nbytes for block in blocks)
        if not held.policy.admits(size, self.settings.max_bytes - self.nbytes, again):
            self.observer.blocks_refused()
            return False
        for block in blocks:
            self._take_out(held, block.window, Gone.REPLACED)
            self._insert(held, block)
        self._shrink(held)
        return True

    def replace(self, held: Held, old: Sequence[Block], new: Block) -> None:
        """Puts one block where several were, unless one of them has gone meanwhile."""
        if all(block in self._used for block in old):
            for block in old:
                self._remove(held, block)
                block.trace.lead_on(new.trace)
            self._insert(held, new)
            self._shrink(held)

    def purge(self, held: Held, window: Window) -> None:
        """Forgets a window of a selector."""
        self._take_out(held, window, Gone.PURGED)
        self._forget_if_empty(held)
        # A block split in two owns more than before.
        self._shrink(held)

    def evict(self) -> bool:
        """Forgets the block that was not used for longest; False if there is none."""
        if not self._used:
            return False
        block, (held, _) = self._used.popitem()
        self._taken(held, block)
        self.observer.block_gone(Gone.SPACE)
        self._forget_if_empty(held)
        return True

    def _take_out(self, held: Held, window: Window, why: Gone) -> None:
        for block in held.overlapping(window):
            self._drop(held, block, why)
            for rest in without(block.window, [window]):
                self._insert(held, block.within(rest))

    def _insert(self, held: Held, block: Block) -> None:
        at = bisect_left(held.blocks, block.window.start, key=lambda one: one.window.start)
        held.blocks.insert(at, block)
        self._used[block] = (held, block.nbytes)
        self.samples_bytes += block.data_bytes

    def _drop(self, held: Held, block: Block, why: Gone) -> None:
        self._remove(held, block)
        self.observer.block_gone(why)

    def _remove(self, held: Held, block: Block) -> None:
        del self._used[block]
        self._taken(held, block)

    def _taken(self, held: Held, block: Block) -> None:
        held.blocks.remove(block)
        self.samples_bytes -= block.data_bytes
        self.decodes.drop(block)

    def _shrink(self, held: Held) -> None:
        """Keeps to the budget after something was added to a selector."""
        if self._held.get(held.key) is held:
            self._names_bytes += held.names.nbytes - held.names_bytes
            held.names_bytes = held.names.nbytes
        while self.nbytes > self.settings.max_bytes and (self.decodes.shrink() or self.evict()):
            pass

    def _forget_if_empty(self, held: Held) -> None:
        if not held.blocks and not held.uses and self._held.get(held.key) is held:
            del self._held[held.key]
            alike = self._by_condition[held.key.condition]
            del alike[held.key]
            if not alike:
                del self._by_condition[held.key.condition]
            self._names_bytes -= held.names_bytes
            if 0 < held.names_bytes <= self._resting.maxsize:
                self._resting[held.key] = held
