"""Names from a store's own API, as queries see the store: its labels set, dropped, required."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from bridge.catalogue.answers import Lookup
from bridge.model.labels import Labels, Matcher
from bridge.model.time import Window
from bridge.storage.interface import Select
from bridge.storage.view import View

T = TypeVar("T")

Metadata = dict[str, list[dict[str, str]]]
MatcherSets = Sequence[Sequence[Matcher]]


class NamesApi(Protocol):
    """A Prometheus-compatible API of a store; raises what reads of the store raise."""

    async def verified(self, now: int) -> bool:
        """Whether its names can be trusted."""

    async def series(self, sets: MatcherSets, window: Window) -> list[Labels]:
        """The label sets that match any of the sets; all if there is none."""

    async def labels(self, sets: MatcherSets, window: Window) -> list[str]:
        """The label names of the series that match."""

    async def values(self, name: str, sets: MatcherSets, window: Window) -> list[str]:
        """A label's values of the series that match."""

    async def metadata(self) -> Metadata:
        """What is said of each metric: type, unit and help."""


@dataclass(frozen=True, slots=True)
class PassedNames:
    """A store's API seen through the store's view; `now` is the clock in ms."""

    api: NamesApi
    view: View
    now: Callable[[], int]

    async def usable(self) -> bool:
        """Whether the API passed its test."""
        return await self.api.verified(self.now())

    async def series(self, lookup: Lookup) -> list[Labels]:
        """The label sets that match, in label order."""
        found = set(map(self.view.relabelled, await self._asked(lookup, self.api.series)))
        return sorted(filter(self.view.shows, found))

    async def names(self, lookup: Lookup) -> list[str]:
        """The label names of the series that match, sorted."""
        found = set(await self._asked(lookup, self.api.labels))
        fixed = self.view.fixed
        set_here = {name for name, value in fixed.items() if value} if found else set()
        return sorted((found - fixed.keys()) | set_here)

    async def values(self, name: str, lookup: Lookup) -> list[str]:
        """A label's values of the series that match, sorted."""
        fixed = self.view.fixed
        if name in fixed:
            some = fixed[name] and await self._asked(lookup, self.api.labels)
            return [fixed[name]] if some else []
        found = await self._asked(lookup, lambda *asked: self.api.values(name, *asked))
        return sorted(set(found))

    async def metadata_of(self, told: Metadata) -> list[tuple[str, list[dict[str, str]]]]:
        """What is said of each metric; of those it says nothing of, what was told before.

        It cannot be asked for those of some series only: through a view that hides some, nothing is
        said of metrics that were not told of.
        """
        said = {name: held for name, held in (await self.api.metadata()).items() if held}
        if self.view.enforced:
            said = {name: held for name, held in said.items() if name in told}
        found = told | said
        return sorted(found.items())

    async def _asked(
        self, lookup: Lookup, ask: Callable[[MatcherSets, Window], Awaitable[list[T]]]
    ) -> list[T]:
        """What the API says of the parts of a lookup that concern the store."""
        window = self.view.within(lookup.window)
        asked = lookup.matcher_sets or (self.view.required,)
        selects = (Select(tuple(one), window.start, window.end) for one in asked)
        sets = [self.view.sent(one) for one in selects if self.view.concerns(one)]
        if not sets:
            return []
        # A set that lets all series pass makes the others idle.
        return await ask(sets if all(sets) else (), window)
