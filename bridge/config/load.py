"""Files and flags → the whole Settings, or everything that is wrong with them."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeVar

from bridge.api.forwarding import ForwardingSettings
from bridge.api.tenancy import TenancySettings
from bridge.cache.settings import CacheSettings
from bridge.catalogue.settings import CatalogueSettings
from bridge.config import forwarding
from bridge.config.document import Document, read_document
from bridge.config.errors import ConfigError, Problem
from bridge.config.expansion import expanded
from bridge.config.fields import joined
from bridge.config.flags import Flags
from bridge.config.global_section import GlobalSection
from bridge.config.notices import missing_files, unused, written_to
from bridge.config.own import OwnFile, QuerySection, StoreSection, WebSection
from bridge.config.own_budgets import BudgetsSection
from bridge.config.own_cache import CacheSection
from bridge.config.own_catalogue import CatalogueSection
from bridge.config.own_forwarding import ForwardingSection
from bridge.config.own_replicas import replica_faults
from bridge.config.prometheus import PrometheusFile
from bridge.config.remote_read import RemoteReadSection
from bridge.config.settings import LabelPairs, Settings, WebSettings
from bridge.config.urls import shown_key
from bridge.config.validation import validated
from bridge.config.web_file import load_web_file
from bridge.engine.demands import TurnSettings
from bridge.engine.query import EngineSettings
from bridge.remote.settings import StoreSettings, shown_url
from bridge.storage.budgets import BudgetSettings
from bridge.telemetry.settings import QueryLogSettings, otel_installed

T = TypeVar("T")

_DEFAULTS: Final = Flags()


@dataclass(frozen=True, slots=True)
class Loaded:
    """A usable configuration, and what its owner should know about it, one sentence each."""

    settings: Settings
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What `prombridge check-config` says; the configuration is usable if there are no errors."""

    errors: tuple[str, ...]
    warnings: tuple[str, ...]


def load(config_file: Path, bridge_file: Path | None, flags: Flags = _DEFAULTS) -> Loaded:
    """The settings of a prometheus.yml, an own file and the flags.

    Raises ConfigError with all problems found in all of them.
    """
    loader = _Loader(flags)
    settings = loader.settings(config_file, bridge_file)
    return Loaded(settings, tuple(map(str, sorted(set(loader.warnings)))))


def check(config_file: Path, bridge_file: Path | None = None, flags: Flags = _DEFAULTS) -> Report:
    """What is wrong and what is noteworthy about a configuration; never raises ConfigError."""
    try:
        return Report((), load(config_file, bridge_file, flags).warnings)
    except ConfigError as error:
        return Report(tuple(map(str, error.problems)), ())


class _Loader:
    """One run of loading: what was found wrong and noteworthy so far."""

    def __init__(self, flags: Flags) -> None:
        self._flags = flags
        self._problems: list[Problem] = list(flags.problems())
        self.warnings: list[Problem] = list(flags.warnings())

    def settings(self, config_file: Path, bridge_file: Path | None) -> Settings:
        document = self._kept(lambda: read_document(config_file))
        file = document and self._kept(lambda: validated(document, PrometheusFile))
        own_document = bridge_file and self._kept(lambda: read_document(bridge_file))
        own = own_document and self._kept(lambda: validated(own_document, OwnFile))
        if document and file:
            self._problems += (document.problem(*one) for one in file.conflicts())
            self.warnings += unused(document, file)
        if document and file and own_document and own:
            self._problems += _unknown_stores(own_document, own, file)
            self._problems += _wrong_replicas(own_document, own, file)
            self._problems += _two_identities(own_document, own, file)
            self._problems += self._wrong_tenants(own_document, own, file)
            self._problems += self._wrong_forwarding(own_document, own, file)
        if self._problems or not document or not file:
            raise ConfigError(self._problems)
        folders = (config_file.parent, bridge_file.parent if bridge_file else Path())
        return self._assembled(document, file, own or OwnFile(), folders)

    def _wrong_tenants(
        self, document: Document, own: OwnFile, file: PrometheusFile
    ) -> Iterator[Problem]:
        """What cannot work; what is well known to go wrong becomes a warning."""
        tenants = own.tenants
        if tenants is None:
            return
        gated = bool(self._flags.web_config_file or (own.web and own.web.tokens_file))
        for name, text in tenants.faults(_names_by_key(file.reads), gated=gated):
            place = ("tenants", "names", name) if name else ("tenants",)
            shown = f"tenants.names.{shown_key(name)}" if name else "tenants"
            yield document.problem(place, f"{shown}: {text}")
        if tenants.header and not gated:
            text = (
                f"tenants.header: whoever reaches prombridge can write {tenants.header}: let only"
                " a proxy reach it that sets the header, or ask for users or tokens"
            )
            self.warnings.append(document.problem(("tenants", "header"), text))

    def _wrong_forwarding(
        self, document: Document, own: OwnFile, file: PrometheusFile
    ) -> Iterator[Problem]:
        """What cannot be sent on to a store; who could write it at will becomes a warning."""
        gated, names = self._asks_clients(own), _names_by_key(file.reads)

        def problem(key: str, text: str) -> Problem:
            shown = f"stores.{shown_key(key)}.forward_headers: {text}"
            return document.problem(("stores", key, "forward_headers"), shown)

        for name, entry in zip(_names(file.reads), file.reads, strict=True):
            sending = forwarding.Sending.of(name, entry, own)
            yield from (
                problem(*one) for one in forwarding.faults(sending, own, names, gated=gated)
            )
            if not gated:
                self.warnings += (problem(*one) for one in forwarding.remarks(sending))

    def _asks_clients(self, own: OwnFile) -> bool:
        """Whether clients have to prove who they are by headers."""
        if own.web and own.web.tokens_file:
            return True
        file = self._flags.web_config_file
        try:
            return bool(file and load_web_file(Path(file)).users)
        except ConfigError:
            # What it asks for is not known; nobody passes as long as that is so.
            return True

    def _kept(self, read: Callable[[], T]) -> T | None:
        """What `read` gives; its problems are kept for later."""
        try:
            return read()
        except ConfigError as error:
            self._problems += error.problems
            return None

    def _assembled(
        self, document: Document, file: PrometheusFile, own: OwnFile, folders: tuple[Path, Path]
    ) -> Settings:
        folder, own_folder = folders
        section = file.global_ or GlobalSection()
        labels = self._external_labels(document, section)
        named = zip(_names(file.reads), file.reads, strict=True)
        stores = [entry.settings(name, folder, labels) for name, entry in named]
        for index, store in enumerate(stores):
            self.warnings += missing_files(document, index, store)
            self.warnings += written_to(document, index, store)
        cache = (own.cache or CacheSection()).applied(CacheSettings())
        budgets = (own.budgets or BudgetsSection()).applied(BudgetSettings())
        engine = _engine(self._flags, section, own.query or QuerySection())
        return Settings(
            stores=tuple(_with_own(store, own) for store in stores),
            cache=cache,
            catalogue=(own.catalogue or CatalogueSection()).applied(CatalogueSettings(), folder),
            store_caches=dict(_store_caches(stores, own, cache)),
            replicas=tuple(
                section.settings(name, _names_by_key(file.reads))
                for name, section in (own.replicas or {}).items()
                if section
            ),
            engine=engine,
            tenant_engines=own.tenants.engines(engine) if own.tenants else {},
            budgets=budgets,
            tenant_budgets=own.tenants.budgets(budgets) if own.tenants else {},
            web=_web(self._flags, own.web or WebSection(), own_folder),
            log=self._flags.log,
            flags=self._flags.shown(),
            serving=self._flags.serving,
            external_labels=labels,
            forwarding=(own.forwarding or ForwardingSection()).applied(ForwardingSettings()),
            tenancy=own.tenants.settings(_names_by_key(file.reads))
            if own.tenants
            else TenancySettings(),
            query_log=_query_log(section, folder, own.query or QuerySection(), own_folder),
            tracing=file.tracing.settings(folder) if file.tracing and otel_installed() else None,
        )

    def _external_labels(self, document: Document, section: GlobalSection) -> LabelPairs:
        def lookup(name: str) -> str:
            value = os.environ.get(name, "")
            if not value:
                text = f"Empty environment variable: {name}"
                self.warnings.append(document.problem(("global", "external_labels"), text))
            return value

        labels = sorted((section.external_labels or {}).items())
        return tuple((name, expanded(value, lookup)) for name, value in labels)


def _engine(flags: Flags, section: GlobalSection, query: QuerySection) -> EngineSettings:
    settings = EngineSettings(
        timeout=flags.query_timeout,
        max_samples=flags.query_max_samples,
        turns=TurnSettings(flags.query_max_concurrency),
        lookback=flags.query_lookback_delta,
        evaluation_interval=section.evaluation_interval or 60_000,
        features=frozenset(flags.features),
    )
    return query.applied(settings)


def _query_log(
    section: GlobalSection, folder: Path, query: QuerySection, own_folder: Path
) -> QueryLogSettings:
    settings = QueryLogSettings(
        file=joined(folder, section.query_log_file) or "",
        slow_file=joined(own_folder, query.slow_log_file) or "",
    )
    if query.slow_after is None:
        return settings
    return replace(settings, slow_after_ms=query.slow_after)


def _web(flags: Flags, section: WebSection, own_folder: Path) -> WebSettings:
    return replace(flags.web, tokens_file=joined(own_folder, section.tokens_file) or "")


def _names(entries: list[RemoteReadSection]) -> Iterator[str]:
    """Each entry's name; without one its URL, numbered where several look alike."""
    taken = {entry.name for entry in entries if entry.name}
    for entry in entries:
        name, number = entry.name or shown_url(entry.url), 2
        while not entry.name and name in taken:
            name, number = f"{shown_url(entry.url)}#{number}", number + 1
        taken.add(name)
        yield name


def _with_own(store: StoreSettings, own: OwnFile) -> StoreSettings:
    """The store with what its URL, then what its name says in the own file."""
    for section in _sections(store, own):
        store = section.applied(store)
    return store


def _store_caches(
    stores: Iterable[StoreSettings], own: OwnFile, cache: CacheSettings
) -> Iterator[tuple[str, CacheSettings]]:
    """The cache settings of the stores that have some of their own."""
    for store in stores:
        held = cache
        for section in _sections(store, own):
            held = section.cache.applied(held) if section.cache else held
        if held != cache:
            yield store.name, held


def _sections(store: StoreSettings, own: OwnFile) -> Iterator[StoreSection]:
    for key in (store.url, store.name):
        if section := (own.stores or {}).get(key):
            yield section


def _names_by_key(entries: list[RemoteReadSection]) -> dict[str, str]:
    """Each entry's name by its URL and by itself; of several with one URL the first counts."""
    named = list(zip(_names(entries), entries, strict=True))
    urls = {entry.url: name for name, entry in reversed(named)}
    return urls | {name: name for name, _ in named}


def _wrong_replicas(document: Document, own: OwnFile, file: PrometheusFile) -> Iterator[Problem]:
    for group, text in replica_faults(own.replicas or {}, _names_by_key(file.reads)):
        yield document.problem(("replicas", group), f"replicas.{shown_key(group)}: {text}")


def _two_identities(document: Document, own: OwnFile, file: PrometheusFile) -> Iterator[Problem]:
    """Stores that would be sent two kinds of credentials."""
    names = _names_by_key(file.reads)
    entries = dict(zip(_names(file.reads), file.reads, strict=True))
    for key, section in (own.stores or {}).items():
        entry = entries.get(names.get(key, ""))
        if entry and section and section.sigv4 and entry.authenticates:
            text = "at most one of basic_auth, authorization, oauth2 & sigv4 must be configured"
            yield document.problem(("stores", key, "sigv4"), f"stores.{shown_key(key)}: {text}")


def _unknown_stores(document: Document, own: OwnFile, file: PrometheusFile) -> Iterator[Problem]:
    names = list(_names(file.reads))
    urls = {entry.url for entry in file.reads}
    for key in own.stores or {}:
        if key not in urls and key not in names:
            known = ", ".join(names)
            text = f"no remote_read entry has this name or URL; known are {known}"
            yield document.problem(("stores", key), f"stores.{shown_key(key)}: {text}")
