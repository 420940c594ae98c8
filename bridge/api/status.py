"""What the bridge tells of itself."""

import asyncio
import os
import socket
from importlib.metadata import version
from pathlib import Path
from typing import Final

from bridge.api.endpoint import Api, ApiRequest
from bridge.api.envelope import Answer, go_json
from bridge.api.ledger import Entry, rfc3339

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


async def active_queries(api: Api, _request: ApiRequest) -> Answer:
    """`/api/v1/status/active_queries`: what is being answered now, the oldest first."""
    return Answer(go_json([_active(entry) for entry in api.ledger.active]))


def _active(entry: Entry) -> dict[str, object]:
    return {
        "id": entry.number,
        "query": entry.text,
        "start": rfc3339(entry.steps.start),
        "end": rfc3339(entry.steps.end),
        "step": 0 if entry.steps.instant else entry.steps.interval / 1000,
        "begun": rfc3339(entry.begun),
        "seconds": entry.seconds,
        "stage": entry.trace.at or "",
        "samplesRead": entry.progress.stats.samples_read,
        "client": entry.origin.client,
        **entry.origin.named(),
    }


async def runtimeinfo(api: Api, _request: ApiRequest) -> Answer:
    """`/api/v1/status/runtimeinfo`: Prometheus' fields, empty where they are of Go's."""
    started = rfc3339(api.started)
    return Answer(
        go_json(
            {
                "startTime": started,
                "CWD": str(Path.cwd()),
                "hostname": socket.gethostname(),
                "serverTime": rfc3339(api.now()),
                "reloadConfigSuccess": api.lifecycle.load_succeeded,
                "lastConfigTime": rfc3339(api.lifecycle.loaded_at or api.started),
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


async def flags(api: Api, _request: ApiRequest) -> Answer:
    """`/api/v1/status/flags`."""
    return Answer(go_json(dict(api.settings.flags)))
