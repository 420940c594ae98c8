"""The budgets in force: of each tenant by its name, and shown in the metrics."""

from collections.abc import Mapping
from functools import partial

from bridge.api.tenancy import EVERYBODY
from bridge.config.settings import Settings
from bridge.storage.budgets import Budgets, BudgetSettings
from bridge.storage.payer import Account, Standing
from bridge.storage.usage import Sliding
from bridge.telemetry.budgets import BudgetMetrics


def budgets_of(settings: Settings) -> Mapping[str, BudgetSettings]:
    """The budgets of each tenant."""
    tenants = settings.tenancy.tenants or (EVERYBODY,)
    own, usual = settings.tenant_budgets, settings.budgets
    return {one.name: own.get(one.name, usual) for one in tenants}


def put_in_force(
    budgets: Budgets, settings: Mapping[str, BudgetSettings], metrics: BudgetMetrics
) -> None:
    """From now on these count."""

    def refused(tenant: str, standing: Standing) -> None:
        metrics.refused(tenant, standing.account.whose, standing.quantity, standing.period)

    budgets.apply(settings, refused)
    metrics.forget()
    for tenant in settings:
        payer = budgets.payer(tenant, "", "")
        for account in payer.accounts if payer else ():
            _watch(metrics, tenant, account, budgets)


def _watch(metrics: BudgetMetrics, tenant: str, account: Account, budgets: Budgets) -> None:
    for quantity, period, limit in account.budget.limits():
        used = account.usage.of(quantity, period)
        metrics.watch(tenant, quantity, period, partial(_ratio, used, limit, budgets))


def _ratio(used: Sliding, limit: int, budgets: Budgets) -> float:
    return used.total(budgets.now) / limit
