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
from bridge.model.time import format_duration
from bridge.remote.client import RemoteStore

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


async def notifications(api: Api, _request: ApiRequest) -> Answer:
    """`/api/v1/notifications`: what an operator should know; tenants are told nothing."""
    held = api.lifecycle.notices.held if api.tenant.operator else ()
    return Answer(b"[%s]" % b",".join(notice.json() for notice in held))


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
        "samplesRead": entry.stats.samples_read,
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


async def stores(api: Api, _request: ApiRequest) -> Answer:
    """`/api/v1/status/stores`: each store's profile, health and limits."""
    return Answer(go_json({"stores": [_store(one) for one in api.stores]}))


def _store(store: RemoteStore) -> dict[str, object]:
    settings, profile, health = store.settings, store.profile, store.health
    return {
        "name": settings.name,
        "url": settings.shown_url,
        "profile": {"name": profile.name, "verified": profile.verified, "note": profile.note},
        "responseTypes": [kind.value for kind in profile.response_types],
        "health": health.state.value,
        "leftAlone": store.breaker.is_open,
        "inFlight": store.in_flight,
        "reads": health.reads,
        "failures": health.failures,
        "lastRead": _moment(health.last_success),
        "lastError": health.last_error,
        "lastErrorTime": _moment(health.last_failure),
        "limits": {
            "timeout": format_duration(settings.remote_timeout_ms),
            "retries": settings.retries,
            "maxConcurrency": profile.concurrency,
            "maxQueryRange": format_duration(profile.max_range),
            "splitInterval": format_duration(profile.split_interval),
            "maxSamples": settings.max_samples,
            "maxSeries": settings.max_series,
            "maxResponseBytes": settings.max_response_bytes,
        },
    }


def _moment(milliseconds: int) -> str | None:
    return rfc3339(milliseconds) if milliseconds else None
