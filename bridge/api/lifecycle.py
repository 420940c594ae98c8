"""Reloading and ending the process over HTTP, in the words of Prometheus.

Source: web/web.go of Prometheus.
"""

from dataclasses import dataclass, field
from typing import Final, Protocol

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bridge.api.notices import Notices
from bridge.model.errors import BridgeError

_CHANGING: Final = frozenset({"POST", "PUT"})


class CannotReload(BridgeError):
    """A configuration that could not be read or used; the text says why."""


class Lifecycle(Protocol):
    """The process as a client may see and change it; `loaded_at` is Unix ms.

    `stopping`: it is about to end. `load_succeeded`: the last reload did. `notices`: what an
    operator should know.
    """

    stopping: bool
    loaded_at: int
    load_succeeded: bool
    notices: Notices

    async def reload(self) -> None:
        """Reads the configuration anew; raises CannotReload."""

    def quit(self) -> None:
        """Asks the process to end."""


@dataclass(slots=True)
class Steady:
    """A process that nobody reloads."""

    stopping: bool = False
    loaded_at: int = 0
    load_succeeded: bool = True
    notices: Notices = field(default_factory=Notices)

    async def reload(self) -> None:
        """Nothing changes."""

    def quit(self) -> None:
        """Nothing ends."""


class LifecyclePages:
    """`/-/reload` and `/-/quit`; `enabled` by `--web.enable-lifecycle`."""

    def __init__(self, lifecycle: Lifecycle, *, enabled: bool) -> None:
        self._lifecycle = lifecycle
        self._enabled = enabled

    async def reload(self, request: Request) -> Response:
        """Reads the configuration anew."""
        if refusal := self._refusal(request):
            return refusal
        try:
            await self._lifecycle.reload()
        except CannotReload as error:
            return PlainTextResponse(f"failed to reload config: {error}\n", 500)
        return Response()

    async def quit(self, request: Request) -> Response:
        """Ends the process."""
        if refusal := self._refusal(request):
            return refusal
        self._lifecycle.quit()
        return PlainTextResponse("Requesting termination... Goodbye!")

    def _refusal(self, request: Request) -> Response | None:
        if request.method not in _CHANGING:
            return PlainTextResponse("Only POST or PUT requests allowed", 405)
        if not self._enabled:
            return PlainTextResponse("Lifecycle API is not enabled.", 403)
        return None
