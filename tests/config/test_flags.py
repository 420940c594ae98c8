"""The command line's values, right and wrong."""

from contextlib import redirect_stdout
from io import StringIO

import pytest

from bridge.cli import main
from bridge.config.flags import Flags
from bridge.config.settings import WebSettings


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [
        ("127.0.0.1:9099", "127.0.0.1", 9099),
        (":80", "", 80),
        ("[::1]:9099", "::1", 9099),
        ("localhost:0", "localhost", 0),
    ],
)
def test_listen_address_is_host_and_port(address: str, host: str, port: int) -> None:
    flags = Flags(web_listen_address=address)
    assert not list(flags.problems())
    assert flags.web == WebSettings(host, port, "/")
    assert flags.web.listen_address == address


@pytest.mark.parametrize(
    ("prefix", "shown"), [("", "/"), ("/", "/"), ("a", "/a"), ("/a/b/", "/a/b")]
)
def test_route_prefix_starts_with_one_slash_and_ends_with_none(prefix: str, shown: str) -> None:
    assert Flags(web_route_prefix=prefix).web.route_prefix == shown


@pytest.mark.parametrize(
    ("flags", "problem"),
    [
        (
            Flags(web_listen_address="9099"),
            '--web.listen-address: "9099" is not an address; expected HOST:PORT',
        ),
        (
            Flags(web_listen_address="h:70000"),
            '--web.listen-address: "h:70000" is not an address; expected HOST:PORT',
        ),
        (Flags(query_timeout=0), "--query.timeout: must be greater than 0"),
        (Flags(web_max_connections=0), "--web.max-connections: must be greater than 0"),
        (Flags(query_max_samples=-1), "--query.max-samples: must be greater than 0"),
        (Flags(query_max_concurrency=0), "--query.max-concurrency: must be greater than 0"),
        (Flags(query_lookback_delta=0), "--query.lookback-delta: must be greater than 0"),
        (
            Flags(web_search_max_limit=-1),
            "--web.search.max-limit: must be non-negative; got -1 (use 0 to disable the cap)",
        ),
        (
            Flags(log_level="loud"),
            '--log.level: "loud" is not known; expected one of debug, info, warn, error',
        ),
        (
            Flags(log_format="xml"),
            '--log.format: "xml" is not known; expected one of logfmt, json',
        ),
    ],
)
def test_unusable_values_are_refused(flags: Flags, problem: str) -> None:
    assert [str(one) for one in flags.problems()] == [problem]


def test_features_may_be_listed_and_repeated() -> None:
    flags = Flags(enable_feature=("promql-per-step-stats, a", "a", ""))
    assert flags.features == ("promql-per-step-stats", "a")


@pytest.mark.parametrize(
    ("feature", "warnings"),
    [
        ("promql-experimental-functions", []),
        ("promql-delayed-name-removal,type-and-unit-labels", []),
        ("search-api", []),
        ("foo", ["Unknown option for --enable-feature: foo"]),
        (
            "promql-duration-expr",
            [
                (
                    "This option for --enable-feature is now permanently enabled "
                    "and therefore a no-op: promql-duration-expr"
                )
            ],
        ),
        (
            "exemplar-storage",
            ["This option for --enable-feature has no effect in prombridge: exemplar-storage"],
        ),
    ],
)
def test_features_without_effect_are_warned_of(feature: str, warnings: list[str]) -> None:
    assert [str(one) for one in Flags(enable_feature=(feature,)).warnings()] == warnings


def test_searching_is_switched_on_by_its_feature() -> None:
    on = Flags(enable_feature=("search-api",), web_search_max_limit=5).web
    assert (on.enable_search, on.search_max_limit) == (True, 5)
    assert (Flags().web.enable_search, Flags().web.search_max_limit) == (False, 10_000)


def test_flags_are_shown_under_the_names_of_the_command_line() -> None:
    with pytest.raises(SystemExit), redirect_stdout(StringIO()) as printed:
        main(["serve", "--help"])
    shown = Flags(enable_feature=("a", "b,c"), query_timeout=90_000).shown()
    assert all(f"--{name}" in printed.getvalue() for name in shown)
    assert shown["enable-feature"] == "a,b,c"
    assert shown["query.timeout"] == "1m30s"
    assert shown["web.enable-lifecycle"] == "false"
