"""Each store by itself below `/stores/NAME`, so that one prombridge serves several data sources."""

from collections.abc import Mapping
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from bridge.api.endpoint import failed
from bridge.api.errors import ErrorType, Failure
from bridge.model.labels import quoted

PREFIX: Final = "/stores"


class Stores:
    """An ASGI application that passes requests on to that of a store.

    A name may hold slashes, as URLs do; of names that fit, the longest counts.
    """

    def __init__(self, apps: Mapping[str, ASGIApp]) -> None:
        self._apps = sorted(apps.items(), key=lambda pair: -len(pair[0]))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on."""
        root: str = scope.get("root_path", "")
        rest: str = scope["path"].removeprefix(root)
        for name, app in self._apps:
            if f"{rest}/".startswith(f"/{name}/"):
                # As Starlette does it: what an endpoint leaves in the scope is the request's.
                scope["root_path"] = f"{root}/{name}"
                await app(scope, receive, send)
                return
        names = ", ".join(quoted(name) for name, _ in sorted(self._apps))
        before, _, behind = rest.removeprefix("/").rpartition("/api/v1/")
        text = f"no such store: {quoted(before or behind)}; known are {names}"
        await failed(Failure(ErrorType.NOT_FOUND, 404, text))(scope, receive, send)
