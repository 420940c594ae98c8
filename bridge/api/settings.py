"""What an operator decides about the HTTP API."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """Where the API stands and what it shows of the configuration.

    All paths stand below `route_prefix`: empty, or a path that starts with a slash and does not end
    with one. `cors_origin` is a regular expression for a whole Origin, `.*` for any. `config_yaml`
    is what `/api/v1/status/config` shows, with its secrets hidden; `flags` what
    `/api/v1/status/flags` does. `external_labels` are added to federated series.
    `enable_admin_api`: whether requests may change what is remembered. `enable_lifecycle` lets
    clients reload the configuration and end the process. `enable_search` lets them search names,
    for at most `search_max_limit` of them (0: any number). `max_notifications_subscribers` are told
    of notices as they come.
    """

    route_prefix: str = ""
    cors_origin: str = ".*"
    config_yaml: str = ""
    enable_admin_api: bool = False
    enable_lifecycle: bool = False
    enable_search: bool = False
    search_max_limit: int = 10_000
    max_notifications_subscribers: int = 16
    flags: Mapping[str, str] = field(default_factory=dict)
    external_labels: tuple[tuple[str, str], ...] = ()
