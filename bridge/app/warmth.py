"""Whether the kernels are compiled, and how they come to be."""

import asyncio
import gc
import logging
import sys
from typing import Final

from bridge import kernel
from bridge.kernel import ready

_LOG: Final = logging.getLogger(__name__)
# How many more objects there may be before the collector looks at them. Requests under way hold
# some thousands and leave none behind: it would look at them again and again in vain.
_YOUNG: Final = 5000


class Warmth:
    """Whether the kernels are compiled: until then queries are answered, but more slowly."""

    def __init__(self) -> None:
        self._loaded = asyncio.Event()

    @property
    def complete(self) -> bool:
        """Whether the kernels that nearly every query needs are loaded."""
        return self._loaded.is_set()

    async def loaded(self) -> None:
        """Waits until they are."""
        await self._loaded.wait()

    async def bring(self) -> None:
        """Loads them; then sees to it that all others are on disk, for queries to load."""
        await _compile(kernel.Extent.COMMON, "--common")
        await asyncio.to_thread(ready.load)
        # What is loaded by now stays for good: the collector need not look at it again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(_YOUNG)
        self._loaded.set()
        _LOG.info("ready")
        await _compile(kernel.Extent.ALL)


async def _compile(extent: kernel.Extent, *flags: str) -> None:
    """Compiles what the disk cache lacks, in a child process so that this one stays small."""
    if kernel.is_warm(extent):
        return
    _LOG.info("compiling kernels; this happens once for each version", extra={"extent": extent})
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bridge.cli", "warm", "--quiet", *flags
    )
    try:
        status = await child.wait()
    except asyncio.CancelledError:
        child.kill()
        await child.wait()
        raise
    if status:
        _LOG.warning("compiling kernels in a child process failed", extra={"status": status})
