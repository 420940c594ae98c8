"""Headers of a request that are sent on to stores: their values, and who answers for these."""

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from bridge.api.origin import USER
from bridge.api.tenancy import REFUSAL
from bridge.model.errors import BadData, BridgeError
from bridge.model.secret import Secret

# What a client proves itself by, in small letters.
CREDENTIALS: Final = frozenset({"authorization", "cookie"})
# Only below these is anything read of a store.
_READING: Final = ("/api/", "/federate", "/stores/")
_PRINTABLE: Final = frozenset(range(0x20, 0x7F)) | {0x09}
# What stands between several headers of one name, as one.
_BETWEEN: Final = {"cookie": "; "}

# Names of headers in small letters, sorted, and their values.
Values = tuple[tuple[str, Secret], ...]


@dataclass(frozen=True, slots=True)
class ForwardingSettings:
    """Bounds of what is sent on.

    `max_sets`: what stores answer is kept apart for so many different sets of values of each
    tenant; those used last stay. `max_value_bytes`: how long a header's value may be.
    """

    max_sets: int = 100
    max_value_bytes: int = 8 << 10


class Forwarding:
    """An ASGI application that passes each request on to that of the values that it bears.

    `names`, in small letters, are those of the headers that are sent on. A request with none of
    them is `plain`'s. `at` gives the application of a set of values for as long as a request is
    answered, or raises BridgeError. `anyone` tells of the REFUSAL in the scope.
    """

    def __init__(
        self,
        settings: ForwardingSettings,
        names: Collection[str],
        prefix: str,
        plain: ASGIApp,
        at: Callable[[Values], AbstractContextManager[ASGIApp]],
        anyone: ASGIApp,
    ) -> None:
        self._settings = settings
        self._names = frozenset(name.encode() for name in names)
        self._reading = tuple(f"{prefix}{path}" for path in _READING)
        self._plain = plain
        self._at = at
        self._anyone = anyone

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        app = self._plain
        with ExitStack() as pinned:
            if scope["type"] == "http" and scope["path"].startswith(self._reading):
                try:
                    if values := values_of(scope, self._names, self._settings.max_value_bytes):
                        app = pinned.enter_context(self._at(values))
                except BridgeError as refusal:
                    scope[REFUSAL], app = refusal, self._anyone
            await app(scope, receive, send)


def values_of(scope: Scope, names: Collection[bytes], max_value_bytes: int) -> Values:
    """What a request's headers of these names say, several of one name joined; raises BadData.

    An empty one counts as absent, and so do those by which a client has proved to prombridge who
    it is: these are nobody else's.
    """
    found: dict[str, list[bytes]] = {}
    for raw, value in scope["headers"]:
        if raw in names and value.strip():
            found.setdefault(raw.decode("latin-1"), []).append(value.strip())
    if USER in scope:
        found = {name: held for name, held in found.items() if name not in CREDENTIALS}
    if found:
        _refuse_connections(scope, found)
    return tuple((name, _joined(name, found[name], max_value_bytes)) for name in sorted(found))


def _refuse_connections(scope: Scope, found: Collection[str]) -> None:
    """Refuses what is said to be for prombridge alone: dropped, a store would take it for absent.

    RFC 9110, section 7.6.1: what Connection names goes no further.
    """
    for raw, value in scope["headers"]:
        if raw == b"connection":
            for name in value.decode("latin-1").lower().split(","):
                if name.strip() in found:
                    text = f"the header Connection names {name.strip()}, which is sent on to stores"
                    raise BadData(text)


def _joined(name: str, values: list[bytes], max_value_bytes: int) -> Secret:
    if len(values) > 1 and name == "authorization":
        raise BadData("the header authorization is there twice, and it is sent on to stores")
    for value in values:
        if not _PRINTABLE.issuperset(value):
            text = f"the header {name} is sent on to stores, and not all of it is printable ASCII"
            raise BadData(text)
    made = _BETWEEN.get(name, ", ").join(value.decode("ascii") for value in values)
    if len(made) > max_value_bytes:
        raise BadData(
            f"the header {name} is sent on to stores, and longer than forwarding.max_value_bytes"
            f" ({max_value_bytes}) allows: {len(made)} bytes"
        )
    return Secret(made)
