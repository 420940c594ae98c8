"""The section `budgets` of prombridge's own settings: of every tenant, or a tenant's own."""

from dataclasses import replace
from typing import Any

from bridge.config.fields import Section, Size, Whole
from bridge.storage.budgets import BudgetSettings
from bridge.storage.payer import Budget, Whose


class BudgetSection(Section):
    """One budget; what is absent stays as it is."""

    samples_per_hour: Whole | None = None
    samples_per_day: Whole | None = None
    bytes_per_hour: Size | None = None
    bytes_per_day: Size | None = None

    def applied(self, budget: Budget) -> Budget:
        """The budget with these on top."""
        return replace(budget, **self.model_dump(exclude_none=True))


class TenantBudgetsSection(Section):
    """`budgets` of a tenant: its own, and that of each of its users and dashboards."""

    tenant: BudgetSection | None = None
    user: BudgetSection | None = None
    dashboard: BudgetSection | None = None

    def applied(self, settings: BudgetSettings) -> BudgetSettings:
        """The settings with these on top."""
        sections: dict[str, BudgetSection | None] = {one: getattr(self, one) for one in Whose}
        wanted: dict[str, Any] = {
            str(whose): section.applied(settings.of(Whose(whose)))
            for whose, section in sections.items()
            if section
        }
        return replace(settings, **wanted)


class BudgetsSection(TenantBudgetsSection):
    """`budgets`: those of each tenant that has none of its own; of all requests without tenants."""

    remembered: Whole | None = None

    def applied(self, settings: BudgetSettings) -> BudgetSettings:
        """The settings with these on top."""
        own = super().applied(settings)
        return own if self.remembered is None else replace(own, remembered=self.remembered)
