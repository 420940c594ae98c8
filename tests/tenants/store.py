"""A store with remote read and a Prometheus HTTP API, which answers by the matchers it is sent.

It notes which reads and queries of a tenant ask for more than that tenant's series. Another one has
tenants itself, as Mimir does: a header says whose data it answers with.
"""

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from bridge.api.encode import encoded
from bridge.engine.engine import Engine
from bridge.engine.query import EngineSettings, QueryOptions
from bridge.model.errors import BridgeError
from bridge.model.labels import METRIC_NAME, Labels, Matcher, MatchType, matches_all
from bridge.model.time import Steps
from bridge.promql.ast import Expr, VectorSelector, children
from bridge.promql.selectors import parse_selector
from bridge.remote.server import read_app
from bridge.storage.interface import Purpose, ReadOptions, Select, Selection
from bridge.storage.memory import MemoryStore
from tests.servers.serving import served
from tests.tenants.requests import MARK, TEAM

# The header in which a tenant's reads say whose they are.
ASKER: Final = "X-Asker"
_ASKER: Final[ContextVar[str]] = ContextVar("asker", default="")
_EVER: Final = (-(1 << 53), 1 << 53)
_FEATURES: Final = frozenset({"promql-experimental-functions"})


@dataclass(slots=True)
class FarStore:
    """Where the store is, what it was asked that no tenant may ask, and which paths by whom."""

    url: str = ""
    unnarrowed: list[str] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def note(self, matchers: Iterable[Matcher]) -> None:
        """One selector, asked by whoever asks now."""
        held, asker = tuple(matchers), _ASKER.get()
        if asker and Matcher(TEAM, MatchType.EQUAL, asker) not in held:
            self.unnarrowed.append(f"{asker}: {', '.join(map(str, held))}")


@dataclass(frozen=True, slots=True)
class _Noting:
    """The data, for remote read."""

    inner: MemoryStore
    far: FarStore

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        self.far.note(select.matchers)
        return await self.inner.select(select, options)


@contextlib.contextmanager
def serving(data: MemoryStore) -> Iterator[FarStore]:
    """The store, on a real socket."""
    far = FarStore()
    with _answering(data, far, MARK) as app, served(_told(app)) as far.url:
        yield far


@contextlib.contextmanager
def serving_each(data: Mapping[str, MemoryStore], header: str) -> Iterator[FarStore]:
    """A store where this header says whose data a request is about; without it there is nothing.

    Each has a secret of its own that only his rules and alerts hold.
    """
    far = FarStore()
    with contextlib.ExitStack() as stack:
        apps = {
            name.encode(): stack.enter_context(_answering(held, far, f"{name}'s own"))
            for name, held in data.items()
        }

        async def chosen(scope: Scope, receive: Receive, send: Send) -> None:
            said = dict(scope.get("headers", ())).get(header.lower().encode(), b"")
            far.asked.append((scope["path"], said.decode()))
            nobody = Response("no org id", 401)
            await apps.get(said, nobody)(scope, receive, send)

        with served(chosen) as far.url:
            yield far


@contextlib.contextmanager
def _answering(data: MemoryStore, far: FarStore, secret: str) -> Iterator[ASGIApp]:
    """What answers with this data."""
    with ThreadPoolExecutor(2) as workers:
        engine = Engine(data, EngineSettings(features=_FEATURES), workers)
        pages = _Pages(data, far, engine, secret)
        paths: Mapping[str, Any] = {
            "query": pages.evaluated,
            "query_range": pages.evaluated,
            "query_exemplars": pages.exemplars,
            "series": pages.series,
            "labels": pages.labels,
            "label/{name}/values": pages.values,
            "metadata": pages.metadata,
            "rules": pages.rules,
            "alerts": pages.alerts,
        }
        methods = ["GET", "POST"]
        routes = [Route(f"/api/v1/{path}", page, methods=methods) for path, page in paths.items()]
        app = Starlette(routes=routes)
        app.mount("/", read_app(_Noting(data, far)))
        yield app
        engine.close()


def _told(app: ASGIApp) -> ASGIApp:
    """The application, which knows who asks."""

    async def asked(scope: Scope, receive: Receive, send: Send) -> None:
        token = _ASKER.set(dict(scope["headers"]).get(ASKER.lower().encode(), b"").decode())
        try:
            await app(scope, receive, send)
        finally:
            _ASKER.reset(token)

    return asked


@dataclass(frozen=True, slots=True)
class _Pages:
    """The paths of the API."""

    data: MemoryStore
    far: FarStore
    engine: Engine
    secret: str

    async def evaluated(self, request: Request) -> Response:
        """A query, instant or over a range."""
        form = dict(await _form(request))
        if "time" in form:
            steps = Steps.at(_ms(form["time"]))
        else:
            steps = Steps(_ms(form["start"]), _ms(form["end"]), _ms(form["step"]))
        options = QueryOptions(lookback=_ms(form["lookback_delta"]))
        try:
            for selector in _selectors(self.engine.parse(form["query"])):
                self.far.note(selector.matchers)
            result = await self.engine.query(form["query"], steps, options)
        except BridgeError as error:
            failure = {"status": "error", "errorType": "execution", "error": str(error)}
            return _json(failure, 422)
        return _json({"status": "success", "data": json.loads(await encoded(result))})

    async def exemplars(self, request: Request) -> Response:
        """Those of all series that a selector of the query fits; all bear a secret."""
        found = []
        for selector in _selectors(self.engine.parse(dict(await _form(request))["query"])):
            self.far.note(selector.matchers)
            for labels in await self._series([selector.matchers]):
                secret = {"trace_id": f"{labels.get(TEAM)}{_mark(labels)}"}
                one = {"labels": secret, "value": "1", "timestamp": 1}
                found.append({"seriesLabels": dict(labels.pairs), "exemplars": [one]})
        return _success(found)

    async def series(self, request: Request) -> Response:
        """Label sets."""
        return _success([dict(one.pairs) for one in await self._matching(request)])

    async def labels(self, request: Request) -> Response:
        """Names of labels."""
        found = await self._matching(request)
        return _success(sorted({name for one in found for name, _ in one.pairs}))

    async def values(self, request: Request) -> Response:
        """A label's values."""
        found = {one.get(request.path_params["name"]) for one in await self._matching(request)}
        return _success(sorted(found - {""}))

    async def metadata(self, _request: Request) -> Response:
        """What is said of each metric; of those that only the hidden tenant has, secrets."""
        names = sorted({one.get(METRIC_NAME) for one in await self._series([()])})
        entry = {"type": "gauge", "unit": ""}
        return _success({name: [{**entry, "help": f"what {name} is"}] for name in names})

    async def rules(self, _request: Request) -> Response:
        """Rules whose labels say nothing of what they read."""
        alert = {"type": "alerting", "name": self.secret, "query": "up", "labels": {TEAM: "alpha"}}
        return _success({"groups": [{"name": "all", "file": self.secret, "rules": [alert]}]})

    async def alerts(self, _request: Request) -> Response:
        """One that fires."""
        alert = {"labels": {TEAM: "alpha"}, "annotations": {"text": self.secret}, "state": "firing"}
        return _success({"alerts": [alert]})

    async def _matching(self, request: Request) -> list[Labels]:
        asked = [parse_selector(text) for name, text in await _form(request) if name == "match[]"]
        return await self._series(asked or [()])

    async def _series(self, sets: Sequence[Sequence[Matcher]]) -> list[Labels]:
        """The label sets that fit any of the sets."""
        everything = Select((), *_EVER, Purpose.SERIES)
        held = (await self.data.select(everything, ReadOptions())).block.labels.rows
        return [one for one in held if any(matches_all(matchers, one) for matchers in sets)]


async def _form(request: Request) -> list[tuple[str, str]]:
    text = f"{request.url.query}&{(await request.body()).decode()}"
    return parse_qsl(text, keep_blank_values=True)


def _selectors(expr: Expr) -> Iterator[VectorSelector]:
    if isinstance(expr, VectorSelector):
        yield expr
    for child in children(expr):
        yield from _selectors(child)


def _mark(labels: Labels) -> str:
    return f"_{MARK}" if labels.get(TEAM) == "beta" else ""


def _ms(text: str) -> int:
    return round(float(text) * 1000)


def _success(data: object) -> Response:
    return _json({"status": "success", "data": data})


def _json(body: object, status: int = 200) -> Response:
    return Response(json.dumps(body), status, media_type="application/json")
