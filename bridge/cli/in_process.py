"""A bridge without a port, for one command."""

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import httpx

from bridge.config.settings import Settings
from bridge.remote.recorded import Connect

# The bridge itself ends a query that takes too long; this is only for one that hangs.
TIMEOUT_SECONDS: Final = 3600


@asynccontextmanager
async def in_process(
    settings: Settings, connect: Connect | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a bridge that lives only as long as the client.

    `connect` makes another way to its stores than a connection.
    """
    from bridge.app.service import Service

    app = Service(settings, warming=False, connect=connect)
    transport = httpx.ASGITransport(app)
    base = f"http://prombridge{settings.web.route_prefix}"
    client = httpx.AsyncClient(transport=transport, base_url=base, timeout=TIMEOUT_SECONDS)
    with _silent():
        async with app.router.lifespan_context(app), client:
            yield client


@contextmanager
def _silent() -> Iterator[None]:
    """Without warnings in the log: what failed is told by the command, the one client there is."""
    log = logging.getLogger("bridge")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)
