"""A store's own Prometheus HTTP API: names, metadata, rules, and whole queries as a Delegate."""

import asyncio
import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import httpx
import orjson

from bridge.model.errors import BridgeError, ExecutionError
from bridge.model.labels import METRIC_NAME, Labels, Matcher, MatchType
from bridge.model.time import Steps, Window
from bridge.remote.connection import Connection, TooManyRedirects
from bridge.remote.credentials import BadCredentials
from bridge.remote.faults import Read
from bridge.remote.hidden import in_url
from bridge.remote.responses import COMPRESSED
from bridge.remote.settings import StoreSettings
from bridge.storage.interface import Delegated
from bridge.storage.payer import ask, charge, paid_by

Pairs = Sequence[tuple[str, str]]
MatcherSets = Sequence[Sequence[Matcher]]

_LOG: Final = logging.getLogger(__name__)
_FORM: Final = (("Content-Type", "application/x-www-form-urlencoded"),)
_NOTHING: Final = Matcher(METRIC_NAME, MatchType.EQUAL, "prombridge_asks_for_nothing")
_NO_TIME: Final = Window(0, 0)
# How long an API that failed its test is not tested again, ms.
_UNTRUSTED: Final = 10 * 60_000


@dataclass(frozen=True, slots=True)
class Reply:
    """A successful answer: its `data` as JSON gives it, and its remarks."""

    data: Any
    warnings: tuple[str, ...] = ()
    infos: tuple[str, ...] = ()


@dataclass(slots=True)
class QueryApi:
    """The API below `url` of the store that the settings are of, with its credentials.

    Calls raise StoreError, StoreTimeout and BudgetUsedUp.
    """

    settings: StoreSettings
    url: str = field(repr=False)
    transport: httpx.AsyncBaseTransport | None = None
    _connection: Connection = field(init=False)
    _verified: bool = field(init=False, default=False)
    _tested: int | None = field(init=False, default=None)
    _testing: asyncio.Lock = field(init=False, default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self._connection = Connection(self.settings, self.transport)

    @property
    def name(self) -> str:
        """The store's name."""
        return self.settings.name

    async def verified(self, now: int) -> bool:
        """Whether its names can be trusted; tested once, and again a while after a failure."""
        async with self._testing:
            due = self._tested is None or now - self._tested > _UNTRUSTED
            if not self._verified and due:
                self._tested = now
                # What the test finds is for all who ask.
                with paid_by(None):
                    self._verified = await self._test(Window(now - 3_600_000, now))
        return self._verified

    async def series(self, sets: MatcherSets, window: Window) -> list[Labels]:
        """The label sets that match any of the sets."""
        found = await self._listed("POST", "series", sets, window)
        return [Labels.of(one) for one in found if isinstance(one, dict)]

    async def labels(self, sets: MatcherSets, window: Window) -> list[str]:
        """The label names of the series that match."""
        return list(map(str, await self._listed("POST", "labels", sets, window)))

    async def values(self, name: str, sets: MatcherSets, window: Window) -> list[str]:
        """A label's values of the series that match."""
        path = f"label/{_escaped(name)}/values"
        return list(map(str, await self._listed("GET", path, sets, window)))

    async def metadata(self) -> dict[str, list[dict[str, str]]]:
        """What is said of each metric: type, unit and help."""
        found = (await self.ask("GET", "metadata", ())).data
        return found if isinstance(found, dict) else {}

    async def evaluate(
        self, text: str, steps: Steps, lookback: int, limit: int, within: int
    ) -> Delegated:
        """A query's answer; raises ExecutionError with the store's words if it cannot be had."""
        pairs = [("query", text), ("lookback_delta", _seconds(lookback))]
        pairs += [("limit", str(limit))] if limit else []
        pairs += [("timeout", _seconds(within))] if within else []
        if steps.instant:
            path, pairs = "query", [*pairs, ("time", _seconds(steps.start))]
        else:
            times = {"start": steps.start, "end": steps.end, "step": steps.interval}
            path, pairs = "query_range", [*pairs, *((k, _seconds(v)) for k, v in times.items())]
        reply = await self.ask("POST", path, pairs, Window(steps.start, steps.end))
        if not isinstance(reply.data, dict) or not {"resultType", "result"} <= reply.data.keys():
            raise self._read(Window(steps.start, steps.end)).failed("its answer has no result")
        kept = {"resultType": reply.data["resultType"], "result": reply.data["result"]}
        data = await asyncio.to_thread(orjson.dumps, kept)
        return Delegated(data, self.name, reply.warnings, reply.infos)

    async def ask(self, method: str, path: str, pairs: Pairs, window: Window = _NO_TIME) -> Reply:
        """The answer to one call."""
        ask()
        read = self._read(window)
        try:
            async with asyncio.timeout(self.settings.remote_timeout_ms / 1000):
                status, body = await self._answer(method, path, pairs, read)
        except TimeoutError:
            raise read.timed_out(self.settings.remote_timeout_ms) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            what = f"no answer from its query API: {str(error) or type(error).__name__}"
            raise read.failed(what) from None
        except (TooManyRedirects, BadCredentials) as error:
            raise read.failed(str(error)) from None
        return await asyncio.to_thread(_parsed, status, body, read)

    async def aclose(self) -> None:
        """Closes all connections."""
        await self._connection.aclose()

    async def _answer(self, method: str, path: str, pairs: Pairs, read: Read) -> tuple[int, bytes]:
        text = urlencode(pairs)
        if method == "POST":
            url = _joined(self.url, path)
            sent = await self._connection.send(method, url, text.encode(), (*_FORM, COMPRESSED))
        else:
            url = _joined(self.url, path, text)
            sent = await self._connection.send(method, url, b"", (COMPRESSED,))
        response = sent.decoding()
        try:
            body = bytearray()
            async for piece in response.aiter_bytes():
                body += piece
                if 0 < self.settings.max_response_bytes < len(body):
                    most = self.settings.max_response_bytes
                    raise read.limited(f"its answer exceeds max_response_bytes ({most})")
        finally:
            charge(0, response.num_bytes_downloaded)
            await response.aclose()
        return response.status_code, bytes(body)

    async def _listed(self, method: str, path: str, sets: MatcherSets, window: Window) -> list[Any]:
        pairs = [("start", _seconds(window.start)), ("end", _seconds(window.end))]
        pairs += [("match[]", "{" + ",".join(map(str, one)) + "}") for one in sets]
        data = (await self.ask(method, path, pairs, window)).data
        if not isinstance(data, list):
            raise self._read(window).failed(f"its /{path} is no list")
        return data

    async def _test(self, window: Window) -> bool:
        """Vendors differ: an API that overlooks match[] would answer for all there is."""
        try:
            if await self.labels([[_NOTHING]], window):
                why = "its labels are those of all series, whatever match[] says"
            elif await self.values(METRIC_NAME, [[_NOTHING]], window):
                why = "its label values are those of all series, whatever match[] says"
            elif not await self.values(METRIC_NAME, (), window):
                why = "it has no names"
            else:
                return True
        except BridgeError as error:
            why = str(error)
        _LOG.warning("a metadata_url is not used", extra={"store": self.name, "error": why})
        return False

    def _read(self, window: Window) -> Read:
        return Read(self.name, window.start, window.end, self._secrets)

    def _secrets(self) -> tuple[str, ...]:
        return (*in_url(self.url), *self._connection.secrets())


def _parsed(status: int, body: bytes, read: Read) -> Reply:
    try:
        found = orjson.loads(body)
        told = found["status"]
    except (orjson.JSONDecodeError, KeyError, TypeError, IndexError):
        shown = read.shown(body) or "empty body"
        raise read.failed(f"not a Prometheus API: HTTP {status}: {shown}", status) from None
    if told != "success" or status >= HTTPStatus.BAD_REQUEST:
        kind, text = found.get("errorType"), str(found.get("error"))
        if kind == "execution":
            raise ExecutionError(f'store "{read.store}": {read.shown(text.encode())}')
        what = f"its query API says {kind}: {read.shown(text.encode())}"
        raise read.failed(what, status)
    return Reply(found.get("data"), _texts(found, "warnings"), _texts(found, "infos"))


def _texts(found: dict[str, Any], name: str) -> tuple[str, ...]:
    held = found.get(name)
    return tuple(map(str, held)) if isinstance(held, list) else ()


def _seconds(milliseconds: int) -> str:
    return json.dumps(milliseconds / 1000)


def _escaped(name: str) -> str:
    return quote(name, safe="", errors="surrogateescape")


def _joined(url: str, path: str, query: str = "") -> str:
    """The URL of a call: below `/api/v1`, with the parameters that the base URL has."""
    parts = urlsplit(url)
    base = parts.path.rstrip("/").removesuffix("/api/v1")
    whole: Iterable[str] = filter(None, (parts.query, query))
    return urlunsplit(parts._replace(path=f"{base}/api/v1/{path}", query="&".join(whole)))
