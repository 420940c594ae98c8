"""Requests to one store: how many at a time, how often again, within what time."""

import asyncio
import random
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol

from bridge.model.errors import StoreError, StoreTimeout
from bridge.model.samples import SeriesBlock
from bridge.model.time import format_duration
from bridge.remote.answer import Keep
from bridge.remote.breaker import Breaker
from bridge.remote.exchange import Again, Exchange, Tally
from bridge.remote.health import Health
from bridge.remote.retries import LONGEST_PAUSE, RetryBudget, pause
from bridge.storage import payer
from bridge.telemetry.trace import Stage, stage


class ReadObserver(Protocol):
    """Who is told of each request to a store."""

    def request_ended(
        self, store: str, code: str, seconds: float, received_bytes: int, samples: int
    ) -> None:
        """A request is over.

        `code` is the HTTP status; `error`, `timeout` or `canceled` where there was none, or no use
        in the answer. `samples` counts those kept.
        """


class Unobserved:
    """Nobody is told."""

    def request_ended(
        self, store: str, code: str, seconds: float, received_bytes: int, samples: int
    ) -> None:
        """Nothing happens."""


@dataclass(slots=True)
class Requests:
    """All requests to one store, `concurrency` of them at a time.

    `turns` are those of others who ask the same store, if it is to count all of them.
    """

    concurrency: int
    observer: ReadObserver = field(default_factory=Unobserved)
    breaker: Breaker = field(default_factory=Breaker)
    budget: RetryBudget = field(default_factory=RetryBudget)
    health: Health = field(default_factory=Health)
    in_flight: int = 0
    turns: asyncio.Semaphore | None = None
    _turns: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._turns = self.turns or asyncio.Semaphore(max(self.concurrency, 1))

    async def answer(self, exchange: Exchange, keep: Keep, body: bytes) -> tuple[SeriesBlock, int]:
        """The answer to one request and its size in bytes; raises what Exchange does, less Again.

        Its time begins with its turn. A store that keeps failing is not asked: StoreError.
        """
        async with self._turns:
            self._admit(exchange)
            self.in_flight += 1
            try:
                answer = await self._in_time(exchange, keep, body)
            except asyncio.CancelledError:
                self.breaker.given_up()
                raise
            except Exception as error:
                self._note(error)
                raise
            finally:
                self.in_flight -= 1
            self.breaker.succeeded()
            self.health.succeeded()
            return answer

    def _admit(self, exchange: Exchange) -> None:
        wait = self.breaker.wait(time.monotonic())
        if wait:
            again = format_duration(max(int(wait * 1000), 1))
            said = f"not asked for another {again}, since it keeps failing: {self.breaker.reason}"
            raise exchange.read.failed(said)

    def _note(self, error: Exception) -> None:
        troubled = _troubled(error)
        self.health.failed(str(error), troubled=troubled)
        if troubled:
            self.breaker.failed(time.monotonic(), str(error))
        else:
            self.breaker.succeeded()

    async def _in_time(
        self, exchange: Exchange, keep: Keep, body: bytes
    ) -> tuple[SeriesBlock, int]:
        timeout = exchange.settings.remote_timeout_ms
        try:
            async with asyncio.timeout(timeout / 1000) as scope:
                return await self._tried(exchange, keep, body, scope)
        except TimeoutError:
            raise exchange.read.timed_out(timeout) from None

    async def _tried(
        self, exchange: Exchange, keep: Keep, body: bytes, scope: asyncio.Timeout
    ) -> tuple[SeriesBlock, int]:
        self.budget.earn()
        attempt = 0
        while True:
            try:
                return await self._once(exchange, keep, body, scope)
            except Again as again:
                wait = pause(attempt, random.random(), again.after)  # noqa: S311
                left = attempt < exchange.settings.retries and wait <= LONGEST_PAUSE
                if not left or not self.budget.spend():
                    raise again.error from None
            attempt += 1
            await asyncio.sleep(wait)

    async def _once(
        self, exchange: Exchange, keep: Keep, body: bytes, scope: asyncio.Timeout
    ) -> tuple[SeriesBlock, int]:
        tally, begun = Tally(), time.perf_counter()
        try:
            with stage(Stage.READ, store=exchange.settings.name) as span:
                block = await exchange.block(keep, body, tally)
                span.set_attribute("received_bytes", tally.received_bytes)
                span.set_attribute("samples", tally.samples)
        except asyncio.CancelledError:
            tally.code = "timeout" if scope.expired() else "canceled"
            raise
        finally:
            payer.charge(tally.samples, tally.received_bytes)
            name, seconds = exchange.settings.name, time.perf_counter() - begun
            self.observer.request_ended(
                name, tally.code, seconds, tally.received_bytes, tally.samples
            )
        return block, tally.received_bytes


def _troubled(error: Exception) -> bool:
    """Whether an error says that the store is down, rather than that it refuses this read."""
    if isinstance(error, StoreTimeout):
        return True
    status = error.fault.status if isinstance(error, StoreError) else HTTPStatus.OK
    return status is None or status >= HTTPStatus.INTERNAL_SERVER_ERROR
