"""The catalogues of several stores as one."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from bridge.catalogue.answers import Found, Lookup, Origin
from bridge.catalogue.cardinality import Cardinality, cardinality
from bridge.catalogue.catalogue import Catalogue
from bridge.catalogue.passed import Metadata
from bridge.model.errors import BridgeError
from bridge.model.labels import Labels
from bridge.storage.fanout import FAILURES, PartialResponse, lacking

T = TypeVar("T", str, Labels)


class Names(Protocol):
    """What the API asks about names, values and series."""

    async def series(self, lookup: Lookup) -> Found[Labels]:
        """The label sets that match, in label order."""

    async def names(self, lookup: Lookup) -> Found[str]:
        """The label names of the series that match, sorted."""

    async def values(self, name: str, lookup: Lookup) -> Found[str]:
        """A label's values of the series that match, sorted."""

    def types(self) -> list[tuple[str, str]]:
        """Each metric family and its type, as far as names tell; sorted."""

    async def metadata(self) -> Metadata:
        """What is known of each metric: type, unit and help, once for each that differs."""

    def cardinality(self, limit: int) -> Cardinality:
        """The counts of everything that is known, `limit` of each kind."""

    async def settled(self) -> None:
        """Waits until everything that was read is taken up."""


@dataclass(frozen=True, slots=True)
class JointCatalogue:
    """All stores' names: each catalogue, and what its store's failure means."""

    parts: tuple[tuple[Catalogue, PartialResponse], ...]

    async def series(self, lookup: Lookup) -> Found[Labels]:
        """The label sets that match, in label order."""
        return await self._joined(lambda one: one.series(lookup))

    async def names(self, lookup: Lookup) -> Found[str]:
        """The label names of the series that match, sorted."""
        return await self._joined(lambda one: one.names(lookup))

    async def values(self, name: str, lookup: Lookup) -> Found[str]:
        """A label's values of the series that match, sorted."""
        return await self._joined(lambda one: one.values(name, lookup))

    def types(self) -> list[tuple[str, str]]:
        """Each metric family and its type, as far as names tell; of several stores' the first's."""
        found: dict[str, str] = {}
        for one, _ in self.parts:
            found = dict(one.types()) | found
        return sorted(found.items())

    async def metadata(self) -> Metadata:
        """What is known of each metric in any store."""
        found: Metadata = {}
        for held in await asyncio.gather(*(one.metadata() for one, _ in self.parts)):
            for name, entries in held.items():
                known = found.setdefault(name, [])
                known += [entry for entry in entries if entry not in known]
        return dict(sorted(found.items()))

    def cardinality(self, limit: int) -> Cardinality:
        """The counts of everything that is known; a series counts once for each of its stores."""
        return cardinality([one.learned for one, _ in self.parts], limit)

    async def settled(self) -> None:
        """Waits until everything that was read is taken up."""
        await asyncio.gather(*(one.settled() for one, _ in self.parts))

    async def _joined(self, ask: Callable[[Catalogue], Coroutine[Any, Any, Found[T]]]) -> Found[T]:
        if len(self.parts) == 1 and self.parts[0][1] is PartialResponse.FAIL:
            return await ask(self.parts[0][0])
        answers = await asyncio.gather(*(ask(one) for one, _ in self.parts), return_exceptions=True)
        found: list[Found[T]] = []
        failures: list[tuple[BridgeError, PartialResponse]] = []
        for answer, (_, partial) in zip(answers, self.parts, strict=True):
            match answer:
                case Found():
                    found.append(answer)
                case BridgeError() if isinstance(answer, FAILURES):
                    failures.append((answer, partial))
                case BaseException():
                    raise answer
        return _one(found, failures)


def _one(
    found: Sequence[Found[T]], failures: Sequence[tuple[BridgeError, PartialResponse]]
) -> Found[T]:
    """One answer; raises a failure that counts if nothing is known at all."""
    items: set[T] = {item for one in found for item in one.items}
    grave = [error for error, partial in failures if partial is PartialResponse.FAIL]
    if grave and not items:
        raise grave[0]
    origins = {one.origin for one in found}
    same = not failures and len(origins) == 1
    texts = [text for one in found for text in one.warnings]
    texts += [lacking(error) for error, _ in failures]
    return Found(
        sorted(items),
        origins.pop() if same else Origin.CATALOGUE,
        not failures and all(one.complete for one in found),
        tuple(dict.fromkeys(texts)),
    )
