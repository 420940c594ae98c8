"""The servers of a run with faults: a live store, a Valkey, a prombridge between proxies."""

import asyncio
import contextlib
import os
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import yaml

from benchmarks.faulty import FaultyProxy
from benchmarks.soak import scraping
from tests.remote.test_faults import FAULTS
from tests.servers.bridge import bridge_command, reading
from tests.servers.faketime import Clock
from tests.servers.killable import Killable, answers, listens
from tests.servers.node_exporter import node_exporter
from tests.servers.process import free_port
from tests.servers.prometheus import prometheus_command
from tests.servers.valkey import valkey_command

FRESHNESS: Final = 60  # seconds
READ_SECONDS: Final = 4  # that a store may take
QUERY_SECONDS: Final = 10
_CACHE: Final = {
    "max_bytes": 4 << 20,
    "dir_max_bytes": 8 << 20,
    "freshness": f"{FRESHNESS}s",
    "out_of_order_window": "2m",
    "young_ttl": "90s",
}
_LIES: Final = tuple(lie for lie, _ in FAULTS.values() if lie)


@dataclass(frozen=True, slots=True)
class Stage:
    """What faults can be done to."""

    store: Killable
    valkey: Killable
    bridge: Killable
    to_store: FaultyProxy
    to_valkey: FaultyProxy
    disk: Path
    clock: Clock


@contextlib.asynccontextmanager
async def stage(folder: Path, dice: random.Random) -> AsyncIterator[Stage]:
    """All servers, running until the block ends."""
    ports = {name: free_port() for name in ("store", "valkey", "bridge")}
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    clock = Clock(folder / "clock")
    clock.step(0)
    to_store = FaultyProxy(ports["store"], _LIES, dice)
    to_valkey = FaultyProxy(ports["valkey"], [dice.randbytes(200) for _ in range(5)], dice)
    async with to_store.served(), to_valkey.served():
        with node_exporter(folder / "node") as node:
            options = replace(scraping(node.url, urls["bridge"], ports["store"]), flags=())
            valkey, environment = valkey_command(folder / "valkey", ports["valkey"])
            made = Stage(
                Killable(
                    prometheus_command(folder / "store", options, ports["store"]),
                    urls["store"],
                    answers(f"{urls['store']}/-/ready"),
                    folder / "store.log",
                ),
                Killable(
                    valkey,
                    urls["valkey"],
                    listens(ports["valkey"]),
                    folder / "valkey.log",
                    environment,
                ),
                Killable(
                    _bridge(folder, ports["bridge"], to_store.listening, to_valkey.listening),
                    urls["bridge"],
                    answers(f"{urls['bridge']}/-/ready"),
                    folder / "bridge.log",
                    {**os.environ, **clock.environment},
                ),
                to_store,
                to_valkey,
                folder / "blocks",
                clock,
            )
            servers = (made.valkey, made.store, made.bridge)
            try:
                for one in servers:
                    await asyncio.to_thread(one.start)
                yield made
            finally:
                for one in servers:
                    one.kill()


def _bridge(folder: Path, port: int, store: int, valkey: int) -> list[str]:
    own = folder / "prombridge.yml"
    tiers = {"dir": str(folder / "blocks"), "valkey_url": f"redis://127.0.0.1:{valkey}"}
    own.write_text(yaml.safe_dump({"cache": {**_CACHE, **tiers}}))
    config = dict(reading(f"http://127.0.0.1:{store}/api/v1/read"))
    config["remote_read"][0]["remote_timeout"] = f"{READ_SECONDS}s"
    flags = [f"--prombridge.config={own}", f"--query.timeout={QUERY_SECONDS}s"]
    return bridge_command(folder / "bridge", config, port, flags)
