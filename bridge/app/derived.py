"""Realms for headers that clients send: one for each set of values, while there is room."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final
from weakref import WeakKeyDictionary

from starlette.types import ASGIApp

from bridge.api.forwarding import Values
from bridge.app.marks import mark
from bridge.app.realm import Realm
from bridge.model.errors import Overloaded
from bridge.telemetry.forwarding import ForwardingMetrics

_RETRY_SECONDS: Final = 5


@dataclass(slots=True, eq=False)
class Derived:
    """A realm of some values; `users` answer requests by it, `apps` are what they made of it.

    `learned` are the bytes of its names as they were last counted.
    """

    realm: Realm
    users: int = 0
    learned: int = 0
    apps: WeakKeyDictionary[object, ASGIApp] = field(default_factory=WeakKeyDictionary)


class DerivedRealms:
    """The realms of one tenant for values that its requests bear, beside the `base` for none.

    At most `most` at a time, and only as many as have room for their names in `learned_bytes`:
    those that were not used for longest go first, but none that answers a request.
    """

    def __init__(
        self, base: Realm, most: int, learned_bytes: int, metrics: ForwardingMetrics
    ) -> None:
        self._base = base
        self._most = most
        self._learned_bytes = learned_bytes
        self._metrics = metrics
        self._held: OrderedDict[str, Derived] = OrderedDict()
        self._closing: set[asyncio.Task[None]] = set()
        self._learned = 0

    def __len__(self) -> int:
        return len(self._held)

    def realms(self) -> Iterator[Realm]:
        """Those that there are."""
        return (one.realm for one in tuple(self._held.values()))

    @contextmanager
    def at(self, values: Values) -> Iterator[Derived]:
        """The realm of these values, which stays at least as long; raises Overloaded."""
        key = mark(values)
        held = self._held.get(key)
        if held is None:
            held = self._made(key, values)
        self._held.move_to_end(key)
        held.users += 1
        try:
            yield held
        finally:
            held.users -= 1
            self._count(held)
            while len(self._held) > 1 and self._learned > self._learned_bytes and self._evicted():
                pass

    async def aclose(self) -> None:
        """Closes all of them."""
        for key in tuple(self._held):
            self._let_go(key)
        await asyncio.gather(*self._closing, return_exceptions=True)

    def _made(self, key: str, values: Values) -> Derived:
        while len(self._held) >= self._most:
            if not self._evicted():
                self._metrics.refused(self._base.tenant.name)
                raise Overloaded(
                    "requests with other values of headers that are sent on to stores are being"
                    f" answered, as many as forwarding.max_sets ({self._most}) allows",
                    _RETRY_SECONDS,
                )
        self._metrics.made(self._base.tenant.name)
        made = self._held[key] = Derived(self._base.sending(values))
        return made

    def _count(self, held: Derived) -> None:
        """Counts what a realm has learned."""
        self._learned -= held.learned
        held.learned = held.realm.learned_bytes
        self._learned += held.learned

    def _evicted(self) -> bool:
        """Lets go of what was not used for longest; False if all is in use."""
        idle = next((key for key, one in self._held.items() if not one.users), None)
        if idle is None:
            return False
        self._let_go(idle)
        return True

    def _let_go(self, key: str) -> None:
        gone = self._held.pop(key)
        self._learned -= gone.learned
        task = asyncio.create_task(gone.realm.aclose())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


class DerivedApps:
    """The applications of such realms, each made by `make` when it is wanted first."""

    def __init__(self, realms: DerivedRealms, make: Callable[[Realm], ASGIApp]) -> None:
        self._realms = realms
        self._make = make

    @contextmanager
    def at(self, values: Values) -> Iterator[ASGIApp]:
        """The application of these values, whose realm stays as long; raises Overloaded."""
        with self._realms.at(values) as held:
            app = held.apps.get(self)
            if app is None:
                app = held.apps[self] = self._make(held.realm)
            yield app
