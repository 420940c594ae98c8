"""The flags that several commands share, under Prometheus' names."""

import argparse
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bridge.config.flags import Flags
from bridge.model.time import parse_duration

if TYPE_CHECKING:
    # argparse has no public name for what add_subparsers gives.
    Commands = argparse._SubParsersAction[Any]  # noqa: SLF001


def add_files(parser: argparse.ArgumentParser, *, required: bool) -> None:
    """`--config.file` and `--prombridge.config`."""
    group = parser.add_argument_group("configuration")
    group.add_argument(
        "--config.file",
        metavar="FILE",
        type=Path,
        required=required,
        help="a prometheus.yml with a remote_read section",
    )
    add_own_file(group)


def add_own_file(group: "argparse._ActionsContainer") -> None:
    """`--prombridge.config`."""
    text = "prombridge's own settings; a prometheus.yml has no room for them"
    group.add_argument("--prombridge.config", metavar="FILE", type=Path, help=text)


def add_web(parser: argparse.ArgumentParser) -> None:
    """`--web.*`."""
    group = parser.add_argument_group("web")
    group.add_argument(
        "--web.listen-address",
        metavar="HOST:PORT",
        help="where to listen; port 0 takes a free one (default 127.0.0.1:9099)",
    )
    group.add_argument(
        "--web.route-prefix", metavar="PATH", help="stands before all paths (default /)"
    )
    group.add_argument(
        "--web.enable-admin-api",
        action="store_true",
        help="let requests change what is remembered",
    )
    group.add_argument(
        "--web.config.file",
        metavar="FILE",
        help="a web configuration as of Prometheus' exporter-toolkit: TLS, users, headers",
    )
    group.add_argument(
        "--web.cors.origin",
        metavar="REGEX",
        help="browsers' origins that may read answers; matched whole (default .*)",
    )
    group.add_argument(
        "--web.enable-lifecycle",
        action="store_true",
        help="enable reloading and ending over HTTP",
    )
    group.add_argument(
        "--web.max-connections",
        metavar="COUNT",
        type=int,
        help="most connections at a time; more wait to be accepted (default 512)",
    )
    group.add_argument(
        "--web.max-notifications-subscribers",
        metavar="COUNT",
        type=int,
        help="most clients at a time that are told of notifications as they come (default 16)",
    )
    group.add_argument(
        "--web.read-timeout",
        metavar="DURATION",
        type=duration,
        help="longest time to send a request, and to be idle; 0s for any (default 5m)",
    )
    group.add_argument(
        "--web.search.max-limit",
        metavar="COUNT",
        type=int,
        help="most names that a search may ask for; 0 for any number (default 10000)",
    )


def add_queries(parser: argparse.ArgumentParser) -> None:
    """`--query.*` and `--enable-feature`."""
    group = parser.add_argument_group("queries")
    for flag, kind, metavar, text in (
        ("timeout", duration, "DURATION", "longest time for one query (default 2m)"),
        ("max-samples", int, "COUNT", "most samples held by one query (default 50000000)"),
        ("max-concurrency", int, "COUNT", "most queries at a time (default 20)"),
        ("lookback-delta", duration, "DURATION", "how far to look back (default 5m)"),
    ):
        group.add_argument(f"--query.{flag}", type=kind, metavar=metavar, help=text)
    group.add_argument(
        "--enable-feature",
        action="append",
        metavar="NAME,…",
        help="experimental parts to switch on; may be repeated",
    )


def add_reads(parser: argparse.ArgumentParser) -> None:
    """`--storage.remote.*`."""
    group = parser.add_argument_group("remote read by others")
    for flag, metavar, text in (
        (
            "sample-limit",
            "COUNT",
            "most samples of a sampled answer; 0 for any number (default 50000000)",
        ),
        ("concurrent-limit", "COUNT", "most requests at a time; 0 for any number (default 10)"),
        (
            "max-bytes-in-frame",
            "BYTES",
            "size of a streamed answer's frame, about (default 1048576)",
        ),
    ):
        group.add_argument(f"--storage.remote.read-{flag}", type=int, metavar=metavar, help=text)


def add_logging(parser: argparse.ArgumentParser) -> None:
    """`--log.*`."""
    group = parser.add_argument_group("logging")
    group.add_argument(
        "--log.level", metavar="LEVEL", help="debug, info, warn or error (default info)"
    )
    group.add_argument("--log.format", metavar="FORMAT", help="logfmt or json (default logfmt)")


def duration(text: str) -> int:
    """A flag's duration in ms, for argparse."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error}; expected a duration such as 2m") from None


def flags(asked: argparse.Namespace) -> Flags:
    """The flags that were given; all others keep their defaults."""
    known = {field.name for field in fields(Flags)}
    given = {name.replace(".", "_").replace("-", "_"): held for name, held in vars(asked).items()}
    given["enable_feature"] = tuple(given.get("enable_feature") or ())
    return Flags(
        **{name: held for name, held in given.items() if name in known and held is not None}
    )
