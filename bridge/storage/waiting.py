"""Who is told that what goes on here waits for a store."""

from collections.abc import Callable
from contextvars import ContextVar, Token
from typing import Final

Told = Callable[[], None]

_TOLD: Final[ContextVar[Told | None]] = ContextVar("told", default=None)


def tell(told: Told) -> Token[Told | None]:
    """From now on this is told, perhaps more than once; until `tell_no_more`."""
    return _TOLD.set(told)


def tell_no_more(token: Token[Told | None]) -> None:
    """Whoever was told before is told again."""
    _TOLD.reset(token)


def waits() -> None:
    """What goes on here waits for a store from now on."""
    if told := _TOLD.get():
        told()
