"""Waiting in tests for what takes milliseconds, as long as a busy machine may need for it."""

import asyncio
from collections.abc import Callable
from typing import Final

_PATIENCE: Final = 60  # seconds


async def until(reached: Callable[[], bool]) -> None:
    """Waits until something is so; raises TimeoutError if it never is."""
    async with asyncio.timeout(_PATIENCE):
        while True:
            if reached():
                return
            await asyncio.sleep(0.001)
