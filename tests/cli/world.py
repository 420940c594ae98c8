"""A `prombridge serve` in front of a store of the tests."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.remote.stores import START, Store, streamed_reply
from tests.remote.test_faults import STREAM

GOOD = streamed_reply(STREAM)
QUERY = {"query": "up", "time": f"{START // 1000 + 60}"}
# Kernels may have to be compiled meanwhile.
LONG = 300
OWN = {"catalogue": {"bootstrap": False}, "stores": {"far": {"profile": "prometheus"}}}


@dataclass(slots=True)
class Serving:
    """A `prombridge serve` and its log, line by line."""

    process: asyncio.subprocess.Process
    config: Path
    url: str = ""

    async def line(self, with_: str) -> str:
        """The next line of the log that holds this text."""
        assert self.process.stderr is not None
        while line := (await self.process.stderr.readline()).decode():
            if with_ in line:
                return line
        raise AssertionError(f"it ended without a line about {with_}")

    async def rest(self) -> str:
        """All that the log still says."""
        assert self.process.stderr is not None
        return (await self.process.stderr.read()).decode()

    def write(self, url: str) -> None:
        entry = {"name": "far", "url": url}
        self.config.write_text(yaml.safe_dump({"remote_read": [entry]}))


@asynccontextmanager
async def serving(
    folder: Path, upstream: Store, *flags: str, own: Mapping[str, Any] | None = None
) -> AsyncIterator[Serving]:
    config, mine = folder / "prometheus.yml", folder / "prombridge.yml"
    mine.write_text(yaml.safe_dump(OWN | dict(own or {})))
    config.write_text(yaml.safe_dump({"remote_read": [{"name": "far", "url": upstream.url}]}))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bridge.cli", "serve", f"--config.file={config}"),
        *(f"--prombridge.config={mine}", "--web.listen-address=127.0.0.1:0", *flags),
        stderr=asyncio.subprocess.PIPE,
    )
    made = Serving(process, config)
    try:
        line = await made.line("address=")
        scheme = "https" if "tls=enabled" in line else "http"
        made.url = f"{scheme}://" + line.split("address=")[1].split()[0]
        yield made
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
