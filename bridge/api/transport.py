"""What every HTTP answer has in common: CORS, sniffing, caches in between."""

from urllib.parse import unquote_to_bytes

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bridge.api.endpoint import failed
from bridge.api.errors import ErrorType, Failure
from bridge.api.form import broken_escape
from bridge.api.headers import RawHeaders, adding, raw_headers
from bridge.model.labels import Matcher, MatchType

_ALLOWED_HEADERS = "Accept, Authorization, Content-Type, Origin"
_ALLOWED_METHODS = "GET, POST, OPTIONS"
_ALWAYS = raw_headers((("X-Content-Type-Options", "nosniff"), ("Vary", "Origin, Accept-Encoding")))


class Transport:
    """An ASGI application around another that adds headers and answers OPTIONS requests.

    `cors_origin` is a regular expression for a whole Origin. Source of the CORS rules:
    util/httputil/cors.go of Prometheus.
    """

    def __init__(self, app: ASGIApp, cors_origin: str) -> None:
        self._app = app
        self._any_origin = cors_origin == ".*"
        self._origin = Matcher.checked("Origin", MatchType.REGEXP, cors_origin)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        origin = next((value for name, value in scope["headers"] if name == b"origin"), None)
        headers = _ALWAYS if origin is None else [*_ALWAYS, *self._cors(origin.decode("latin-1"))]
        await self._chosen(scope)(scope, receive, adding(headers, send))

    def _chosen(self, scope: Scope) -> ASGIApp:
        """Who answers this request."""
        if scope["method"] == "OPTIONS":
            return Response(status_code=204)
        raw_path = scope.get("raw_path") or b""
        if b"%" in raw_path:
            if problem := broken_escape(raw_path):
                return failed(Failure(ErrorType.BAD_DATA, 400, f"the path has an {problem}"))
            # Servers put replacement characters in; broken bytes must stay recognisable.
            scope["path"] = unquote_to_bytes(raw_path).decode("utf-8", "surrogateescape")
        return self._app

    def _cors(self, origin: str) -> RawHeaders:
        headers = {
            "Access-Control-Allow-Headers": _ALLOWED_HEADERS,
            "Access-Control-Allow-Methods": _ALLOWED_METHODS,
            "Access-Control-Expose-Headers": "Date",
        }
        if self._any_origin:
            headers["Access-Control-Allow-Origin"] = "*"
        elif self._origin.matches(origin):
            headers["Access-Control-Allow-Origin"] = origin
        return raw_headers(headers.items())
