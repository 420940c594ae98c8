"""What the bridge tells of itself."""

import asyncio
import os
import socket
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from bridge.api.endpoint import Api, ApiRequest
from bridge.api.envelope import Answer, go_json

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


async def buildinfo(_api: Api, _request: ApiRequest) -> Answer:
    """`/api/v1/status/buildinfo`."""
    return Answer(go_json(BUILD_INFO))


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
