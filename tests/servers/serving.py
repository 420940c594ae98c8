"""ASGI applications of tests on real sockets, in a thread of their own or on the test's loop."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterator

import uvicorn
from starlette.types import ASGIApp

from bridge.cli.serving import Listener, listen


@contextlib.contextmanager
def served(app: ASGIApp) -> Iterator[str]:
    """The base URL of `app` on a free loopback port, until the block ends."""
    listener, server = _bound(app)
    thread = threading.Thread(target=server.run, args=([listener.socket],))
    thread.start()
    try:
        yield f"http://{listener.address}"
    finally:
        server.should_exit = True
        thread.join()


@contextlib.asynccontextmanager
async def listening(app: ASGIApp) -> AsyncIterator[str]:
    """The base URL of `app` on a free loopback port, served by this loop until the block ends."""
    listener, server = _bound(app)
    task = asyncio.create_task(server.serve([listener.socket]))
    try:
        yield f"http://{listener.address}"
    finally:
        server.should_exit = True
        await task


def _bound(app: ASGIApp) -> tuple[Listener, uvicorn.Server]:
    config = uvicorn.Config(app, lifespan="off", log_config=None, access_log=False)
    return listen(app, "127.0.0.1", 0), uvicorn.Server(config)
