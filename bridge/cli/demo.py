"""`prombridge demo`: a bridge in front of a store with made-up data, over real remote read."""

import argparse
import asyncio
import shlex
import shutil
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from bridge.config.flags import Flags

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from bridge.cli.flags import Commands
    from bridge.cli.serving import Listener
    from bridge.config.settings import Settings
    from bridge.demo.store import DemoStore

_ADDRESS: Final = Flags().web_listen_address
_QUERIES: Final = (
    '100 - (avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[5m])) * 100)',
    "histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))",
    "1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes",
)
_EXTEND_SECONDS: Final = 1.0


def register(commands: "Commands") -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "demo",
        help="try it: a bridge and a store with made-up data",
        description="Starts a bridge in front of a store with a day of made-up data.",
    )
    parser.add_argument(
        "--web.listen-address",
        metavar="HOST:PORT",
        help=f"where to listen (default {_ADDRESS}, or a free port if that one is taken)",
    )
    parser.set_defaults(run=_run)


def _run(asked: argparse.Namespace) -> int:
    _say("Making up a day of data for a few machines and a web service …")
    from bridge.cli.serving import Servers, listen
    from bridge.demo.store import demo_store
    from bridge.telemetry.log import configure_logging

    configure_logging("warn", "logfmt")
    store = demo_store(_now())
    upstream = listen(_store_app(store), "127.0.0.1", 0)
    _say(f"The store speaks remote read on http://{upstream.address}/api/v1/read.")
    settings = _settings(upstream.address)
    bridge = _bridge(settings, vars(asked)["web.listen_address"])
    _say("Starting prombridge in front of it; on the first start it compiles its kernels …")
    Servers((upstream, bridge)).run(lambda: _say(_welcome(bridge.address)))
    return 0


def _say(text: str) -> None:
    print(text, flush=True)


def _now() -> int:
    return time.time_ns() // 1_000_000


def _store_app(store: "DemoStore") -> "Starlette":
    """The store as a remote-read server whose data go on growing while it runs."""
    from starlette.applications import Starlette
    from starlette.routing import Mount

    from bridge.remote.server import read_app

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        growing = asyncio.create_task(_grow(store))
        yield
        growing.cancel()
        with suppress(asyncio.CancelledError):
            await growing

    return Starlette(routes=[Mount("/", read_app(store.querier))], lifespan=lifespan)


async def _grow(store: "DemoStore") -> None:
    while True:
        await asyncio.sleep(_EXTEND_SECONDS)
        store.extend(_now())


def _settings(upstream: str) -> "Settings":
    from bridge.config.settings import LogSettings, Settings, WebSettings
    from bridge.engine.query import EngineSettings
    from bridge.remote.settings import StoreSettings

    return Settings(
        stores=(StoreSettings("demo", f"http://{upstream}/api/v1/read"),),
        engine=EngineSettings(),
        web=WebSettings("127.0.0.1", 0, "/"),
        log=LogSettings("warn", "logfmt"),
        external_labels=(),
    )


def _bridge(settings: "Settings", address: str | None) -> "Listener":
    from bridge.app import application
    from bridge.cli.serving import CannotListen, listen

    app = application(settings)
    web = Flags(web_listen_address=address or _ADDRESS).web
    try:
        return listen(app, web.host, web.port)
    except CannotListen:
        if address is not None:
            raise
        return listen(app, web.host, 0)


def _command() -> str:
    """How a shell finds prombridge: by its name, or else as this one was started."""
    if shutil.which("prombridge"):
        return "prombridge"
    started = Path(sys.argv[0])
    as_module = started.name == "__main__.py"
    return shlex.join((sys.executable, "-m", "bridge.cli") if as_module else (str(started),))


def _welcome(address: str) -> str:
    url = f"http://{address}"
    shown = urlencode({"g0.expr": _QUERIES[0], "g0.tab": "graph"})
    queries = "\n".join(f"  {query}" for query in _QUERIES)
    return f"""
prombridge answers on {url}

To see a graph, open this in a browser:
  {url}/query?{shown}

Three queries to paste there, into the terminal or into Grafana:
{queries}

For instance:
  {_command()} query --server {url} '{_QUERIES[0]}'
  curl '{url}/api/v1/query?query=up'

In Grafana: Connections, Add new connection, Prometheus, and {url} as its server URL.

Ctrl-C ends all."""
