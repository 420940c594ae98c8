"""The settings as YAML for everyone's eyes: every secret reads `<secret>`."""

from collections.abc import Iterable
from typing import Any, Final

import yaml

from bridge.api.forwarding import ForwardingSettings
from bridge.api.tenancy import Tenant
from bridge.cache.settings import CacheSettings
from bridge.catalogue.settings import CatalogueSettings
from bridge.config.settings import Settings
from bridge.config.urls import masked_url
from bridge.engine.query import EngineSettings
from bridge.model.secret import TELLING, Secret
from bridge.model.time import format_duration
from bridge.remote.profiles import profile_of
from bridge.remote.settings import (
    Authorization,
    BasicAuth,
    HttpHeader,
    HttpSettings,
    OAuth2,
    SigV4,
    StoreSettings,
    TlsSettings,
)
from bridge.storage.budgets import BudgetSettings
from bridge.storage.payer import Whose, setting
from bridge.storage.replicas import ReplicaSettings
from bridge.telemetry.settings import TracingSettings

_MASK: Final = f"{Secret('')}"
Yaml = dict[str, Any]


def masked_yaml(settings: Settings) -> str:
    """What is in force: `global` and `remote_read` as in a prometheus.yml, then our own."""
    shown = {
        "global": {
            "evaluation_interval": format_duration(settings.engine.evaluation_interval),
            "query_log_file": settings.query_log.file,
            "external_labels": dict(settings.external_labels),
        },
        "tracing": settings.tracing and _tracing(settings.tracing),
        "remote_read": [_store(store) for store in settings.stores],
        "prombridge": {
            "web": {"tokens_file": settings.web.tokens_file},
            "query": {
                **_limits(settings.engine),
                "max_total_bytes": settings.engine.max_total_bytes,
                "cpu_slots": settings.engine.cpu_slots,
                "small_lane": settings.engine.turns.lane,
                "small_samples": settings.engine.turns.small_samples,
                "slow_after": format_duration(settings.query_log.slow_after_ms),
                "slow_log_file": settings.query_log.slow_file,
            },
            "budgets": {
                **_budgets(settings.budgets),
                "remembered": settings.budgets.remembered,
            },
            "cache": _cache(settings.cache),
            "catalogue": _catalogue(settings.catalogue),
            "forwarding": _forwarding(settings),
            "stores": {
                store.name: _own(store) | _own_cache(settings, store) for store in settings.stores
            },
            "replicas": {group.name: _replicas(group) for group in settings.replicas},
            "tenants": _tenancy(settings),
        },
    }
    return yaml.safe_dump(_without_empty(shown), sort_keys=False, allow_unicode=True, width=1000)


def masked_entry(store: StoreSettings) -> Yaml:
    """A store as an entry of `remote_read`: its URL and name, and what is not as by default."""
    usual = _store(StoreSettings("", ""))
    kept = {key: held for key, held in _store(store).items() if held != usual[key]}
    return dict(_without_empty(kept))


def _tracing(tracing: TracingSettings) -> Yaml:
    return {
        "client_type": tracing.client_type,
        "endpoint": tracing.endpoint,
        "sampling_fraction": tracing.sampling_fraction,
        "insecure": tracing.insecure,
        "tls_config": {
            "ca_file": tracing.ca_file,
            "cert_file": tracing.cert_file,
            "key_file": tracing.key_file,
        },
        # Collectors of others take keys in headers of any name.
        "headers": {name: _MASK for name, _ in tracing.headers},
        "compression": tracing.compression,
        "timeout": format_duration(tracing.timeout_ms) if tracing.timeout_ms else None,
    }


def _store(store: StoreSettings) -> Yaml:
    return {
        "url": masked_url(store.url),
        "remote_timeout": format_duration(store.remote_timeout_ms),
        "chunked_read_limit": store.chunked_read_limit,
        "headers": _plain_headers(store.headers),
        "read_recent": store.read_recent,
        "name": store.name,
        **_http(store.http),
        "required_matchers": dict(store.required_matchers),
        "filter_external_labels": store.filter_external_labels,
    }


def _own(store: StoreSettings) -> Yaml:
    profile = profile_of(store)
    return {
        "profile": profile.name,
        "response_types": list(map(str, profile.response_types)),
        "end_exclusive": profile.end_exclusive,
        "name_matchers": str(profile.name_matchers),
        "anchor_regex": profile.anchor_regex,
        "missing_label_ok": profile.missing_label_ok,
        "max_query_range": format_duration(profile.max_range),
        "min_query_range": format_duration(store.min_query_range_ms),
        "split_interval": format_duration(profile.split_interval),
        "max_concurrency": profile.concurrency,
        "max_samples": store.max_samples,
        "max_series": store.max_series,
        "max_response_bytes": store.max_response_bytes,
        "retries": store.retries,
        "labels": dict(store.labels),
        "drop_labels": list(store.drop_labels),
        "min_time": store.min_time and str(store.min_time),
        "max_time": store.max_time and str(store.max_time),
        "partial_response": str(store.partial),
        "metadata_url": store.metadata_url and masked_url(store.metadata_url),
        "query_url": store.query_url and masked_url(store.query_url),
        "pushdown": str(store.pushdown) if store.query_url else None,
        "forward_headers": list(store.forward_headers),
        "sigv4": store.http.sigv4 and _sigv4(store.http.sigv4),
    }


def _replicas(group: ReplicaSettings) -> Yaml:
    return {
        "stores": list(group.stores),
        "mode": str(group.mode),
        "gap": format_duration(group.gap),
        "hedge": format_duration(group.hedge),
        "partial_response": str(group.partial),
    }


def _limits(engine: EngineSettings) -> Yaml:
    limits, turns = engine.limits, engine.turns
    return {
        "max_bytes": engine.max_bytes,
        "max_expression_bytes": limits.expression_bytes,
        "max_matchers": limits.matchers,
        "max_regex_bytes": limits.regex_bytes,
        "max_range": format_duration(limits.range),
        "max_points": limits.points,
        "max_series": limits.series,
        "max_read_bytes": limits.read_bytes,
        "max_response_bytes": limits.response_bytes,
        "max_queued": turns.queued,
        "max_queue_wait": format_duration(turns.wait),
    }


def _tenant_limits(engine: EngineSettings) -> Yaml:
    return {
        "timeout": format_duration(engine.timeout),
        "max_samples": engine.max_samples,
        "max_concurrency": engine.turns.concurrency,
        **_limits(engine),
    }


def _budgets(budgets: BudgetSettings) -> Yaml:
    return {
        str(whose): {
            setting(quantity, period): limit
            for quantity, period, limit in budgets.of(whose).limits()
        }
        for whose in Whose
    }


def _tenancy(settings: Settings) -> Yaml:
    tenancy, engines = settings.tenancy, settings.tenant_engines
    budgets = settings.tenant_budgets
    return {
        "header": tenancy.header,
        "default": tenancy.default,
        "names": {
            one.name: _tenant(one)
            | ({"limits": _tenant_limits(engines[one.name])} if one.name in engines else {})
            | ({"budgets": _budgets(budgets[one.name])} if one.name in budgets else {})
            for one in tenancy.tenants
        },
    }


def _tenant(tenant: Tenant) -> Yaml:
    return {
        "users": list(tenant.users),
        "tokens": list(tenant.tokens),
        "header_values": list(tenant.header_values),
        "matchers": tenant.matchers and "{" + ", ".join(map(str, tenant.matchers)) + "}",
        "headers": _plain_headers(tenant.headers),
        "stores": list(tenant.stores),
        "operator": tenant.operator or None,
    }


def _cache(cache: CacheSettings) -> Yaml:
    return {
        "enabled": cache.enabled,
        "max_bytes": cache.max_bytes,
        "answers_max_bytes": cache.answers_max_bytes,
        **_store_cache(cache),
        "sealed_ttl": format_duration(cache.sealed_ttl),
        "young_ttl": format_duration(cache.young_ttl),
        "read_ahead": format_duration(cache.read_ahead),
        "dir": cache.dir,
        "dir_max_bytes": cache.dir_max_bytes if cache.dir else None,
        "valkey_url": cache.valkey_url and masked_url(cache.valkey_url.reveal()),
    }


def _catalogue(catalogue: CatalogueSettings) -> Yaml:
    return {
        "path": catalogue.path,
        "max_series": catalogue.max_series,
        "max_bytes": catalogue.max_bytes,
        "ttl": format_duration(catalogue.ttl),
        "seeds": list(catalogue.seeds),
        "seed_files": list(catalogue.seed_files),
        "bootstrap": catalogue.bootstrap,
        "bootstrap_window": format_duration(catalogue.bootstrap_window),
        "bootstrap_max_series": catalogue.bootstrap_max_series,
        "bootstrap_max_bytes": catalogue.bootstrap_max_bytes,
        "refresh": format_duration(catalogue.refresh),
        "probe_window": format_duration(catalogue.probe_window),
        "probes": catalogue.probes,
        "crawl": format_duration(catalogue.crawl),
    }


def _forwarding(settings: Settings) -> Yaml:
    held, none = settings.forwarding, ForwardingSettings()
    if held == none and not any(store.forward_headers for store in settings.stores):
        return {}
    return {"max_sets": held.max_sets, "max_value_bytes": held.max_value_bytes}


def _store_cache(cache: CacheSettings) -> Yaml:
    return {
        "freshness": format_duration(cache.freshness),
        "burst": format_duration(cache.burst),
        "out_of_order_window": format_duration(cache.out_of_order_window),
        "stale_if_error": cache.stale_if_error,
    }


def _own_cache(settings: Settings, store: StoreSettings) -> Yaml:
    cache = settings.store_caches.get(store.name)
    return {"cache": _store_cache(cache)} if cache else {}


def _http(http: HttpSettings) -> Yaml:
    return {
        "basic_auth": http.basic_auth and _basic_auth(http.basic_auth),
        "authorization": http.authorization and _authorization(http.authorization),
        "oauth2": http.oauth2 and _oauth2(http.oauth2),
        "follow_redirects": http.follow_redirects,
        **_transport(http),
        "http_headers": {header.name: _header(header) for header in http.headers},
    }


def _transport(http: HttpSettings) -> Yaml:
    return {
        "tls_config": _tls(http.tls),
        "proxy_url": http.proxy_url and masked_url(http.proxy_url.reveal()),
        "proxy_connect_header": {
            header.name: [str(secret) for secret in header.secrets] for header in http.proxy_headers
        },
        "no_proxy": http.no_proxy,
        "proxy_from_environment": http.proxy_from_environment or None,
    }


def _oauth2(held: OAuth2) -> Yaml:
    params = dict(held.endpoint_params)
    return {
        "client_id": held.client_id,
        "client_secret": held.client_secret and str(held.client_secret),
        "client_secret_file": held.client_secret_file,
        "scopes": list(held.scopes),
        "token_url": masked_url(held.token_url),
        "endpoint_params": {
            name: _MASK if TELLING.search(name) else params[name] for name in params
        },
        **_transport(held.http or HttpSettings()),
    }


def _sigv4(held: SigV4) -> Yaml:
    return {
        "region": held.region,
        "access_key": held.access_key,
        "secret_key": held.secret_key and str(held.secret_key),
        "profile": held.profile,
    }


def _basic_auth(held: BasicAuth) -> Yaml:
    return {
        "username": held.username,
        "username_file": held.username_file,
        "password": held.password and str(held.password),
        "password_file": held.password_file,
    }


def _authorization(held: Authorization) -> Yaml:
    return {
        "type": held.type,
        "credentials": held.credentials and str(held.credentials),
        "credentials_file": held.credentials_file,
    }


def _tls(held: TlsSettings) -> Yaml:
    return {
        "ca": held.ca,
        "ca_file": held.ca_file,
        "cert": held.cert,
        "cert_file": held.cert_file,
        "key": held.key and str(held.key),
        "key_file": held.key_file,
        "server_name": held.server_name,
        "insecure_skip_verify": held.insecure_skip_verify,
        "min_version": held.min_version,
        "max_version": held.max_version,
    }


def _plain_headers(headers: Iterable[tuple[str, str]]) -> Yaml:
    return {name: _MASK if TELLING.search(name) else value for name, value in headers}


def _header(held: HttpHeader) -> Yaml:
    return {
        "values": _masked_values(held),
        "secrets": [str(secret) for secret in held.secrets],
        "files": list(held.files),
    }


def _masked_values(held: HttpHeader) -> list[str]:
    values: Iterable[str] = held.values
    return [_MASK if TELLING.search(held.name) else value for value in values]


def _without_empty(tree: Any) -> Any:
    """The tree without what is not set: as Prometheus leaves out what is empty."""
    if isinstance(tree, dict):
        kept = {key: _without_empty(value) for key, value in tree.items()}
        return {key: value for key, value in kept.items() if value not in (None, "", {}, [], ())}
    return [_without_empty(item) for item in tree] if isinstance(tree, list) else tree
