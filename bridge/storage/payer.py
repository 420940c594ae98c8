"""Whose budgets the reads of a request are taken from: asked before a read, charged behind it."""

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from bridge.model.errors import BudgetUsedUp
from bridge.model.labels import quoted
from bridge.model.time import format_duration
from bridge.storage.usage import Period, Quantity, Usage


class Whose(StrEnum):
    """Who has a budget."""

    TENANT = "tenant"
    USER = "user"
    DASHBOARD = "dashboard"


@dataclass(frozen=True, slots=True)
class Budget:
    """How much stores may send within any hour and within any day; 0 for any amount."""

    samples_per_hour: int = 0
    samples_per_day: int = 0
    bytes_per_hour: int = 0
    bytes_per_day: int = 0

    def limits(self) -> Iterator[tuple[Quantity, Period, int]]:
        """Those that are set."""
        for quantity in Quantity:
            for period in Period:
                if limit := getattr(self, setting(quantity, period)):
                    yield quantity, period, limit


def setting(quantity: Quantity, period: Period) -> str:
    """The name of the setting that limits a quantity in a period."""
    return f"{quantity}_per_{period}"


@dataclass(frozen=True, slots=True, eq=False)
class Account:
    """One budget and what was taken of it; without tenants the name of all of them is empty."""

    whose: Whose
    name: str
    budget: Budget
    usage: Usage

    def standings(self, now: float) -> "Iterator[Standing]":
        """How it stands with each limit."""
        for quantity, period, limit in self.budget.limits():
            used = self.usage.of(quantity, period)
            wait = used.wait(limit, now)
            yield Standing(self, quantity, period, limit, used.total(now), wait)


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """A limit and what counts towards it; if it is reached it is free again in `wait` seconds."""

    account: Account
    quantity: Quantity
    period: Period
    limit: int
    used: int
    wait: float

    @property
    def reached(self) -> bool:
        """Whether nothing more may be read."""
        return self.used >= self.limit

    @property
    def error(self) -> BudgetUsedUp:
        """What the client is told."""
        whose, name = self.account.whose, self.account.name
        shown = f"{whose} {quoted(name)}" if name else "all requests"
        seconds = math.ceil(self.wait)
        return BudgetUsedUp(
            f"the budget of {shown} is used up: within the last {self.period} stores sent"
            f" {self.used} {self.quantity} for it, and"
            f" budgets.{whose}.{setting(self.quantity, self.period)} ({self.limit}) allows no more;"
            f" it is free again in {format_duration(seconds * 1000)}. What is remembered is still"
            " answered",
            seconds,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Payer:
    """Those whose budgets one request is taken from.

    `refused` is told of each limit that ended a request. `granted`: its reads have begun, so that
    they are not asked again.
    """

    accounts: tuple[Account, ...]
    clock: Callable[[], float]
    refused: Callable[[Standing], None]
    granted: bool = False

    def ask(self) -> None:
        """Whether a read may begin; raises BudgetUsedUp, of the limit that lasts longest."""
        now = self.clock()
        every = (one for account in self.accounts for one in account.standings(now))
        reached = [] if self.granted else [one for one in every if one.reached]
        if reached:
            longest = max(reached, key=lambda one: one.wait)
            self.refused(longest)
            raise longest.error

    def charge(self, samples: int, nbytes: int) -> None:
        """Takes what a store has sent."""
        now = self.clock()
        for account in self.accounts:
            account.usage.add(samples, nbytes, now)


# Who pays for what goes on here; None for what prombridge does by itself.
_CURRENT: Final[ContextVar[Payer | None]] = ContextVar("payer", default=None)
_NOBODY: Final = nullcontext()


def paid_by(payer: Payer | None) -> AbstractContextManager[None]:
    """What is read within is this payer's; nobody's if there is none."""
    nobody = payer is None and _CURRENT.get() is None
    return _NOBODY if nobody else _Paid(payer)


class _Paid(AbstractContextManager[None]):
    """A payer that is the current one."""

    __slots__ = ("_payer", "_token")

    def __init__(self, payer: Payer | None) -> None:
        self._payer = payer

    def __enter__(self) -> None:
        self._token = _CURRENT.set(self._payer)

    def __exit__(self, *_error: object) -> None:
        _CURRENT.reset(self._token)


def ask() -> None:
    """Whether a read may begin here; raises BudgetUsedUp."""
    if payer := _CURRENT.get():
        payer.ask()


def granted() -> None:
    """The reads of this task were asked for: others may wait for them by now, so they go on."""
    if payer := _CURRENT.get():
        _CURRENT.set(replace(payer, granted=True))


def charge(samples: int, nbytes: int) -> None:
    """A store has sent this for what goes on here."""
    if payer := _CURRENT.get():
        payer.charge(samples, nbytes)
