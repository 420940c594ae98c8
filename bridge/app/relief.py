"""What the process gives back to the system: memory that is free, code pages that lie idle."""

import asyncio
import ctypes
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

# From glibc's malloc.h and Linux' mman.h.
_ARENA_MAX: Final = -8
_DONT_NEED: Final = 4

# The compiler's library: 70 MiB of it are read while kernels are loaded, nothing afterwards.
_COMPILER: Final = "libllvmlite"
_INTERVAL_SECONDS: Final = 5
_WORTH_TRIMMING: Final = 32 << 20


class _Malloc(ctypes.Structure):
    """glibc's `struct mallinfo2`, bytes."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks"),
            *("uordblks", "fordblks", "keepcost"),
        )
    )


_C: Final = ctypes.CDLL(None)


def one_arena() -> None:
    """Has all threads allocate from one arena, so that what one frees another can use.

    numpy allocates under the interpreter's lock, so threads would hardly wait for each other's
    arenas less. To be called before there are threads; nothing happens without glibc.
    """
    if hasattr(_C, "mallopt"):
        _C.mallopt(_ARENA_MAX, 1)


def relieve() -> None:
    """Gives back free memory and idle code; both come again when they are needed."""
    if hasattr(_C, "malloc_trim"):
        _C.malloc_trim(0)
    for start, size in _idle_code():
        _C.madvise(ctypes.c_void_p(start), ctypes.c_size_t(size), _DONT_NEED)


async def keep_relieving() -> None:
    """Does so now, and again whenever much memory became free."""
    await asyncio.to_thread(relieve)
    while True:
        await asyncio.sleep(_INTERVAL_SECONDS)
        if _free_bytes() >= _WORTH_TRIMMING:
            await asyncio.to_thread(relieve)


def _free_bytes() -> int:
    """How many bytes malloc holds that nobody uses."""
    if not hasattr(_C, "mallinfo2"):
        return 0
    _C.mallinfo2.restype = _Malloc
    free: int = _C.mallinfo2().fordblks
    return free


@cache
def _idle_code() -> tuple[tuple[int, int], ...]:
    """Where the compiler's code and constants are mapped: start and size of each range.

    Only ranges that are as they are in the file: what was changed in memory cannot be read again.
    """
    try:
        maps = Path("/proc/self/smaps").read_text()
    except OSError:
        return ()
    return tuple(unchanged(maps))


def unchanged(maps: str) -> Iterator[tuple[int, int]]:
    """Those ranges, by what /proc says of all mappings."""
    start = stop = 0
    for line in maps.splitlines():
        name, *fields = line.split()
        if not name.endswith(":"):
            readable = fields[0].startswith("r-") and _COMPILER in fields[-1]
            start, stop = (int(edge, 16) for edge in name.split("-")) if readable else (0, 0)
        elif name == "Anonymous:" and stop and fields[0] == "0":
            yield start, stop - start
