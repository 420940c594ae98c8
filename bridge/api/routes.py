"""The table of paths."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus
from pathlib import PurePosixPath
from typing import Final

from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.types import ASGIApp

from bridge.api import (
    budgets,
    cache,
    cost,
    empty,
    features,
    live,
    metadata,
    query,
    read,
    refused,
    search,
    selfmetrics,
    series,
    status,
)
from bridge.api.direct import Direct
from bridge.api.endpoint import Api, ApiRequest, Asks, Endpoint, Handler, failed
from bridge.api.envelope import Answer
from bridge.api.errors import ErrorType, Failure, failure_of
from bridge.api.federate import federate
from bridge.api.lifecycle import Lifecycle, LifecyclePages
from bridge.api.openapi import document
from bridge.api.read import Read
from bridge.api.settings import ApiSettings
from bridge.api.stores import PREFIX, Stores
from bridge.api.tenancy import REFUSAL
from bridge.api.transport import Transport

# Grafana's versions differ in which of the two they use for what; all that reads takes both.
_METHODS: Final = ("GET", "POST")
_ANY: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")


class _Text(PathConvertor):
    """Any text: a label's name may hold slashes and line breaks."""

    regex = "(?s:.*)"


register_url_convertor("text", _Text())

HANDLERS: Final[dict[str, Handler]] = {
    "/api/v1/query": query.instant,
    "/api/v1/query_range": query.ranged,
    "/api/v1/query_cost": cost.query_cost,
    "/api/v1/query_exemplars": empty.query_exemplars,
    "/api/v1/format_query": query.format_query,
    "/api/v1/parse_query": query.parse_query,
    "/api/v1/series": series.series,
    "/api/v1/labels": series.label_names,
    "/api/v1/label/{name:text}/values": series.label_values,
    "/api/v1/search/metric_names": search.metric_names,
    "/api/v1/search/label_names": search.label_names,
    "/api/v1/search/label_values": search.label_values,
    "/api/v1/metadata": metadata.metadata,
    "/api/v1/rules": empty.rules,
    "/api/v1/alerts": empty.alerts,
    "/api/v1/alertmanagers": empty.alertmanagers,
    "/api/v1/targets": empty.targets,
    "/api/v1/targets/metadata": empty.targets_metadata,
    "/api/v1/targets/relabel_steps": refused.relabel_steps,
    "/api/v1/scrape_pools": empty.scrape_pools,
    "/api/v1/scrape_pools/config": refused.scrape_pool_config,
    "/api/v1/notifications": status.notifications,
    "/api/v1/status/active_queries": status.active_queries,
    "/api/v1/features": features.features,
    "/api/v1/status/buildinfo": status.buildinfo,
    "/api/v1/status/budgets": budgets.status,
    "/api/v1/status/cache": cache.status,
    "/api/v1/status/config": status.config,
    "/api/v1/status/flags": status.flags,
    "/api/v1/status/runtimeinfo": status.runtimeinfo,
    "/api/v1/status/self_metrics": selfmetrics.self_metrics,
    "/api/v1/status/stores": status.stores,
    "/api/v1/status/tsdb": metadata.cardinalities,
    "/api/v1/status/tsdb/blocks": empty.blocks,
    "/api/v1/status/walreplay": empty.walreplay,
}

# What changes something: each with its methods, as Prometheus takes them for its admin API.
ADMIN: Final[dict[str, Handler]] = {"/-/cache/purge": cache.purge}
_ADMIN_METHODS: Final = ("POST", "PUT", "DELETE")
STORAGE: Final = tuple(
    f"/api/v1/admin/tsdb/{name}" for name in ("delete_series", "clean_tombstones", "snapshot")
)
RECEIVERS: Final[dict[str, Handler]] = {
    "/api/v1/write": refused.write,
    "/api/v1/otlp/v1/metrics": refused.otlp,
}
# What tells a tenant nothing but what it may see anyhow; all other paths are for operators.
FOR_TENANTS: Final = frozenset(
    {
        "/api/v1/query",
        "/api/v1/query_range",
        "/api/v1/query_cost",
        "/api/v1/query_exemplars",
        "/api/v1/format_query",
        "/api/v1/parse_query",
        "/api/v1/series",
        "/api/v1/labels",
        "/api/v1/label/{name:text}/values",
        "/api/v1/search/metric_names",
        "/api/v1/search/label_names",
        "/api/v1/search/label_values",
        "/api/v1/metadata",
        "/api/v1/rules",
        "/api/v1/alerts",
        "/api/v1/alertmanagers",
        "/api/v1/targets",
        "/api/v1/targets/metadata",
        "/api/v1/targets/relabel_steps",
        "/api/v1/scrape_pools",
        "/api/v1/scrape_pools/config",
        "/api/v1/notifications",
        "/api/v1/features",
        "/api/v1/status/buildinfo",
        "/api/v1/status/tsdb",
        "/api/v1/status/tsdb/blocks",
        "/api/v1/status/walreplay",
    }
)
# What a form asks the handlers whose answers may be given again.
QUESTIONS: Final[dict[Handler, Asks]] = {
    query.instant: query.instant_question,
    query.ranged: query.ranged_question,
}
FEDERATE: Final = "/federate"
OPENAPI: Final = "/api/v1/openapi.yaml"

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]


def application(
    api: Api,
    lifespan: Lifespan | None = None,
    stores: Mapping[str, Api] | None = None,
    console: Sequence[BaseRoute] = (),
) -> ASGIApp:
    """The HTTP side of the bridge as an ASGI application.

    `stores` has each store's own by name, `console` are the routes of the pages.
    """
    alone = {name: Router(_handlers(one)) for name, one in (stores or {}).items()}
    routes: list[BaseRoute] = [
        *_handlers(api),
        Mount(PREFIX, Stores(alone)),
        *(
            Route(path, Endpoint(path, _allowed(path, handler, api), api), methods=_ADMIN_METHODS)
            for path, handler in ADMIN.items()
        ),
        *_pages(api),
        *_own_pages(api),
        *console,
    ]
    return _served(routes, api.settings, lifespan)


def for_anyone(
    settings: ApiSettings,
    ready: Callable[[], bool],
    lifecycle: Lifecycle,
    console: Sequence[BaseRoute] = (),
) -> ASGIApp:
    """What requests see that are no tenant's: health, and the console's files, which tell nothing.

    All other paths tell why a request is no tenant's.
    """
    routes = [*_health(ready, lifecycle), *console, Route("/{path:path}", _refusal, methods=_ANY)]
    return _served(routes, settings)


async def _refusal(request: Request) -> Response:
    response = failed(failure_of(request.scope[REFUSAL]))
    if response.status_code == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Basic realm="prombridge"'
    return response


def _served(
    routes: Sequence[BaseRoute], settings: ApiSettings, lifespan: Lifespan | None = None
) -> ASGIApp:
    prefix = settings.route_prefix
    served = Starlette(
        routes=[*_entrances(prefix), Mount(prefix, routes=routes)] if prefix else routes,
        exception_handlers={404: _not_found, 405: _wrong_method},
        lifespan=lifespan,
    )
    # Its redirects name a host and a scheme, which only a proxy in front of the bridge knows.
    served.router.redirect_slashes = False
    return Transport(Direct(served, _endpoints(routes, prefix)), settings.cors_origin)


def _endpoints(routes: Sequence[BaseRoute], prefix: str) -> Mapping[tuple[str, str], ASGIApp]:
    """The endpoints whose paths vary in nothing, by path and method."""
    return {
        (f"{prefix}{one.path}", method): one.app
        for one in routes
        if isinstance(one, Route) and isinstance(one.endpoint, Endpoint)
        if not one.param_convertors
        for method in one.methods or ()
    }


def _allowed(path: str, handler: Handler, api: Api) -> Handler:
    """The handler of a path, or who refuses it."""
    return handler if api.tenant.operator or path in FOR_TENANTS else refused.to_tenants


def _handlers(api: Api) -> list[BaseRoute]:
    """The paths of the API."""
    return [
        *(
            _route(path, _allowed(path, handler, api), api, _METHODS)
            for path, handler in HANDLERS.items()
        ),
        *(_route(path, refused.admin, api, ("POST", "PUT")) for path in STORAGE),
        *(_route(path, taken, api, ("POST",), plain=True) for path, taken in RECEIVERS.items()),
        _route(FEDERATE, federate, api, ("GET",), plain=True),
        _route(OPENAPI, openapi, api, ("GET",), plain=True),
        Route(live.PATH, live.Live(api), methods=["GET"]),
        Route(read.PATH, Read(api.reads, api.metrics, api.memory, api.budgets), methods=["POST"]),
    ]


async def openapi(api: Api, _request: ApiRequest) -> Answer:
    """`/api/v1/openapi.yaml`: the paths of this table."""
    told = {path: _summary(handler) for path, handler in HANDLERS.items()}
    body = document(told, api.settings.route_prefix)
    return Answer(body, headers=(("Content-Type", "application/yaml"),))


def _summary(handler: Handler) -> str:
    """What a handler's first line says behind its path."""
    _, _, told = (handler.__doc__ or "").partition("`: ")
    return told.partition("\n")[0].strip()


def _route(
    path: str, handler: Handler, api: Api, methods: Sequence[str], *, plain: bool = False
) -> Route:
    question = QUESTIONS.get(handler)
    endpoint = Endpoint(_name(path), handler, api, plain=plain, question=question)
    return Route(path, endpoint, methods=list(methods))


def _name(path: str) -> str:
    """What a path is called in metrics."""
    return path.removeprefix("/api/v1").replace("{name:text}", ":name")


def _pages(api: Api) -> list[BaseRoute]:
    """The paths outside the API that everybody may see."""

    async def version(_request: Request) -> Response:
        return JSONResponse(status.BUILD_INFO)

    return [*_health(api.ready, api.lifecycle), Route("/version", version, methods=["GET"])]


def _health(is_ready: Callable[[], bool], lifecycle: Lifecycle) -> list[BaseRoute]:
    async def healthy(_request: Request) -> Response:
        return PlainTextResponse("prombridge is Healthy.\n")

    async def ready(_request: Request) -> Response:
        if is_ready():
            return PlainTextResponse("prombridge is Ready.\n")
        stopping = lifecycle.stopping
        text = "prombridge is stopping.\n" if stopping else "prombridge is compiling its kernels.\n"
        return PlainTextResponse(text, 503, {"X-Prometheus-Stopping": str(stopping).lower()})

    return [
        Route("/-/healthy", healthy, methods=["GET"]),
        Route("/-/ready", ready, methods=["GET"]),
    ]


def _own_pages(api: Api) -> list[BaseRoute]:
    """The paths outside the API that tell of the process, or steer it."""

    async def metrics(request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(api.metrics.registry), media_type=content_type)

    lifecycle = LifecyclePages(api.lifecycle, enabled=api.settings.enable_lifecycle)
    if not api.tenant.operator:
        paths = ("/metrics", "/-/reload", "/-/quit")
        return [_route(path, refused.to_tenants, api, _ANY) for path in paths]
    return [
        Route("/metrics", metrics, methods=["GET"]),
        Route("/-/reload", lifecycle.reload, methods=_ANY),
        Route("/-/quit", lifecycle.quit, methods=_ANY),
    ]


def _entrances(prefix: str) -> list[BaseRoute]:
    """What leads to the pages from above them: `/`, and the prefix without a slash at its end."""

    async def from_root(_request: Request) -> Response:
        return Response(status_code=302, headers={"Location": f"{prefix[1:]}/"})

    async def from_prefix(_request: Request) -> Response:
        return Response(status_code=302, headers={"Location": f"{PurePosixPath(prefix).name}/"})

    return [Route("/", from_root), Route(prefix, from_prefix)]


async def _not_found(request: Request, _error: Exception) -> Response:
    return failed(Failure(ErrorType.NOT_FOUND, 404, f"no such path: {request.url.path}"))


async def _wrong_method(request: Request, error: Exception) -> Response:
    text = f"method {request.method} is not allowed on {request.url.path}"
    response = failed(Failure(ErrorType.BAD_DATA, 405, text))
    if isinstance(error, HTTPException) and error.headers:
        response.headers.update(error.headers)
    return response
