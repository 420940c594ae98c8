"""ASGI applications of the tests on real sockets, in a thread of the test's own process."""

import contextlib
import threading
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from bridge.cli.serving import listen


@contextlib.contextmanager
def served(app: ASGIApp) -> Iterator[str]:
    """The base URL of `app` on a free loopback port, until the block ends."""
    listener = listen(app, "127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, args=([listener.socket],))
    thread.start()
    try:
        yield f"http://{listener.address}"
    finally:
        server.should_exit = True
        thread.join()
