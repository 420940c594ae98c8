"""Which queries may run at a store instead of here."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bridge.model.time import Window
from bridge.storage.interface import Delegate, Select
from bridge.storage.view import View


class Pushdown(StrEnum):
    """When a query runs at a store: never, when it exceeds a limit here, or whenever it can."""

    NEVER = "never"
    OVER_LIMIT = "over_limit"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Delegation:
    """A store, what it may be given, and when."""

    view: View
    delegate: Delegate | None = None
    pushdown: Pushdown = Pushdown.NEVER


def delegate_for(
    stores: Sequence[Delegation], selects: Sequence[Select], *, over_limit: bool
) -> Delegate | None:
    """Who may evaluate a query of these reads; None if nobody.

    Only one store may be concerned, and it must see its data as the query would see them here.
    """
    concerned = [one for one in stores if any(map(one.view.concerns, selects))]
    if len(concerned) != 1:
        return None
    (store,) = concerned
    wanted = store.pushdown is Pushdown.ALWAYS or (
        over_limit and store.pushdown is Pushdown.OVER_LIMIT
    )
    whole = all(store.view.covers(Window(select.start, select.end)) for select in selects)
    return store.delegate if wanted and whole and store.view.plain else None
