"""Scripts through the whole bridge: its HTTP API before, a remote-read server of ours behind it."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import httpx
import uvicorn
import yaml

from bridge.app import application
from bridge.config.flags import Flags
from bridge.config.load import load
from bridge.model.errors import BridgeError
from bridge.model.labels import Labels
from bridge.model.time import Steps
from bridge.remote.encode_chunks import Encodings
from bridge.remote.server import Serving, read_app
from bridge.storage.interface import ReadOptions, Select, Selection
from tests.promqltest.compare import (
    Points,
    check_annotations,
    check_error,
    check_matrix,
    check_scalar,
    check_vector,
)
from tests.promqltest.runner import FEATURES, Count, Failure, add_series, when
from tests.promqltest.script import Clear, Command, Eval, Kind, Load
from tests.promqltest.sequence import Gap, Item, Native, SeriesLine
from tests.promqltest.shown import Shown
from tests.promqltest.store import ScriptStore


@dataclass(frozen=True, slots=True)
class Form:
    """How the store answers: the response type it is asked for, and what its samples become."""

    response_type: str
    encodings: Encodings

    @property
    def carries_starts(self) -> bool:
        """Whether start timestamps arrive; a sampled answer has no place for them."""
        return self.response_type == "streamed"


FORMS: Final = {
    "streamed": Form("streamed", Encodings()),
    "streamed-floats": Form("streamed", Encodings(integers=False)),
    "streamed-st": Form("streamed", Encodings(start_timestamps=True)),
    "streamed-floats-st": Form("streamed", Encodings(start_timestamps=True, integers=False)),
    "samples": Form("samples", Encodings()),
    "samples-floats": Form("samples", Encodings(integers=False)),
}

_NAME: Final = "script"
# A TSDB sends whole chunks: as long as those of scripts, which have few samples far apart.
_REACH: Final = 86_400_000
_FLAGS: Final = Flags(
    query_max_samples=10_000, query_timeout=1_000_000, enable_feature=tuple(sorted(FEATURES))
)


class Loaded:
    """A Querier that holds what the script at work has loaded so far."""

    def __init__(self) -> None:
        self.store = ScriptStore()

    async def select(self, select: Select, options: ReadOptions) -> Selection:
        """The samples of the moment."""
        return await self.store.select(select, options)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API said to a query that it could answer."""

    kind: str
    value: Any
    warnings: tuple[str, ...]
    infos: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HttpRunner:
    """Runs one script after the other, cold: nothing is remembered from case to case."""

    client: httpx.AsyncClient
    loaded: Loaded
    form: Form

    async def run(self, name: str, commands: Iterable[Command]) -> Count:
        """Runs the commands of the script of that name."""
        count = Count()
        self.loaded.store = ScriptStore()
        for command in commands:
            match command:
                case Clear():
                    self.loaded.store = ScriptStore()
                case Load():
                    add_series(command, self.loaded.store)
                case Eval():
                    await self._case(name, command, count)
        return count

    async def _case(self, name: str, case: Eval, count: Count) -> None:
        if self.loaded.store.has_starts and not self.form.carries_starts:
            count.not_carried += 1
            return
        count.cases += 1
        count.queries += 1
        outcome = await self._asked(case.text, case.steps)
        expected = _carried(case)
        failed = (
            _check(expected, outcome)
            if isinstance(outcome, Answer)
            else check_error(expected, outcome)
        )
        if failed is None:
            count.passed += 1
        else:
            count.failures.append(Failure(name, case, f"{case.text} {when(case.steps)}", failed))

    async def _asked(self, text: str, steps: Steps) -> Answer | BridgeError:
        if steps.instant:
            path, times = "query", {"time": _seconds(steps.start)}
        else:
            path = "query_range"
            names = ("start", "end", "step")
            edges = (steps.start, steps.end, steps.interval)
            times = {name: _seconds(at) for name, at in zip(names, edges, strict=True)}
        response = await self.client.post(f"/api/v1/{path}", data={"query": text, **times})
        body = json.loads(response.content)
        if body["status"] != "success":
            return BridgeError(body["error"])
        texts = (tuple(body.get(name, ())) for name in ("warnings", "infos"))
        return Answer(body["data"]["resultType"], body["data"]["result"], *texts)


@asynccontextmanager
async def bridged(folder: Path, form: Form) -> AsyncIterator[HttpRunner]:
    """A bridge with its configuration in `folder`, and a store behind it, until the end."""
    held = Loaded()
    async with serving(read_app(held, Serving(encodings=form.encodings, reach=_REACH))) as url:
        config, own = folder / "prometheus.yml", folder / "prombridge.yml"
        config.write_text(
            yaml.safe_dump({"remote_read": [{"name": _NAME, "url": url, "remote_timeout": "10m"}]})
        )
        store = {"response_types": [form.response_type]}
        settings = {
            "cache": {"enabled": False},
            "catalogue": {"bootstrap": False, "crawl": "0s"},
            "stores": {_NAME: store},
        }
        own.write_text(yaml.safe_dump(settings))
        app = application(load(config, own, _FLAGS).settings, warming=False)
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://bridge") as client,
        ):
            yield HttpRunner(client, held, form)


@asynccontextmanager
async def serving(app: Any) -> AsyncIterator[str]:
    """An application on a free port of loopback; gives its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/api/v1/read"
        finally:
            server.should_exit = True
            await task


def _seconds(milliseconds: int) -> str:
    sign = "-" if milliseconds < 0 else ""
    return f"{sign}{abs(milliseconds) // 1000}.{abs(milliseconds) % 1000:03}"


def _check(case: Eval, answer: Answer) -> str | None:
    """Whether an answer is what the case expects."""
    if case.expects(Kind.FAIL):
        return f"{case.expects(Kind.FAIL)[0]}\ndid not fail: {answer.value}"
    return check_annotations(case, answer) or _check_value(case, answer)


def _check_value(case: Eval, answer: Answer) -> str | None:
    match answer.kind:
        case "string":
            text = answer.value[1]
            return None if text == case.string else f"expected {case.string!r}\nactual   {text!r}"
        case "scalar":
            return check_scalar(case, float(answer.value[1]))
        case _ if case.scalar is not None:
            return f"expected scalar {case.scalar}\nactual   {answer.value}"
        case "vector":
            return check_vector(case, [_row(one, single=True) for one in answer.value])
        case _:
            return check_matrix(case, [_row(one, single=False) for one in answer.value])


def _row(one: Any, *, single: bool) -> tuple[Labels, Points]:
    names = ("value", "histogram") if single else ("values", "histograms")
    floats, native = (one.get(name, []) for name in names)
    if single:
        floats, native = ([pair] if pair else [] for pair in (floats, native))
    points: Points = {round(time * 1000): float(value) for time, value in floats}
    points |= {round(time * 1000): Shown.parsed(value) for time, value in native}
    return Labels.of(one["metric"]), dict(sorted(points.items()))


def _carried(case: Eval) -> Eval:
    """What a case expects, as far as JSON has words for it."""
    return replace(case, series=tuple(map(_carried_line, case.series)))


def _carried_line(line: SeriesLine) -> SeriesLine:
    pairs = [
        (name, value.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
        for name, value in line.labels.pairs
    ]
    return replace(line, labels=Labels.of(pairs), items=tuple(map(_carried_item, line.items)))


def _carried_item(item: Item | Shown) -> Any:
    match item:
        case Native():
            return Shown.of(item.value)
        case Gap():
            return item
        case _:
            # A staleness marker is a NaN like any other.
            return float("nan") if item != item else item
