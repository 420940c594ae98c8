"""The short way to an endpoint: one look into a table of paths."""

from collections.abc import Awaitable, Mapping

from starlette.types import ASGIApp, Receive, Scope, Send


class Direct:
    """An ASGI application that asks the endpoint of a path, or another application about the rest.

    `endpoints` are found by path and method: they let no error through, so that nobody has to
    stand around them. What is mounted below another path is the other's too.
    """

    def __init__(self, app: ASGIApp, endpoints: Mapping[tuple[str, str], ASGIApp]) -> None:
        self._app = app
        self._endpoints = endpoints

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answers one request."""
        app = self._app
        if scope["type"] == "http" and not scope.get("root_path"):
            app = self._endpoints.get((scope["path"], scope["method"]), app)
        return app(scope, receive, send)
