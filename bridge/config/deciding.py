"""The part of a configuration that decides answers, for recordings: what is in it, and back."""

import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import yaml

from bridge.cache.settings import CacheSettings
from bridge.catalogue.settings import CatalogueSettings
from bridge.config.flags import Flags
from bridge.config.load import load
from bridge.config.masked import masked_yaml
from bridge.config.settings import Settings
from bridge.model.time import Bound
from bridge.remote.profiles import profile_of
from bridge.remote.settings import StoreSettings, shown_url
from bridge.storage.delegation import Pushdown
from bridge.telemetry.settings import QueryLogSettings

_GLOBAL: Final = ("evaluation_interval", "external_labels")
_ENTRY: Final = ("remote_timeout", "chunked_read_limit", "read_recent", "required_matchers")
_QUERY: Final = ("max_bytes",)
_STORE: Final = (
    "profile",
    "response_types",
    "end_exclusive",
    "name_matchers",
    "anchor_regex",
    "missing_label_ok",
    "max_query_range",
    "min_query_range",
    "split_interval",
    "max_concurrency",
    "max_samples",
    "max_series",
    "max_response_bytes",
    "retries",
    "labels",
    "drop_labels",
    "min_time",
    "max_time",
    "partial_response",
)
_REPLICAS: Final = ("stores", "mode", "gap", "hedge", "partial_response")
_DOLLAR: Final = "$"

Tree = dict[str, Any]
Change = Callable[[str, str], str]


@dataclass(frozen=True, slots=True)
class Deciding:
    """Trees of a prometheus.yml and of an own file, without credentials or ways to a store."""

    prometheus: Tree
    own: Tree


def settled(settings: Settings, now: int) -> Settings:
    """The settings under which a query reads all that it needs from the stores, and nothing else.

    Nothing is remembered or learned, no store evaluates anything, times relative to now (Unix ms)
    are fixed.
    """
    return replace(
        settings,
        stores=tuple(_settled(store, now) for store in settings.stores),
        cache=CacheSettings(enabled=False),
        store_caches={},
        catalogue=CatalogueSettings(bootstrap=False, crawl=0),
        query_log=QueryLogSettings(),
        tracing=None,
    )


def _settled(store: StoreSettings, now: int) -> StoreSettings:
    return replace(
        store,
        # A profile that is named needs no finding out.
        profile=profile_of(store).name,
        min_time=store.min_time and Bound(store.min_time.at(now)),
        max_time=store.max_time and Bound(store.max_time.at(now)),
        metadata_url="",
        query_url="",
        pushdown=Pushdown.NEVER,
    )


def deciding(settings: Settings) -> Deciding:
    """What of the settings decides answers."""
    shown = yaml.safe_load(masked_yaml(settings))
    named = zip(shown["remote_read"], settings.stores, strict=True)
    entries = [entry | {"name": one.name, "url": shown_url(one.url)} for entry, one in named]
    shown["remote_read"] = entries
    own = shown["prombridge"]
    return _picked(shown, own)


def _picked(prometheus: Tree, own: Tree) -> Deciding:
    """What may be taken from trees, which somebody else may have written."""
    entries = [
        _only(entry, (*_ENTRY, "name", "url", "filter_external_labels"))
        for entry in prometheus.get("remote_read", ())
    ]
    return Deciding(
        {"global": _only(prometheus.get("global", {}), _GLOBAL), "remote_read": entries},
        {
            "query": _only(own.get("query", {}), _QUERY),
            "stores": {name: _only(one, _STORE) for name, one in own.get("stores", {}).items()},
            "replicas": {
                name: _only(one, _REPLICAS) for name, one in own.get("replicas", {}).items()
            },
        },
    )


def _only(tree: Mapping[str, Any], keys: Iterable[str]) -> Tree:
    return {key: tree[key] for key in keys if key in tree}


def settings_of(held: Deciding, flags: Flags, now: int) -> Settings:
    """The settings that such trees describe; raises ConfigError.

    Keys that a recording has no use for are passed over: they may name files or hosts.
    """
    picked = _picked(held.prometheus, held.own)
    labels = picked.prometheus["global"].get("external_labels", {})
    escaped = {name: str(value).replace(_DOLLAR, 2 * _DOLLAR) for name, value in labels.items()}
    if escaped:
        picked.prometheus["global"]["external_labels"] = escaped
    own = {key: tree for key, tree in picked.own.items() if tree}
    with tempfile.TemporaryDirectory(prefix="prombridge-") as folder:
        files = Path(folder, "prometheus.yml"), Path(folder, "prombridge.yml")
        for file, tree in zip(files, (picked.prometheus, own), strict=True):
            file.write_text(yaml.safe_dump(tree))
        return settled(load(*files, flags).settings, now)


def pairs(held: Deciding) -> Iterable[tuple[str, str]]:
    """Every label name and value in the trees."""
    for tree in _labelled(held):
        yield from tree.items()


def relabelled(held: Deciding, change: Change) -> Deciding:
    """The same with each label value changed; URLs, which name hosts, go."""
    made = yaml.safe_load(yaml.safe_dump({"prometheus": held.prometheus, "own": held.own}))
    changed = Deciding(made["prometheus"], made["own"])
    for tree in _labelled(changed):
        tree.update({name: change(name, value) for name, value in tree.items()})
    for number, entry in enumerate(changed.prometheus["remote_read"]):
        entry["url"] = f"http://store-{number}.invalid/"
    return changed


def _labelled(held: Deciding) -> Iterable[dict[str, str]]:
    """The mappings of labels in the trees."""
    yield held.prometheus["global"].get("external_labels", {})
    for entry in held.prometheus["remote_read"]:
        yield entry.get("required_matchers", {})
    for store in held.own.get("stores", {}).values():
        yield store.get("labels", {})
