"""What the bridge tells of itself, and the empty forms of what it does not have."""

import asyncio
import os
import socket
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from bridge.api import params
from bridge.api.endpoint import Api, ApiRequest, Handler
from bridge.api.envelope import Answer, go_json
from bridge.api.params import TimeRange
from bridge.model.errors import BadData
from bridge.model.time import MAX_TIME, MIN_TIME

VERSION: Final = version("prombridge")
# The Prometheus whose language and API prombridge speaks.
DIALECT: Final = "3.14.0"
# Grafana takes any `features` for Mimir, so there is none.
BUILD_INFO: Final = {
    "application": "prombridge",
    "version": DIALECT,
    "revision": f"prombridge-{VERSION}",
    "branch": "",
    "buildUser": "",
    "buildDate": "",
    "goVersion": "",
}


def constant(data: object) -> Handler:
    """A handler that always gives the same."""
    answer = Answer(go_json(data))

    async def handler(_api: Api, _request: ApiRequest) -> Answer:
        return answer

    return handler


rules: Final = constant({"groups": []})
alerts: Final = constant({"alerts": []})
alertmanagers: Final = constant({"activeAlertmanagers": [], "droppedAlertmanagers": []})
targets: Final = constant({"activeTargets": [], "droppedTargets": [], "droppedTargetCounts": {}})
targets_metadata: Final = constant([])
scrape_pools: Final = constant({"scrapePools": []})
buildinfo: Final = constant(BUILD_INFO)


async def metadata(_api: Api, request: ApiRequest) -> Answer:
    """`/api/v1/metadata`: remote read carries none."""
    for name in ("limit", "limit_per_metric"):
        text = request.form.get(name)
        try:
            _ = text and params.integer(text)
        except BadData:
            raise BadData(f"{name} must be a number") from None
    return Answer(b"{}")


async def query_exemplars(api: Api, request: ApiRequest) -> Answer:
    """`/api/v1/query_exemplars`: remote read carries none."""
    span = params.time_range(request.form, TimeRange(MIN_TIME, MAX_TIME))
    if span.end < span.start:
        raise BadData("end timestamp must not be before start timestamp")
    await asyncio.to_thread(api.engine.parse, request.form.get("query"))
    return Answer(b"[]")


async def config(api: Api, _request: ApiRequest) -> Answer:
    """`/api/v1/status/config`: the configuration with its secrets hidden."""
    return Answer(go_json({"yaml": api.settings.config_yaml}))


async def runtimeinfo(api: Api, _request: ApiRequest) -> Answer:
    """`/api/v1/status/runtimeinfo`: Prometheus' fields, empty where they are of Go's."""
    started = _rfc3339(api.started)
    return Answer(
        go_json(
            {
                "startTime": started,
                "CWD": str(Path.cwd()),
                "hostname": socket.gethostname(),
                "serverTime": _rfc3339(api.now()),
                "reloadConfigSuccess": True,
                "lastConfigTime": started,
                "corruptionCount": 0,
                "goroutineCount": len(asyncio.all_tasks()),
                "GOMAXPROCS": os.cpu_count() or 1,
                "GOMEMLIMIT": 0,
                "GOGC": "",
                "GODEBUG": "",
                "storageRetention": "",
            }
        )
    )


def _rfc3339(milliseconds: int) -> str:
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
