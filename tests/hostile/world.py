"""The whole bridge, from its configuration file to its ASGI application, in this process."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import yaml
from httpx import ASGITransport, AsyncClient

from bridge.app import application
from bridge.app.service import Service
from bridge.config.flags import Flags
from bridge.config.load import load

NAME: Final = "far away"  # of the store
# One request to the store for each of the client's: nothing is learned or tried in the background.
UNNAMED: Final = {"catalogue": {"bootstrap": False, "crawl": "0s"}}
QUIET: Final = UNNAMED | {"stores": {NAME: {"retries": 0, "profile": "prometheus"}}}
DEFAULTS: Final = Flags()


@asynccontextmanager
async def served(
    folder: Path,
    entry: Mapping[str, Any],
    flags: Flags = DEFAULTS,
    own: Mapping[str, Any] = QUIET,
) -> AsyncIterator[Service]:
    """A bridge that reads from this one `remote_read` entry."""
    config, settings = folder / "prometheus.yml", folder / "prombridge.yml"
    config.write_text(yaml.safe_dump({"remote_read": [{"name": NAME} | dict(entry)]}))
    settings.write_text(yaml.safe_dump(dict(own)))
    app = application(load(config, settings, flags).settings, warming=False)
    async with app.router.lifespan_context(app):
        yield app


@asynccontextmanager
async def bridge(
    folder: Path,
    entry: Mapping[str, Any],
    flags: Flags = DEFAULTS,
    own: Mapping[str, Any] = QUIET,
) -> AsyncIterator[AsyncClient]:
    """A client of such a bridge."""
    async with (
        served(folder, entry, flags, own) as app,
        AsyncClient(transport=ASGITransport(app), base_url="http://bridge") as client,
    ):
        yield client
