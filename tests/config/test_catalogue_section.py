"""The `catalogue` section of the own file."""

from pathlib import Path

import pytest

from bridge.catalogue.settings import CatalogueSettings
from tests.config.files import errors, loaded

READ = "remote_read: [{url: 'http://a/r', name: a}]\n"


def test_without_a_section_the_defaults_hold(tmp_path: Path) -> None:
    settings = loaded(tmp_path, READ, "query: {max_bytes: 1GB}").settings
    assert settings.catalogue == CatalogueSettings()


def test_each_key_is_set_and_files_are_relative_to_the_configuration(tmp_path: Path) -> None:
    own = """\
        catalogue:
          path: names.db
          max_series: 10
          max_bytes: 1GiB
          ttl: 1d
          seeds: [up, "node_.*"]
          seed_files: [board.json, /rules.yml]
          bootstrap: no
          bootstrap_window: 1h
          bootstrap_max_series: 20
          bootstrap_max_bytes: 1MiB
          refresh: 0
          probe_window: 1m
          probes: 2
          crawl: 1h
        """
    hour = 3_600_000
    assert loaded(tmp_path, READ, own).settings.catalogue == CatalogueSettings(
        path=str(tmp_path / "names.db"),
        max_series=10,
        max_bytes=1 << 30,
        ttl=24 * hour,
        seeds=("up", "node_.*"),
        seed_files=(str(tmp_path / "board.json"), "/rules.yml"),
        bootstrap=False,
        bootstrap_window=hour,
        bootstrap_max_series=20,
        bootstrap_max_bytes=1 << 20,
        refresh=0,
        probe_window=60_000,
        probes=2,
        crawl=hour,
    )


@pytest.mark.parametrize(
    ("own", "error"),
    [
        ('catalogue: {seeds: ["a("]}', "error parsing regexp: missing closing ): `a(`"),
        ("catalogue: {paths: x}", "not found"),
        ("catalogue: {ttl: never}", "expected a duration"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, own: str, error: str) -> None:
    (found,) = errors(tmp_path, READ, own)
    assert error in found
