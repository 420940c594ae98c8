"""Whole configurations: what is used, what is warned of, that every error is found at once."""

from pathlib import Path

import pytest

from bridge.config.errors import ConfigError
from bridge.config.flags import Flags
from bridge.config.load import check, load
from bridge.engine.demands import TurnSettings
from bridge.engine.query import EngineSettings
from bridge.remote.settings import ResponseType
from tests.config.files import errors, loaded, warnings, written

READ = "remote_read: [{url: 'http://store/read', name: s}]\n"


def test_flags_and_files_make_the_engines_settings(tmp_path: Path) -> None:
    flags = Flags(
        query_timeout=1000,
        query_max_samples=5,
        query_max_concurrency=2,
        query_lookback_delta=60_000,
        enable_feature=("promql-experimental-functions",),
    )
    found = loaded(
        tmp_path, READ + "global: {evaluation_interval: 15s}", "query: {max_bytes: 1GiB}", flags
    )
    assert found.settings.engine == EngineSettings(
        timeout=1000,
        max_samples=5,
        max_bytes=1 << 30,
        turns=TurnSettings(2),
        lookback=60_000,
        evaluation_interval=15_000,
        features=frozenset({"promql-experimental-functions"}),
    )


@pytest.mark.parametrize("text", ["", "global:", "global: {}", "global: {scrape_interval: 5s}"])
def test_the_evaluation_interval_defaults_to_a_minute(tmp_path: Path, text: str) -> None:
    assert loaded(tmp_path, READ + text).settings.engine.evaluation_interval == 60_000


def test_all_errors_of_all_files_and_flags_are_told_at_once(tmp_path: Path) -> None:
    config = written(
        tmp_path,
        """\
        global:
          scrape_timeout: 1h
          evaluation_interval: soon
        remote_reed: []
        remote_read:
          - url: http://a
            remote_timout: 1m
            read_recent: maybe
        """,
    )
    own = written(tmp_path, "querry: {}\nstores: {a: {retries: many}}\n", "own.yml")
    with pytest.raises(ConfigError) as caught:
        load(config, own, Flags(query_timeout=0))
    assert str(caught.value).replace(f"{tmp_path}/", "").split("\n") == [
        "--query.timeout: must be greater than 0",
        "own.yml:1: field querry not found in type config.plain; did you mean query?",
        (
            "own.yml:2: stores.a.retries: cannot unmarshal !!str `many` into uint64; "
            "expected a whole number from 0 on"
        ),
        (
            'prometheus.yml:3: global.evaluation_interval: not a valid duration string: "soon"; '
            "expected a duration such as 30s, 5m or 1h30m"
        ),
        (
            "prometheus.yml:4: field remote_reed not found in type config.plain; "
            "did you mean remote_read?"
        ),
        (
            "prometheus.yml:7: remote_read[0]: field remote_timout not found in type config.plain; "
            "did you mean remote_timeout?"
        ),
        (
            "prometheus.yml:8: remote_read[0].read_recent: cannot unmarshal !!str `maybe` "
            "into bool; expected true or false"
        ),
    ]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("global: {scrape_timeout: 2m}", "global: global scrape timeout greater than scrape int"),
        ("global: {foo: 1}", "global: field foo not found in type config.plain; expected one of"),
        ("global: [1]", "global: expected a mapping"),
        ("cache: {}", "field cache not found in type config.plain; it belongs to the file --prom"),
        ("global: {sample_limit: a}", "global.sample_limit: cannot unmarshal !!str `a` into uint"),
        ("global: {body_size_limit: 100}", "global.body_size_limit: units: unknown unit in 100"),
        ("global: {scrape_protocols: []}", "scrape_protocols cannot be empty for global config"),
        ("global: {scrape_protocols: [x]}", "scrape_protocols: unknown scrape protocol x, supp"),
        (
            "global: {scrape_protocols: [PrometheusProto, PrometheusProto]}",
            "duplicated protocol in scrape_protocols, got [PrometheusProto PrometheusProto]",
        ),
        ("global: {external_labels: {'': x}}", '"" is not a valid label name'),
        (
            "global: {external_labels: {é: x}, metric_name_validation_scheme: legacy}",
            '"é" is not a valid label name',
        ),
        (
            "global: {metric_name_validation_scheme: old}",
            "unrecognized ValidationScheme: old; expected one of legacy, utf8",
        ),
        ("remote_read: {url: a}", "remote_read: expected a list"),
    ],
)
def test_mistakes_outside_of_entries_are_refused(tmp_path: Path, text: str, error: str) -> None:
    found = errors(tmp_path, text)
    assert any(error in one for one in found), found


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "nothing.yml"
    assert check(missing).errors == (f"{missing}: no such file or directory",)
    assert check(tmp_path).errors == (f"{tmp_path}: is a directory",)
    binary = tmp_path / "binary.yml"
    binary.write_bytes(b"a: \xff")
    assert check(binary).errors == (f"{binary}: byte 3 is not UTF-8; expected YAML text",)


def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path) -> None:
    assert errors(tmp_path, "- a") == ["prometheus.yml:1: expected a mapping"]


def test_each_section_that_is_not_used_is_warned_of_once(tmp_path: Path) -> None:
    text = READ + (
        "rule_files: [a, b]\n"
        "alerting: {alertmanagers: [{x: 1}]}\n"
        "scrape_configs: [{job_name: a}, {job_name: b}]\n"
        "scrape_config_files: [a]\n"
        "remote_write: [{url: 'http://a'}, {url: 'http://b'}]\n"
        "storage: {tsdb: {}}\n"
        "otlp: {x: y}\n"
        "runtime: {gogc: 50}\n"
    )
    assert warnings(tmp_path, text) == [
        (
            "prometheus.yml:2: rule_files has no effect: "
            "prombridge evaluates no recording or alerting rules"
        ),
        "prometheus.yml:3: alerting has no effect: prombridge sends no alerts",
        "prometheus.yml:4: scrape_configs has no effect: prombridge scrapes no targets",
        "prometheus.yml:5: scrape_config_files has no effect: prombridge scrapes no targets",
        "prometheus.yml:6: remote_write has no effect: prombridge writes no samples",
        (
            "prometheus.yml:7: storage has no effect: "
            "prombridge has no storage of its own: neither TSDB nor exemplars"
        ),
        "prometheus.yml:8: otlp has no effect: prombridge receives no OTLP data",
        "prometheus.yml:9: runtime has no effect: prombridge has no Go runtime to tune",
    ]


def test_empty_sections_are_not_warned_of(tmp_path: Path) -> None:
    assert warnings(tmp_path, READ + "rule_files: []\nscrape_configs:\nglobal:\n") == []


def test_external_labels_filter_only_where_it_is_written(tmp_path: Path) -> None:
    labels = "global: {external_labels: {region: eu}}\n"
    silent = loaded(tmp_path, labels + "remote_read: [{url: 'http://a'}]")
    assert not silent.settings.stores[0].filter_external_labels
    assert silent.settings.stores[0].external_labels == (("region", "eu"),)
    assert "write filter_external_labels: true" in silent.warnings[0]
    for value in ("true", "false"):
        written_out = f"remote_read: [{{url: 'http://a', filter_external_labels: {value}}}]"
        assert loaded(tmp_path, labels + written_out).warnings == ()


def test_external_labels_take_environment_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGION", "eu")
    monkeypatch.delenv("NOTHING", raising=False)
    found = loaded(
        tmp_path,
        "remote_read: [{url: 'http://a', filter_external_labels: true}]\n"
        "global: {external_labels: {r: '${REGION}-1', n: $NOTHING, d: $$x}}\n",
    )
    assert found.settings.external_labels == (("d", "$x"), ("n", ""), ("r", "eu-1"))
    assert [one.rpartition(":2: ")[2] for one in found.warnings] == [
        "Empty environment variable: NOTHING"
    ]


def test_files_that_are_not_there_yet_are_warned_of(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("x")
    text = "remote_read:\n- url: http://a\n  basic_auth: {username_file: there, password_file: p}\n"
    (warning,) = warnings(tmp_path, text)
    assert warning == "prometheus.yml:3: remote_read[0].basic_auth.password_file: p does not exist"


@pytest.mark.parametrize(
    ("path", "read"),
    [
        ("/api/v1/write", "/api/v1/read"),
        ("/api/v1/push", "/prometheus/api/v1/read"),
        ("/mimir/api/v1/push", "/mimir/prometheus/api/v1/read"),
        ("/api/prom/push", "/api/prom/api/v1/read"),
        ("/api/v1/prom/remote/write", "/api/v1/prom/remote/read"),
    ],
)
def test_a_url_of_remote_write_is_warned_of(tmp_path: Path, path: str, read: str) -> None:
    (warning,) = warnings(tmp_path, f"remote_read:\n- url: http://u:secret@a{path}?b=c\n")
    assert warning == (
        f"prometheus.yml:2: remote_read[0].url: {path} is where samples are written;"
        f" they are read at {read}, if at all"
    )
    assert not warnings(tmp_path, f"remote_read:\n- url: http://a{read}\n")


def test_own_settings_are_keyed_by_name_or_url(tmp_path: Path) -> None:
    found = loaded(
        tmp_path,
        "remote_read: [{url: 'http://a/r', name: one}, {url: 'http://b/r?db=x'}]",
        """\
        stores:
          http://a/r: {retries: 5, max_query_range: 30d}
          one: {retries: 1, response_types: [samples], end_exclusive: true}
          http://b/r?db=x: {max_response_bytes: 512MiB, end_exclusive: no}
        """,
    )
    one, other = found.settings.stores
    assert one.retries == 1
    assert one.max_query_range_ms == 30 * 86_400_000
    assert one.response_types == (ResponseType.SAMPLES,)
    assert one.end_exclusive is True
    assert other.max_response_bytes == 512 << 20
    assert other.end_exclusive is False
    assert other.response_types is None


@pytest.mark.parametrize(
    ("own", "error"),
    [
        ("stores: {t: {}}", "1: stores.t: no remote_read entry has this name or URL; known are s"),
        (
            "stores: {'http://u:pw@x/y?k=pw': {}}",
            "1: stores.http://x/y: no remote_read entry has this name or URL; known are s",
        ),
        (
            "stores: {s: {retrys: 1}}",
            "1: stores.s: field retrys not found in type config.plain;",
        ),
        ("stores: {s: {response_types: [x]}}", "1: stores.s.response_types[0]: unknown response"),
        ("stores: {s: {max_response_bytes: 1 GB}}", 'max_response_bytes: not a valid size: "1 GB"'),
        ("query: {max_bytes: much}", '1: query.max_bytes: not a valid size: "much"; expected a si'),
    ],
)
def test_wrong_own_settings_are_refused(tmp_path: Path, own: str, error: str) -> None:
    (found,) = errors(tmp_path, READ, own)
    assert found.startswith("prombridge.yml:")
    assert error in found
    assert "pw" not in found


def test_an_empty_own_file_changes_nothing(tmp_path: Path) -> None:
    assert loaded(tmp_path, READ, "") == loaded(tmp_path, READ)
