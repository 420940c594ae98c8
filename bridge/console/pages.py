"""Which paths show the console, and under which headers its files go out."""

import gzip
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import PurePath
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

# One document shows them all; its script looks at the path. `graph`, `tsdb-status` and `flags` are
# Prometheus' names of the same pages. Each lies directly below the prefix, so that the document's
# relative addresses hold for all of them, whatever stands in front of the bridge.
PAGES: Final = (
    "/",
    "/query",
    "/graph",
    "/stores",
    "/cache",
    "/catalogue",
    "/tsdb-status",
    "/config",
    "/status",
    "/flags",
)
_ASSETS: Final = ("console.js", "console.css", "icon.svg", "licenses.txt")
_TYPES: Final = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".html": "text/html; charset=utf-8",
}
# The page loads nothing but its own files and asks nobody but the bridge.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
SECURITY_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_ALWAYS_ASK: Final = "no-cache"
_FOREVER: Final = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of the console, as it is and compressed; `digest` is of its content."""

    name: str
    body: bytes
    packed: bytes
    digest: str

    @property
    def address(self) -> str:
        """Where it lies, relative to the pages: another content has another address."""
        stem = PurePath(self.name)
        return f"assets/{stem.stem}.{self.digest}{stem.suffix}"


def routes() -> list[BaseRoute]:
    """The pages and the files they are made of."""
    assets = [_asset(name, _read(name)) for name in _ASSETS]
    document = _asset("index.html", _addressed(_read("index.html"), assets))
    return [
        *(_route(path, document, _ALWAYS_ASK) for path in PAGES),
        *(_route(f"/{asset.address}", asset, _FOREVER) for asset in assets),
    ]


def _read(name: str) -> bytes:
    return (files("bridge.console") / "static" / name).read_bytes()


def _asset(name: str, body: bytes) -> Asset:
    digest = hashlib.sha256(body).hexdigest()[:16]
    return Asset(name, body, gzip.compress(body, 9, mtime=0), digest)


def _addressed(document: bytes, assets: list[Asset]) -> bytes:
    """The document with each file's name replaced by its address."""
    for asset in assets:
        document = document.replace(b'"%s"' % asset.name.encode(), b'"%s"' % asset.address.encode())
    return document


def _route(path: str, asset: Asset, caching: str) -> Route:
    tag = f'"{asset.digest}"'
    headers = {
        **SECURITY_HEADERS,
        "Cache-Control": caching,
        "Content-Type": _TYPES[PurePath(asset.name).suffix],
        "ETag": tag,
        "Vary": "Accept-Encoding",
    }

    async def page(request: Request) -> Response:
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if _takes_gzip(request.headers):
            return Response(asset.packed, headers={**headers, "Content-Encoding": "gzip"})
        return Response(asset.body, headers=headers)

    return Route(path, page, methods=["GET"])


def _takes_gzip(headers: Mapping[str, str]) -> bool:
    choices = headers.get("accept-encoding", "").lower().replace(" ", "").split(",")
    return any(re.fullmatch(r"gzip(;q=(?!0(\.0*)?$).*)?", choice) for choice in choices)
