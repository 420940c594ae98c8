"""Budgets of tenants, users and dashboards: what is taken, refused, remembered."""

import pytest

from bridge.model.errors import BudgetUsedUp
from bridge.storage import payer as paying
from bridge.storage.budgets import Budgets, BudgetSettings
from bridge.storage.payer import Budget, Payer, Standing, Whose, paid_by
from bridge.storage.usage import Quantity


class World:
    """Budgets with a clock of their own."""

    def __init__(self, **settings: BudgetSettings) -> None:
        self.now = 0.0
        self.refused: list[tuple[str, Whose, Quantity]] = []
        self.budgets = Budgets(lambda: self.now)
        self.apply(**settings)

    def apply(self, **settings: BudgetSettings) -> None:
        def refused(tenant: str, standing: Standing) -> None:
            self.refused.append((tenant, standing.account.whose, standing.quantity))

        self.budgets.apply(settings, refused)

    def payer(self, tenant: str = "a", user: str = "", dashboard: str = "") -> Payer:
        payer = self.budgets.payer(tenant, user, dashboard)
        assert payer is not None
        return payer


BYTES = Budget(bytes_per_hour=100)


def test_nobody_pays_where_no_budget_is_set() -> None:
    world = World(a=BudgetSettings(), b=BudgetSettings(user=BYTES))
    assert world.budgets.payer("a", "ann", "d") is None
    assert world.budgets.payer("b", "", "d") is None
    assert world.budgets.payer("unknown", "ann", "d") is None
    assert world.budgets.payer("b", "ann", "d") is not None


def test_a_refusal_names_budget_setting_measure_and_when_it_is_free_again() -> None:
    world = World(a=BudgetSettings(user=Budget(samples_per_hour=10, bytes_per_day=100)))
    ann = world.payer(user="ann")
    ann.ask()
    ann.charge(12, 99)
    world.now = 600.0
    with pytest.raises(BudgetUsedUp) as caught:
        ann.ask()
    assert str(caught.value) == (
        'the budget of user "ann" is used up: within the last hour stores sent 12 samples for it,'
        " and budgets.user.samples_per_hour (10) allows no more; it is free again in 55m."
        " What is remembered is still answered"
    )
    assert caught.value.retry_after == 55 * 60
    assert world.refused == [("a", Whose.USER, Quantity.SAMPLES)]
    world.payer(user="bob").ask()
    world.now = 3900.0
    ann.ask()


def test_of_several_that_are_used_up_the_one_that_lasts_longest_is_named() -> None:
    both = Budget(bytes_per_hour=10, bytes_per_day=10)
    world = World(a=BudgetSettings(tenant=BYTES, user=both))
    ann = world.payer(user="ann")
    ann.charge(0, 100)
    with pytest.raises(BudgetUsedUp, match=r"budgets\.user\.bytes_per_day \(10\)") as caught:
        ann.ask()
    assert caught.value.retry_after == 25 * 3600
    with pytest.raises(BudgetUsedUp, match='the budget of tenant "a" is used up'):
        world.payer(user="bob").ask()


def test_tenants_have_budgets_apart_and_without_tenants_there_is_one_for_all() -> None:
    world = World(a=BudgetSettings(user=BYTES), b=BudgetSettings(user=BYTES))
    world.payer("a", "ann").charge(0, 100)
    world.payer("b", "ann").ask()
    alone = World()
    alone.budgets.apply({"": BudgetSettings(tenant=BYTES)}, lambda _tenant, _standing: None)
    alone.payer("").charge(0, 100)
    with pytest.raises(BudgetUsedUp, match="the budget of all requests is used up"):
        alone.payer("").ask()


def test_what_was_taken_stays_when_settings_change_and_leaves_with_its_tenant() -> None:
    world = World(a=BudgetSettings(user=BYTES))
    world.payer(user="ann").charge(0, 100)
    world.apply(a=BudgetSettings(user=Budget(bytes_per_hour=200)))
    world.payer(user="ann").ask()
    world.apply(a=BudgetSettings(user=BYTES))
    with pytest.raises(BudgetUsedUp):
        world.payer(user="ann").ask()
    world.apply(b=BudgetSettings(user=BYTES))
    assert list(world.budgets.accounts()) == []


def test_only_those_that_asked_last_are_remembered_of_each_kind() -> None:
    world = World(a=BudgetSettings(user=BYTES, dashboard=BYTES, remembered=3))
    world.payer(user="ann").charge(0, 100)
    for number in range(50):
        world.payer(dashboard=f"d{number}")
    names: dict[Whose, list[str]] = {whose: [] for whose in Whose}
    for _, account in world.budgets.accounts():
        names[account.whose].append(account.name)
    assert names == {Whose.TENANT: [], Whose.USER: ["ann"], Whose.DASHBOARD: ["d47", "d48", "d49"]}


def test_reads_of_nobody_and_reads_that_have_begun_are_not_asked() -> None:
    world = World(a=BudgetSettings(user=BYTES))
    paying.ask()
    paying.granted()
    paying.charge(5, 5)
    with paid_by(world.payer(user="ann")):
        paying.charge(0, 100)
        with pytest.raises(BudgetUsedUp):
            paying.ask()
        with paid_by(None):
            paying.ask()
        paying.granted()
        paying.ask()
        paying.charge(0, 7)
    (held,) = (account for _, account in world.budgets.accounts())
    (standing,) = held.standings(world.now)
    assert standing.used == 107
