"""The section `tenants` of prombridge's own settings: who sees what, and how each is known."""

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import AfterValidator

from bridge.api.tenancy import TenancySettings, Tenant
from bridge.config.fields import Flag, Section, Text, refused
from bridge.config.headers import HOP_BY_HOP, check_entry_headers, check_header_name
from bridge.config.own_budgets import TenantBudgetsSection
from bridge.config.own_limits import TenantLimitsSection
from bridge.config.urls import shown_key
from bridge.engine.query import EngineSettings
from bridge.model.errors import BadData
from bridge.model.labels import Matcher
from bridge.promql.selectors import parse_selector
from bridge.storage.budgets import BudgetSettings


def _check_selector(text: str) -> str:
    if text:
        try:
            matchers = parse_selector(text)
        except BadData as error:
            raise refused(f"not a selector: {error}") from None
        if all(one.matches("") for one in matchers):
            raise refused("selects everything that lacks these labels; it must ask for some value")
    return text


def _check_header(name: str) -> str:
    if name:
        check_header_name(name)
        if name.lower() in HOP_BY_HOP or name.lower() in ("authorization", "cookie", "host"):
            raise refused(f"{name} cannot say whose a request is")
    return name


def _check_headers(headers: dict[str, str] | None) -> dict[str, str]:
    for name in headers or {}:
        if name.lower() in HOP_BY_HOP:
            raise refused(f"{name} is a reserved header. It must not be changed")
    return check_entry_headers(headers)


Selector = Annotated[Text, AfterValidator(_check_selector)]
IdentityHeader = Annotated[Text, AfterValidator(_check_header)]
OwnHeaders = Annotated[dict[str, Text] | None, AfterValidator(_check_headers)]


class TenantSection(Section):
    """One of `tenants.names`."""

    users: list[Text] | None = None
    tokens: list[Text] | None = None
    header_values: list[Text] | None = None
    matchers: Selector = ""
    headers: OwnHeaders = None
    stores: list[Text] | None = None
    operator: Flag = False
    limits: TenantLimitsSection | None = None
    budgets: TenantBudgetsSection | None = None

    def settings(self, name: str, names: Mapping[str, str]) -> Tenant:
        """The settings; `names` has each store's name by its name and by its URL."""
        return Tenant(
            name,
            tuple(dict.fromkeys(self.users or ())),
            tuple(dict.fromkeys(self.tokens or ())),
            tuple(dict.fromkeys(self.header_values or ())),
            _matchers(self.matchers),
            tuple((self.headers or {}).items()),
            tuple(dict.fromkeys(names[store] for store in self.stores or ())),
            self.operator,
        )


class TenantsSection(Section):
    """`tenants`: all of them, and what a request is that is nobody's."""

    header: IdentityHeader = ""
    default: Text = ""
    names: dict[str, TenantSection | None] | None = None

    @property
    def sections(self) -> dict[str, TenantSection]:
        """Each tenant's section by its name."""
        return {name: held or TenantSection() for name, held in (self.names or {}).items()}

    def settings(self, names: Mapping[str, str]) -> TenancySettings:
        """The settings; `names` has each store's name by its name and by its URL."""
        tenants = (section.settings(name, names) for name, section in self.sections.items())
        return TenancySettings(tuple(tenants), self.header, self.default)

    def engines(self, engine: EngineSettings) -> dict[str, EngineSettings]:
        """The settings of the queries of tenants that have some of their own."""
        limited = {name: held.limits for name, held in self.sections.items() if held.limits}
        return {name: limits.applied(engine) for name, limits in limited.items()}

    def budgets(self, budgets: BudgetSettings) -> dict[str, BudgetSettings]:
        """The budgets of tenants that have some of their own."""
        own = {name: held.budgets for name, held in self.sections.items() if held.budgets}
        return {name: section.applied(budgets) for name, section in own.items()}

    def faults(self, names: Mapping[str, str], *, gated: bool) -> Iterator[tuple[str, str]]:
        """What cannot work, each with the tenant's name, empty where it is of all of them.

        `gated`: whether users or tokens are asked for at all.
        """
        if not self.sections:
            yield "", "names: no tenant is named, so that nobody could see anything"
        if self.default and self.default not in self.sections:
            yield "", f"default: no tenant has the name {self.default}"
        for name, section in self.sections.items():
            for text in self._faults_of(name, section, names, gated=gated):
                yield name, text

    def _faults_of(
        self, name: str, section: TenantSection, names: Mapping[str, str], *, gated: bool
    ) -> Iterator[str]:
        if not name:
            yield "a tenant needs a name"
        if section.header_values and not self.header:
            yield "header_values need tenants.header, the name of the header that has them"
        if (section.users or section.tokens) and not gated:
            yield "users and tokens are known with --web.config.file or web.tokens_file only"
        known = section.users or section.tokens or section.header_values
        if not known and name != self.default:
            yield "no request is of it: give it users, tokens or header_values, or make it default"
        if section.operator and section.matchers:
            yield "an operator sees what all tenants do: matchers would hide nothing"
        for store in section.stores or ():
            if store not in names:
                yield f"stores: no remote_read entry has the name or URL {shown_key(store)}"


def _matchers(selector: str) -> tuple[Matcher, ...]:
    return parse_selector(selector) if selector else ()
