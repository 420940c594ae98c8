"""`prombridge query`: evaluates PromQL and shows a table, and a plot for a range."""

import argparse
import asyncio
import shutil
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx

from bridge.cli import record
from bridge.cli.costs import cost_lines
from bridge.cli.flags import add_files, add_queries, flags
from bridge.cli.in_process import TIMEOUT_SECONDS, in_process
from bridge.cli.stages import stage_lines
from bridge.cli.terminal import answer_lines
from bridge.config.load import load
from bridge.model.errors import BadData, BridgeError, Unavailable
from bridge.model.time import parse_time

if TYPE_CHECKING:
    from bridge.cli.flags import Commands

_DEFAULT_SERVER = "http://127.0.0.1:9099"
# How many steps a range query has when it does not say.
_STEPS = 250

Json = dict[str, Any]


def register(commands: "Commands") -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "query",
        help="evaluate PromQL and show a table or a plot",
        description="Evaluates PromQL and shows a table; for a range also a plot.",
    )
    parser.add_argument("expr", metavar="EXPR", help="a PromQL expression")
    when = parser.add_argument_group("when", "Without --start it is an instant query.")
    when.add_argument("--time", metavar="TIME", help="Unix seconds or RFC 3339 (default now)")
    when.add_argument("--start", metavar="TIME", help="where a range query starts")
    when.add_argument("--end", metavar="TIME", help="where it ends (default now)")
    when.add_argument("--step", metavar="DURATION", help=f"its step (default: {_STEPS} steps)")
    where = parser.add_argument_group("where", "A running bridge, or one made from --config.file.")
    where.add_argument(
        "--server",
        metavar="URL",
        default=_DEFAULT_SERVER,
        help=f"address of a running bridge (default {_DEFAULT_SERVER})",
    )
    add_files(parser, required=False)
    add_queries(parser)
    parser.add_argument("--nocache", action="store_true", help="read everything from the store")
    parser.add_argument(
        "--explain",
        action="store_true",
        help="show what would be read of which store, and read nothing",
    )
    parser.add_argument(
        "--profile",
        action="store_true",
        help="show how long each stage took; with --explain in place of the answer",
    )
    record.add(parser)
    parser.set_defaults(run=_run)


def _run(asked: argparse.Namespace) -> int:
    path, params = _request(asked)
    if asked.explain:
        _show(_asked(asked, "api/v1/query_cost", params), cost_lines)
    if asked.explain and not asked.profile:
        return 0
    answer = _asked(asked, path, params | ({"stats": "true"} if asked.profile else {}))
    shown = [*([] if asked.explain else [answer_lines]), *([stage_lines] if asked.profile else [])]
    for number, lines in enumerate(shown):
        if number or asked.explain:
            print()
        _show(answer, lines)
    return 0


def _asked(asked: argparse.Namespace, path: str, params: dict[str, str]) -> Json:
    """The answer; its warnings and remarks go to standard error."""
    if asked.record:
        answer = _success(record.recorded(asked, path, params))
    elif asked.record_hide_labels:
        raise BadData("--record-hide-labels belongs to --record")
    else:
        answer = asyncio.run(_answer(asked, path, params))
    for kind in ("warnings", "infos"):
        for text in answer.get(kind, ()):
            sys.stderr.write(f"{kind.removesuffix('s')}: {text}\n")
    return answer


def _show(answer: Json, lines: Callable[[Json, int], Iterator[str]]) -> None:
    for line in lines(answer["data"], shutil.get_terminal_size().columns):
        print(line)


def _request(asked: argparse.Namespace) -> tuple[str, dict[str, str]]:
    params = {"query": asked.expr} | ({"nocache": "1"} if asked.nocache else {})
    if asked.start is None:
        if asked.end or asked.step:
            raise BadData("--end and --step belong to a range query, which needs --start")
        return "api/v1/query", params | ({"time": asked.time} if asked.time else {})
    if asked.time:
        raise BadData("--time belongs to an instant query, --start to a range query")
    end = asked.end or f"{time.time():.3f}"
    return "api/v1/query_range", params | {
        "start": asked.start,
        "end": end,
        "step": asked.step or _step(asked.start, end),
    }


def _step(start: str, end: str) -> str:
    return f"{max(1, (parse_time(end) - parse_time(start)) // (_STEPS * 1000))}"


async def _answer(asked: argparse.Namespace, path: str, params: dict[str, str]) -> Json:
    async with _client(asked) as client:
        try:
            response = await client.post(path, data=params)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            what = f"no answer from {asked.server}: {str(error) or type(error).__name__}"
            ways = "--server names a running bridge, --config.file makes one"
            raise Unavailable(f"{what}; {ways}") from None
    return _decoded(response)


@asynccontextmanager
async def _client(asked: argparse.Namespace) -> AsyncIterator[httpx.AsyncClient]:
    given = vars(asked)
    if given["config.file"] is None:
        base = asked.server.rstrip("/") + "/"
        async with httpx.AsyncClient(base_url=base, timeout=TIMEOUT_SECONDS) as client:
            yield client
        return
    settings = load(given["config.file"], given["prombridge.config"], flags(asked)).settings
    async with in_process(settings) as client:
        yield client


def _decoded(response: httpx.Response) -> Json:
    try:
        return _success(response.json())
    except (ValueError, KeyError, TypeError):
        status = f"{response.status_code} {response.reason_phrase}".strip()
        raise Unavailable(f"{response.url} is no Prometheus API: it answered {status}") from None


def _success(answer: Json) -> Json:
    """An answer that is not an error; raises BridgeError."""
    if answer["status"] == "success":
        return answer
    raise BridgeError(f"{answer['errorType']}: {answer['error']}")
