"""The whole configuration: what every room is told when the bridge starts."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bridge.api.forwarding import ForwardingSettings
from bridge.api.tenancy import TenancySettings
from bridge.cache.settings import CacheSettings
from bridge.catalogue.settings import CatalogueSettings
from bridge.engine.query import EngineSettings
from bridge.remote.server import Serving
from bridge.remote.settings import StoreSettings
from bridge.storage.budgets import BudgetSettings
from bridge.storage.replicas import ReplicaSettings
from bridge.telemetry.settings import QueryLogSettings, TracingSettings

LabelPairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class WebSettings:
    """Where the bridge listens; an empty `host` is every address, `route_prefix` starts with /.

    `enable_admin_api`: whether requests may change what is remembered.
    `config_file` says who may ask, and how connections are secured; empty for anyone and not.
    `tokens_file` has the tokens of clients. `search_max_limit`: how much a search may ask for.
    `max_connections` at once; one ends if its request, or the next one, does not arrive within
    `read_timeout` (ms; 0: it may take forever). `max_notifications_subscribers` are told of notices
    as they come.
    """

    host: str
    port: int
    route_prefix: str
    enable_admin_api: bool = False
    cors_origin: str = ".*"
    enable_lifecycle: bool = False
    config_file: str = ""
    tokens_file: str = ""
    enable_search: bool = False
    search_max_limit: int = 10_000
    max_connections: int = 512
    read_timeout: int = 300_000
    max_notifications_subscribers: int = 16

    @property
    def listen_address(self) -> str:
        """The address as `--web.listen-address` takes it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What is logged: `level` debug, info, warn or error; `format` logfmt or json."""

    level: str
    format: str


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that is configured; `stores` has one entry at least, with distinct names.

    `replicas` are groups of stores that hold the same data; a store is in one of them at most.
    `store_caches` has the cache settings of the stores whose own differ from `cache`, by name.
    `tenant_engines` has the engine's settings of the tenants whose own differ from `engine`, by
    name; `tenant_budgets` likewise those whose own differ from `budgets`.
    `flags` are the command line's, as they are shown.
    """

    stores: tuple[StoreSettings, ...]
    engine: EngineSettings
    web: WebSettings
    log: LogSettings
    external_labels: LabelPairs
    cache: CacheSettings = field(default_factory=CacheSettings)
    catalogue: CatalogueSettings = field(default_factory=CatalogueSettings)
    store_caches: Mapping[str, CacheSettings] = field(default_factory=dict)
    replicas: tuple[ReplicaSettings, ...] = ()
    query_log: QueryLogSettings = field(default_factory=QueryLogSettings)
    tracing: TracingSettings | None = None
    flags: Mapping[str, str] = field(default_factory=dict)
    serving: Serving = field(default_factory=Serving)
    tenancy: TenancySettings = field(default_factory=TenancySettings)
    forwarding: ForwardingSettings = field(default_factory=ForwardingSettings)
    tenant_engines: Mapping[str, EngineSettings] = field(default_factory=dict)
    budgets: BudgetSettings = field(default_factory=BudgetSettings)
    tenant_budgets: Mapping[str, BudgetSettings] = field(default_factory=dict)
