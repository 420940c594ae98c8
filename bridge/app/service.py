"""The bridge as an ASGI application whose configuration can be read anew while it answers."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from starlette.routing import Router
from starlette.types import Receive, Scope, Send

from bridge.api.lifecycle import CannotReload
from bridge.api.live import LASTING, Lasting
from bridge.api.notices import RELOAD_FAILED, SHUTTING_DOWN, Notices
from bridge.app.generation import Generation, Process
from bridge.app.holdings import Holdings
from bridge.app.realm import now
from bridge.app.relief import keep_relieving
from bridge.config.settings import Settings
from bridge.model.errors import BridgeError
from bridge.remote.recorded import Connect
from bridge.telemetry.metrics import Metrics

_LOG: Final = logging.getLogger(__name__)


class WouldOpen(BridgeError):
    """Settings under which more could come in, or see more, than a reload may let them."""


class Service:
    """The whole bridge as an ASGI application.

    Its lifespan warms its kernels, if wanted, and closes its stores. `load` gives the settings anew
    when a reload is asked for: it is called in a thread and raises BridgeError. `leave` is called
    when a client asks the process to end. `connect` makes another way to a store than a connection.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        warming: bool = True,
        load: Callable[[], Settings] | None = None,
        leave: Callable[[], None] | None = None,
        connect: Connect | None = None,
    ) -> None:
        self.router = Router(lifespan=lambda _app: self._lifespan())
        self.stopping = False
        self.loaded_at = now()
        self.load_succeeded = True
        self._load = load or (lambda: settings)
        self._leave = leave
        self._connect = connect
        self._warming = warming
        self._reloading = asyncio.Lock()
        self._ending = asyncio.Event()
        self._process = Process(self)
        self.notices = Notices(self._process.metrics.notices)
        self._process.metrics.reloads.succeeded(self.loaded_at)
        self._retiring: set[asyncio.Task[None]] = set()
        self._current = self._made(settings, None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request under the configuration of this moment."""
        if scope["type"] == "lifespan":
            await self.router(scope, receive, send)
            return
        # A copy: what a generation leaves in the scope would keep it alive.
        own = dict(scope)
        await self._current(own, receive, send)
        lasting: Lasting | None = own.get(LASTING)
        del own
        # What an answer goes on with, now that its generation is not needed for it.
        if lasting is not None:
            await lasting(receive, send)

    @property
    def metrics(self) -> Metrics:
        """What all generations count into."""
        return self._process.metrics

    def stop(self) -> None:
        """From now on it is not ready: whoever sends requests should look elsewhere."""
        self.stopping = True
        self.notices.add(SHUTTING_DOWN, now())
        self.notices.end()

    def quit(self) -> None:
        """Asks for the end of the process, as a client may."""
        _LOG.warning("Received termination request via web service, exiting gracefully...")
        if self._leave is not None:
            self._leave()

    async def reload(self) -> None:
        """Reads the configuration and goes on under it; requests under way end under the old one.

        Raises CannotReload: then everything stays as it was.
        """
        async with self._reloading:
            begun = time.perf_counter()
            try:
                settings = await asyncio.to_thread(self._load)
                made = self._made(settings, self._current.holdings)
            except BridgeError as error:
                self.load_succeeded = False
                self.notices.add(RELOAD_FAILED, now())
                self._process.metrics.reloads.failed()
                _LOG.error("Error reloading config", extra={"err": str(error)})
                raise CannotReload(str(error)) from None
            old = self._current
            self._begin(made)
            self._retire(old)
            self.loaded_at, self.load_succeeded = now(), True
            self.notices.remove(RELOAD_FAILED)
            self._process.metrics.reloads.succeeded(self.loaded_at)
            seconds = f"{time.perf_counter() - begun:.3f}"
            _LOG.info("Completed loading of configuration file", extra={"seconds": seconds})

    def _made(self, settings: Settings, before: Holdings | None) -> Generation:
        """What answers under these settings; stores of which nothing changed are kept.

        Raises WouldOpen if they are taken up while others are in force.
        """
        if before is not None:
            _refuse_opening(before.settings, settings)
        if before is None or not before.serves(settings):
            before = Holdings(settings, self._process.metrics, before, self._connect)
        return Generation(settings, self._process, before)

    def _begin(self, made: Generation) -> None:
        """Lets a generation answer from now on."""
        self._current = made
        made.begin(self._process)
        made.holdings.hold(self._process.warmth.loaded if self._warming else None)

    def _retire(self, old: Generation) -> None:
        """Lets go of a generation once its last request is answered, or all ends."""

        async def retired() -> None:
            waits = [asyncio.ensure_future(one) for one in (old.idle(), self._ending.wait())]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for one in waits:
                one.cancel()
            await old.aclose()

        task = asyncio.create_task(retired())
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)

    @asynccontextmanager
    async def _lifespan(self) -> AsyncIterator[None]:
        self._begin(self._current)
        behind = (self._process.warmth.bring(), self._relieving()) if self._warming else ()
        tasks = [asyncio.create_task(one) for one in behind]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._ending.set()
            await asyncio.gather(*self._retiring, return_exceptions=True)
            await self._current.aclose()

    async def _relieving(self) -> None:
        await self._process.warmth.loaded()
        await keep_relieving()


def _refuse_opening(held: Settings, wanted: Settings) -> None:
    """Raises WouldOpen: a file that is empty, for it is just being written, must open nothing."""
    if held.tenancy.tenants and not wanted.tenancy.tenants:
        raise WouldOpen("tenants: there are none any more; only a restart shows everybody all")
    if held.web.tokens_file != wanted.web.tokens_file:
        raise WouldOpen("web.tokens_file: only a restart takes another file, or none")
