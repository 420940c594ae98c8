"""The `cache` section of the own file, and those of single stores."""

from pathlib import Path

import pytest

from bridge.cache.settings import CacheSettings
from bridge.config.masked import masked_yaml
from tests.config.files import errors, loaded

READ = "remote_read: [{url: 'http://a/r', name: a}, {url: 'http://b/r', name: b}]\n"


def test_without_a_section_the_defaults_hold_for_every_store(tmp_path: Path) -> None:
    settings = loaded(tmp_path, READ, "query: {max_bytes: 1GB}").settings
    assert settings.cache == CacheSettings()
    assert settings.store_caches == {}


def test_each_key_is_set_and_a_store_may_differ(tmp_path: Path) -> None:
    own = """\
        cache:
          enabled: no
          max_bytes: 1GiB
          answers_max_bytes: 8MiB
          freshness: 5m
          burst: 0
          out_of_order_window: 2h
          sealed_ttl: 7d
          young_ttl: 1m
          read_ahead: 0
          dir: /var/lib/bridge
          dir_max_bytes: 1GB
          valkey_url: redis://:pw@host:6379/1
        stores:
          http://b/r: {cache: {freshness: 30m, burst: 2s}}
          b: {cache: {freshness: 20m}}
        """
    settings = loaded(tmp_path, READ, own).settings
    minute, hour = 60_000, 3_600_000
    assert settings.cache == CacheSettings(
        enabled=False,
        max_bytes=1 << 30,
        answers_max_bytes=8 << 20,
        freshness=5 * minute,
        burst=0,
        out_of_order_window=2 * hour,
        sealed_ttl=7 * 24 * hour,
        young_ttl=minute,
        read_ahead=0,
        dir="/var/lib/bridge",
        dir_max_bytes=1 << 30,
        valkey_url=settings.cache.valkey_url,
    )
    assert settings.cache.valkey_url
    assert settings.cache.valkey_url.reveal() == "redis://:pw@host:6379/1"
    assert "pw" not in masked_yaml(settings)
    (held,) = settings.store_caches.values()
    assert list(settings.store_caches) == ["b"]
    assert (held.freshness, held.burst, held.sealed_ttl) == (20 * minute, 2000, 7 * 24 * hour)


@pytest.mark.parametrize(
    ("own", "error"),
    [
        ("cache: {max_bytes: much}", 'cache.max_bytes: not a valid size: "much"'),
        ("cache: {freshness: 10 min}", "cache.freshness: "),
        ("cache: {valkey_url: 'http://:pw@x'}", "cache.valkey_url: unsupported or missing scheme"),
        ("cache: {fresh: 10m}", "cache: field fresh not found"),
        ("stores: {a: {cache: {max_bytes: 1GB}}}", "stores.a.cache: field max_bytes not found"),
    ],
)
def test_wrong_settings_are_refused(tmp_path: Path, own: str, error: str) -> None:
    (found,) = errors(tmp_path, READ, own)
    assert error in found
    assert "pw" not in found
