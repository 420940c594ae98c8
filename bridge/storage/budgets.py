"""Budgets of what stores may send, of tenants, users and dashboards; and what is left of each."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from cachetools import LRUCache

from bridge.storage.payer import Account, Budget, Payer, Standing, Whose
from bridge.storage.usage import Usage


@dataclass(frozen=True, slots=True)
class BudgetSettings:
    """The budget of a tenant, of each of its users and of each of its dashboards.

    What they took is `remembered` of so many users and so many dashboards: those that asked last.
    """

    tenant: Budget = field(default_factory=Budget)
    user: Budget = field(default_factory=Budget)
    dashboard: Budget = field(default_factory=Budget)
    remembered: int = 2000

    def limited(self) -> tuple[Whose, ...]:
        """Those whose budget sets a limit."""
        return tuple(whose for whose in Whose if any(self.of(whose).limits()))

    def of(self, whose: Whose) -> Budget:
        """The budget of one of them."""
        return {
            Whose.TENANT: self.tenant,
            Whose.USER: self.user,
            Whose.DASHBOARD: self.dashboard,
        }[whose]


class Budgets:
    """What each tenant, user and dashboard took, for as long as the process lives.

    A tenant's users and dashboards are remembered apart, so that those of no other crowd them out.
    `clock` gives seconds and never goes back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._settings: Mapping[str, BudgetSettings] = {}
        self._limited: Mapping[str, tuple[Whose, ...]] = {}
        self._refused: Callable[[str, Standing], None] = lambda _tenant, _limit: None
        self._usages: dict[tuple[str, Whose], LRUCache[str, Usage]] = {}

    def apply(
        self, settings: Mapping[str, BudgetSettings], refused: Callable[[str, Standing], None]
    ) -> None:
        """From now on these count, by the tenant's name; what was taken stays taken.

        `refused` is told the tenant, and the limit that was reached.
        """
        self._settings, self._refused = settings, refused
        self._limited = {tenant: held.limited() for tenant, held in settings.items()}
        before, self._usages = self._usages, {}
        for (tenant, whose), held in before.items():
            if tenant in settings:
                self._of(tenant, whose).update(held)

    def payer(self, tenant: str, user: str, dashboard: str) -> Payer | None:
        """Who pays for a request; None if nobody has a budget. A name that is empty is nobody's."""
        limited = self._limited.get(tenant)
        if not limited:
            return None
        settings = self._settings[tenant]
        names = {Whose.TENANT: tenant, Whose.USER: user, Whose.DASHBOARD: dashboard}
        accounts = tuple(
            Account(whose, name, settings.of(whose), self._usage(tenant, whose, name))
            for whose in limited
            if (name := names[whose]) or whose is Whose.TENANT
        )
        if not accounts:
            return None
        return Payer(accounts, self._clock, lambda limit: self._refused(tenant, limit))

    def accounts(self) -> Iterator[tuple[str, Account]]:
        """All that is remembered, with its tenant."""
        for (tenant, whose), held in self._usages.items():
            budget = self._settings[tenant].of(whose)
            for name, usage in held.items():
                yield tenant, Account(whose, name, budget, usage)

    @property
    def now(self) -> float:
        """What the clock says."""
        return self._clock()

    def _usage(self, tenant: str, whose: Whose, name: str) -> Usage:
        held = self._of(tenant, whose)
        usage = held.get(name)
        if usage is None:
            usage = held[name] = Usage()
        return usage

    def _of(self, tenant: str, whose: Whose) -> LRUCache[str, Usage]:
        if (tenant, whose) not in self._usages:
            most = max(self._settings[tenant].remembered, 1)
            self._usages[tenant, whose] = LRUCache(most)
        return self._usages[tenant, whose]
