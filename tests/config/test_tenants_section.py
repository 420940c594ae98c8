"""The section `tenants`: what is read of it, and what is said of mistakes."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from bridge.api.tenancy import Tenant
from bridge.app.budgeting import budgets_of
from bridge.config.flags import Flags
from bridge.config.load import check
from bridge.config.masked import masked_yaml
from bridge.model.labels import Matcher, MatchType
from bridge.storage.budgets import BudgetSettings
from bridge.storage.payer import Budget
from tests.config.files import errors, loaded, written

FILE = "remote_read: [{url: 'http://store/read', name: far}]"
WHOLE = """
tenants:
  header: X-Scope-OrgID
  default: guests
  names:
    team-a:
      users: [ann]
      tokens: [grafana-a]
      header_values: [a]
      matchers: '{team="a",env=~"prod|dev"}'
      headers: {X-Scope-OrgID: a, X-Api-Key: hush}
      stores: ['http://store/read']
    ops: {users: [root], operator: true}
    guests: {matchers: '{public="yes"}'}
web: {tokens_file: tokens}
"""


def test_all_keys_are_read(tmp_path: Path) -> None:
    tenancy = loaded(tmp_path, FILE, WHOLE).settings.tenancy
    assert (tenancy.header, tenancy.default) == ("X-Scope-OrgID", "guests")
    first, ops, guests = tenancy.tenants
    assert first == Tenant(
        "team-a",
        ("ann",),
        ("grafana-a",),
        ("a",),
        (
            Matcher("team", MatchType.EQUAL, "a"),
            Matcher.checked("env", MatchType.REGEXP, "prod|dev"),
        ),
        (("X-Scope-OrgID", "a"), ("X-Api-Key", "hush")),
        ("far",),
    )
    assert ops == Tenant("ops", ("root",), operator=True)
    assert guests.matchers == (Matcher("public", MatchType.EQUAL, "yes"),)


def test_limits_are_those_of_all_but_for_what_a_tenant_has_of_its_own(tmp_path: Path) -> None:
    own = """
query: {max_series: 100, max_range: 1d, cpu_slots: 3, small_lane: 2}
tenants:
  default: a
  names: {a: {limits: {max_series: 7, max_concurrency: 2, timeout: 5s}}}
"""
    settings = loaded(tmp_path, FILE, own).settings
    engine, tenants = settings.engine, settings.tenant_engines["a"]
    assert (engine.limits.series, engine.cpu_slots, engine.turns.lane) == (100, 3, 2)
    assert (tenants.limits.series, tenants.limits.range) == (7, 86_400_000)
    assert (tenants.turns.concurrency, tenants.timeout) == (2, 5_000)
    assert "max_series: 7" in masked_yaml(settings)


def test_budgets_are_those_of_all_but_for_what_a_tenant_has_of_its_own(tmp_path: Path) -> None:
    own = """
budgets:
  user: {bytes_per_hour: 5GB, samples_per_day: 1e9}
  remembered: 7
tenants:
  default: a
  names:
    a: {budgets: {user: {bytes_per_hour: 0}, dashboard: {bytes_per_day: 1GB}}}
    b: {users: [x]}
web: {tokens_file: tokens}
"""
    settings = loaded(tmp_path, FILE, own).settings
    user = Budget(samples_per_day=10**9, bytes_per_hour=5 << 30)
    assert settings.budgets == BudgetSettings(user=user, remembered=7)
    dashboard = Budget(bytes_per_day=1 << 30)
    tenants = BudgetSettings(
        user=replace(user, bytes_per_hour=0), dashboard=dashboard, remembered=7
    )
    assert settings.tenant_budgets == {"a": tenants}
    assert budgets_of(settings) == {"a": tenants, "b": settings.budgets}
    shown = yaml.safe_load(masked_yaml(settings))["prombridge"]
    assert shown["budgets"] == {
        "user": {"samples_per_day": 10**9, "bytes_per_hour": 5 << 30},
        "remembered": 7,
    }
    assert shown["tenants"]["names"]["a"]["budgets"]["dashboard"] == {"bytes_per_day": 1 << 30}


def test_values_of_telling_headers_are_masked(tmp_path: Path) -> None:
    shown = masked_yaml(loaded(tmp_path, FILE, WHOLE).settings)
    assert "hush" not in shown
    assert 'matchers: \'{team="a", env=~"prod|dev"}\'' in shown


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("{}", "tenants: names: no tenant is named, so that nobody could see anything"),
        (
            "{default: b, names: {a: {users: [x]}}}",
            "tenants: default: no tenant has the name b",
        ),
        (
            "{default: a, names: {a: {matchers: '{'}}}",
            (
                "tenants.names.a.matchers: not a selector: 1:2: parse error: unexpected end of"
                " input inside braces"
            ),
        ),
        (
            "{default: a, names: {a: {matchers: '{team!=\"b\"}'}}}",
            (
                "tenants.names.a.matchers: selects everything that lacks these labels;"
                " it must ask for some value"
            ),
        ),
        (
            "{default: a, names: {a: {headers: {Connection: close}}}}",
            "tenants.names.a.headers: Connection is a reserved header. It must not be changed",
        ),
        (
            "{default: a, names: {a: {headers: {Transfer-Encoding: chunked}}}}",
            (
                "tenants.names.a.headers: Transfer-Encoding is a reserved header."
                " It must not be changed"
            ),
        ),
        (
            "{header: Authorization, names: {a: {header_values: [x]}}}",
            "tenants.header: Authorization cannot say whose a request is",
        ),
        (
            "{header: Connection, names: {a: {header_values: [x]}}}",
            "tenants.header: Connection cannot say whose a request is",
        ),
        (
            "{default: a, names: {a: {header_values: [x]}}}",
            (
                "tenants.names.a: header_values need tenants.header, the name of the header that"
                " has them"
            ),
        ),
        (
            "{default: a, names: {a: , b: }}",
            (
                "tenants.names.b: no request is of it: give it users, tokens or header_values, or"
                " make it default"
            ),
        ),
        (
            "{default: a, names: {a: {operator: true, matchers: '{x=\"y\"}'}}}",
            "tenants.names.a: an operator sees what all tenants do: matchers would hide nothing",
        ),
        (
            "{default: a, names: {a: {stores: [near]}}}",
            "tenants.names.a: stores: no remote_read entry has the name or URL near",
        ),
        (
            "{default: a, names: {a: {matcher: x}}}",
            "tenants.names.a: field matcher not found in type config.plain; did you mean matchers?",
        ),
    ],
)
def test_mistakes_are_refused_with_their_place(tmp_path: Path, text: str, error: str) -> None:
    own = f"web: {{tokens_file: tokens}}\ntenants: {text}"
    assert errors(tmp_path, FILE, own) == [f"prombridge.yml:2: {error}"]


def test_users_need_somebody_who_asks_for_them(tmp_path: Path) -> None:
    own = "tenants: {names: {a: {users: [ann]}}}"
    (error, *_) = errors(tmp_path, FILE, own)
    assert error.endswith(
        "users and tokens are known with --web.config.file or web.tokens_file only"
    )


def test_a_header_that_anybody_can_write_is_warned_of(tmp_path: Path) -> None:
    own = written(
        tmp_path, "tenants: {header: X-T, names: {a: {header_values: [a]}}}", "prombridge.yml"
    )
    (warning,) = check(written(tmp_path, FILE), own).warnings
    assert "whoever reaches prombridge can write X-T" in warning
    gated = Flags(web_config_file="web.yml")
    assert not check(written(tmp_path, FILE), own, gated).warnings
