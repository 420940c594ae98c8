"""Questions that are being answered: who asks one of them meanwhile waits for that answer."""

import asyncio
from collections.abc import Hashable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Generic, TypeVar

from bridge.model.errors import QueryTimeout
from bridge.storage.waiting import tell, tell_no_more

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")

# Those who wait, in the order they came.
_Waiting = dict["asyncio.Future[Lead[K, T] | T | None]", None]


class Asked(Generic[K, T]):
    """The questions that somebody is answering, who has the lead: others wait for what he finds.

    Of one event loop. Who waits and goes away disturbs nobody.
    """

    def __init__(self) -> None:
        self._leads: dict[K, Lead[K, T]] = {}

    def __len__(self) -> int:
        return len(self._leads)

    def lead(self, question: K) -> "Lead[K, T] | None":
        """The lead in answering a question; None if somebody has it."""
        return None if question in self._leads else self._led(question, {})

    async def follow(self, question: K) -> "Lead[K, T] | T | None":
        """What he found who has the lead; or the lead, if he gave it up.

        None: what he found is no answer for others, each has to find his own.
        """
        waiting = self._leads[question].waiting
        one: asyncio.Future[Lead[K, T] | T | None] = asyncio.get_running_loop().create_future()
        waiting[one] = None
        try:
            return await one
        except BaseException:
            # It may have been given the lead in the moment in which it left.
            if one.done() and not one.cancelled() and isinstance(lead := one.result(), Lead):
                lead.pass_on()
            raise
        finally:
            waiting.pop(one, None)

    def leads(self, lead: "Lead[K, T]") -> bool:
        """Whether somebody has the lead still."""
        return self._leads.get(lead.question) is lead

    def over(self, lead: "Lead[K, T]") -> None:
        """Nobody is answering this question."""
        del self._leads[lead.question]

    def succeeded(self, lead: "Lead[K, T]") -> "Lead[K, T]":
        """The lead of somebody else, for whom all wait from now on."""
        return self._led(lead.question, lead.waiting)

    def _led(self, question: K, waiting: "_Waiting[K, T]") -> "Lead[K, T]":
        lead = self._leads[question] = Lead(self, question, waiting)
        return lead


class Lead(AbstractContextManager[None], Generic[K, T]):
    """Within it a question is answered, for all who wait.

    Who waits for a store, is cancelled or has too little time leaves the lead to the next one: of
    what a store answers nobody knows whether it would answer others so. An error is no answer for
    others either: all of them go on at once.
    """

    __slots__ = ("_asked", "_telling", "question", "waiting")

    def __init__(self, asked: Asked[K, T], question: K, waiting: "_Waiting[K, T]") -> None:
        self._asked = asked
        self.question = question
        self.waiting = waiting

    def __enter__(self) -> None:
        self._telling = tell(self.pass_on)

    def give(self, found: T | None) -> None:
        """Gives all who wait what was found; with None each has to find his own."""
        if self._asked.leads(self):
            self._asked.over(self)
            for one in self.waiting:
                if not one.done():
                    one.set_result(found)

    def pass_on(self) -> None:
        """Lets the next one lead; it goes on by itself, and what it finds is for it alone."""
        if not self._asked.leads(self):
            return
        for one in self.waiting:
            if not one.done():
                one.set_result(self._asked.succeeded(self))
                return
        self._asked.over(self)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        tell_no_more(self._telling)
        if kind is not None and issubclass(kind, asyncio.CancelledError | QueryTimeout):
            self.pass_on()
        else:
            self.give(None)
