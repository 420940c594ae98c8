"""Threads for long work, which the system lets run behind everything else that is due."""

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final

# Of a processor that both want, short work gets nine tenths.
_NICER: Final = 10


def behind(threads: int, name: str) -> ThreadPoolExecutor:
    """So many threads, begun when they are needed, that give way to all others."""
    return ThreadPoolExecutor(threads, name, initializer=_give_way)


def _give_way() -> None:
    # Elsewhere it is a matter of the whole process; a container may forbid it.
    if sys.platform == "linux":
        own = os.PRIO_PROCESS, threading.get_native_id()
        with suppress(OSError):
            os.setpriority(*own, os.getpriority(*own) + _NICER)
