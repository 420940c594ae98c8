"""What the engine and the API ask of samples, whoever holds them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, Protocol, runtime_checkable

from bridge.model.arrays import Int64s
from bridge.model.labels import Labels, Matcher
from bridge.model.samples import EMPTY_BLOCK, SeriesBlock
from bridge.model.time import Steps, Window
from bridge.storage.warranty import Undivided, Warranties, Warranty


class Purpose(StrEnum):
    """Whether samples are wanted, or only which series there are."""

    SAMPLES = "samples"
    SERIES = "series"


@dataclass(frozen=True, slots=True)
class Select:
    """A read: every series that satisfies all `matchers`, from `start` to `end`.

    Times are ms, both inclusive. For `Purpose.SERIES` a block may come without samples; its labels
    may be a superset of the series with samples in the range.
    """

    matchers: tuple[Matcher, ...]
    start: int
    end: int
    purpose: Purpose = Purpose.SAMPLES


class Watcher(Protocol):
    """Whoever hears what a read has brought; in any thread."""

    def saw(self, labels: Sequence[Labels], offsets: Int64s, timestamps: Int64s) -> None:
        """Series that came, in any order: row r has the times offsets[r] to offsets[r+1], ms."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How a read may be answered.

    `nocache`: neither from memory nor into it. `fresh`: nothing that the store may have changed
    since. `max_samples`: a read that would hold more fails with TooManySamples (0: no limit).
    `max_bytes`: the same for bytes held, `max_series` for series, `max_read_bytes` for bytes that
    come over the wire: then with LimitExceeded, as soon as so much has come. `watch` hears of the
    series that are certain to be in the answer while they arrive, and changes nothing of it.
    """

    nocache: bool = False
    fresh: bool = False
    max_samples: int = 0
    max_bytes: int = 0
    max_series: int = 0
    max_read_bytes: int = 0
    watch: Watcher | None = field(default=None, compare=False, repr=False)


class CacheUse(StrEnum):
    """How much of an answer was remembered: all, a part, nothing; or memory was not asked."""

    HIT = "hit"
    PARTIAL = "partial"
    MISS = "miss"
    BYPASS = "bypass"


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where samples come from: remembered `blocks`, `gaps` that were read of a store.

    `passed` are reads that went to a store past what is remembered. What would be answered again as
    it was, `warranties` tell; without any (None) nobody knows.
    """

    blocks: int = 0
    gaps: int = 0
    passed: int = 0
    warranties: Warranties | None = field(default=None, compare=False)

    @staticmethod
    def total(parts: "Iterable[Provenance]") -> "Provenance":
        """That of an answer made of these parts."""
        held = list(parts)
        if len(held) == 1:
            return held[0]
        vouched = [one.warranties for one in held if one.warranties is not None]
        whole = len(vouched) == len(held)
        return Provenance(
            sum(one.blocks for one in held),
            sum(one.gaps for one in held),
            sum(one.passed for one in held),
            tuple(one for some in vouched for one in some) if whole else None,
        )

    @property
    def complete(self) -> bool:
        """Whether there is what vouches for the whole answer."""
        return self.warranties is not None and all(one.complete for one in self.warranties)

    def undivided(self) -> "Provenance":
        """The same, but what vouches for the whole does so for no part of it."""
        if self.warranties is None:
            return self
        return replace(self, warranties=tuple(map(Undivided, self.warranties)))

    def unvouched(self) -> "Provenance":
        """The same, but nobody knows whether it would come from there again."""
        return replace(self, warranties=None)

    def vouched(self, *warranties: Warranty) -> "Provenance":
        """The same as far as these vouch for it as well."""
        if self.warranties is None:
            return self
        return replace(self, warranties=(*self.warranties, *warranties))

    @property
    def use(self) -> CacheUse | None:
        """The same in a word; None if nothing was read."""
        if self.blocks:
            return CacheUse.PARTIAL if self.gaps or self.passed else CacheUse.HIT
        if self.gaps:
            return CacheUse.MISS
        return CacheUse.BYPASS if self.passed else None


PASSED: Final = Provenance(passed=1)


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """A read's answer: complete, labels sorted and distinct, samples within the range asked.

    `warnings` are remarks for the client (a store left out because its settings allow it);
    `received_bytes` is what came over the wire for it; who remembers nothing has its answers
    `PASSED`. `clock`: what the store's own clock, ms, showed at least when it was asked; None if it
    did not say.
    """

    block: SeriesBlock
    warnings: tuple[str, ...] = ()
    received_bytes: int = 0
    stores: tuple[str, ...] = field(default=())
    provenance: Provenance = PASSED
    clock: int | None = None


# The answer of who was not asked.
NOTHING: Final = Selection(EMPTY_BLOCK, provenance=Provenance(warranties=()))


@dataclass(frozen=True, slots=True)
class Delegated:
    """A query's answer from a store: the JSON of Prometheus' `data`, and remarks."""

    data: bytes
    store: str
    warnings: tuple[str, ...] = ()
    infos: tuple[str, ...] = ()


class Delegate(Protocol):
    """A store that can evaluate queries itself."""

    async def evaluate(
        self, text: str, steps: Steps, lookback: int, limit: int, within: int
    ) -> Delegated:
        """The answer at these steps, of `limit` series, `within` a time; ms, 0: none set.

        Raises what reads raise.
        """


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a read would take of one store, and what of it is known beforehand; None is unknown.

    Of the window, `held` would come from memory, `gaps` would be read; gaps may be wider than what
    is asked for. `series` and `samples` are those of the answer, `read_samples` and `read_bytes`
    those that the store would send. `held_samples` are in memory; all else that is to be read is
    guessed by these, as if the store had as much at all times.
    """

    store: str
    held: tuple[Window, ...] = ()
    gaps: tuple[Window, ...] = ()
    series: int | None = None
    samples: int | None = None
    read_samples: int | None = None
    read_bytes: int | None = None
    held_samples: int = 0


@runtime_checkable
class Estimator(Protocol):
    """A Querier that can say beforehand what a read would take."""

    async def estimate(self, select: Select, options: ReadOptions) -> tuple[Estimate, ...]:
        """What each store would be asked for; asks none."""


class Querier(Protocol):
    """Something that holds samples: a store, several as one, or a cache before one."""

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        """The whole answer, or an error of bridge.model.errors; never a part as if whole.

        Cancelling the task cancels the work down to the socket.
        """


async def estimated(querier: Querier, select: Select, options: ReadOptions) -> tuple[Estimate, ...]:
    """What a Querier says of a read; of one that says nothing, that it would be asked for all."""
    if isinstance(querier, Estimator):
        return await querier.estimate(select, options)
    return (Estimate("", gaps=(Window(select.start, select.end),)),)
