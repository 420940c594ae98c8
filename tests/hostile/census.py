"""What the process holds: each container that a module or an object of prombridge owns, counted."""

import asyncio
import gc
import logging
import sys
import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Iterator
from functools import _lru_cache_wrapper
from typing import Any, Final
from weakref import WeakKeyDictionary, WeakSet, WeakValueDictionary

from cachetools import Cache
from prometheus_client.metrics import MetricWrapperBase

_COLLECTIONS: Final = (dict, set, list, deque, OrderedDict)
# They let go of what nobody else holds: its owner is counted.
_WEAK: Final = (WeakKeyDictionary, WeakSet, WeakValueDictionary)
_DEEP: Final = 4
# Enough for the loop to let go of cancelled timers: more than 100, and more than half of all.
_TIMERS: Final = 1000


async def without_cancelled_timers() -> None:
    """Lets the loop forget timers that were cancelled; those that are to come stay.

    asyncio keeps up to 100 of them until their time, each with the context of who set it: whatever
    a request with a time limit held. uvloop lets go of them at once.
    """
    loop = asyncio.get_running_loop()
    for _ in range(_TIMERS):
        loop.call_later(_TIMERS, gc.collect).cancel()
    await asyncio.sleep(0)


def census() -> Counter[str]:
    """How many things each container has, by who owns it; and objects, tasks, threads, loggers.

    What can never exceed a bound of its own is left out: `lru_cache` and cachetools with a size,
    deques with a longest length, weak references. What the former hold is let go of before.
    """
    _forget()
    gc.collect()
    found: Counter[str] = Counter()
    for owner, name, value in _fields():
        for where, size in _sizes(f"{owner}.{name}", value, _DEEP):
            found[where] += size
    for one in gc.get_objects():
        if _ours(type(one)):
            found[f"objects of {_named(type(one))}"] += 1
    found["tasks"] = len(asyncio.all_tasks())
    found["threads"] = threading.active_count()
    found["loggers"] = len(logging.Logger.manager.loggerDict)
    return found


def _forget() -> None:
    for one in gc.get_objects():
        if type(one) is _lru_cache_wrapper and one.cache_info().maxsize and _ours(one):
            one.cache_clear()


def _fields() -> Iterator[tuple[str, str, Any]]:
    """What modules, classes and objects of prombridge hold by name, and what functions close on."""
    for name, module in tuple(sys.modules.items()):
        if name.startswith("bridge."):
            yield from ((name, key, value) for key, value in tuple(vars(module).items()))
    for one in gc.get_objects():
        kind = type(one)
        if kind is type and _ours(one):
            yield from ((_named(one), key, value) for key, value in tuple(vars(one).items()))
        elif _ours(kind):
            yield from ((_named(kind), *field) for field in _attributes(one))
        elif kind is type(_fields) and _ours(one):
            cells = zip(one.__code__.co_freevars, one.__closure__ or (), strict=True)
            for name, cell in cells:
                yield f"{one.__module__}.{one.__qualname__}", name, _content(cell)


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return None


def _attributes(one: Any) -> Iterator[tuple[str, Any]]:
    names = dict.fromkeys(getattr(one, "__dict__", ()))
    for kind in type(one).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        names |= dict.fromkeys((slots,) if isinstance(slots, str) else slots)
    for name in names:
        if not name.startswith("__"):
            yield name, getattr(one, name, None)


def _sizes(where: str, value: Any, deep: int) -> Iterator[tuple[str, int]]:
    """The sizes of a container and of those in it."""
    if isinstance(value, _lru_cache_wrapper):
        if value.cache_info().maxsize is None:
            yield where, value.cache_info().currsize
    elif isinstance(value, MetricWrapperBase):
        yield where, len(getattr(value, "_metrics", ()))
    elif isinstance(value, _WEAK):
        return
    elif isinstance(value, Cache):
        if value.maxsize == float("inf"):
            yield where, len(value)
        yield from _inside(where, tuple(value.values()), deep)
    elif isinstance(value, _COLLECTIONS):
        if not (isinstance(value, deque) and value.maxlen is not None):
            yield where, len(value)
        held = tuple(value.values() if isinstance(value, dict) else value)
        yield from _inside(where, held, deep)


def _inside(where: str, held: tuple[Any, ...], deep: int) -> Iterator[tuple[str, int]]:
    if deep:
        for one in held:
            yield from _sizes(f"{where}[]", one, deep - 1)


def _ours(kind: Any) -> bool:
    module = getattr(kind, "__module__", None)
    return isinstance(module, str) and module.startswith("bridge.")


def _named(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
