"""`prombridge doctor`: says what a store can do, and how to configure it."""

import argparse
import asyncio
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from bridge.cli.flags import add_own_file, duration
from bridge.cli.terminal import counted
from bridge.config.load import load
from bridge.config.masked import masked_entry
from bridge.config.own import StoreSection
from bridge.config.urls import checked_url, masked_url
from bridge.model.errors import BadData
from bridge.model.labels import Matcher
from bridge.model.time import format_duration
from bridge.promql.selectors import parse_selector
from bridge.remote.asking import Asker
from bridge.remote.connection import Connection
from bridge.remote.probes import Finding, Probes
from bridge.remote.profiles import PROFILES, Profile
from bridge.remote.recognition import recognised
from bridge.remote.settings import (
    DEFAULT_TIMEOUT_MS,
    Authorization,
    BasicAuth,
    Hints,
    HttpSettings,
    NameMatchers,
    ResponseType,
    StoreSettings,
    TlsSettings,
)

if TYPE_CHECKING:
    from bridge.cli.flags import Commands

_TIMEOUT_MS: Final = 10_000
_PROBE_WIDTH: Final = 23
_COST_WIDTH: Final = 24
_SETTABLE: Final = frozenset(StoreSection.model_fields)
# What probes find out of a profile, and the values that do no harm whatever the store does.
_CAREFUL: Final[dict[str, Any]] = {
    "response_types": (ResponseType.SAMPLES,),
    "single_query": True,
    "end_exclusive": True,
    "hints": Hints.NONE,
    "name_matchers": NameMatchers.EQ,
    "matcher_required": True,
    "anchor_regex": True,
    "missing_label_ok": False,
}


def register(commands: "Commands") -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "doctor",
        help="say what a store can do, and how to configure it",
        description="Asks a store what it can do. Reads one series at most, changes nothing.",
    )
    parser.add_argument(
        "store", metavar="URL", help="where to read; with --config.file also a store's name"
    )
    parser.add_argument(
        "--match", metavar="SELECTOR", help="series to probe with (default: up, or any)"
    )
    group = parser.add_argument_group("configuration")
    group.add_argument(
        "--config.file", metavar="FILE", type=Path, help="a prometheus.yml that has the store"
    )
    add_own_file(group)
    _add_http(parser)
    parser.set_defaults(run=_run)


def _add_http(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("HTTP, without --config.file")
    for flag, metavar, text in (
        ("basic-auth.username", "NAME", "user of basic_auth"),
        ("basic-auth.password-file", "FILE", "file with its password"),
        ("bearer-token-file", "FILE", "file with a token"),
        ("tls.ca-file", "FILE", "certificates to trust"),
        ("tls.cert-file", "FILE", "certificate to show"),
        ("tls.key-file", "FILE", "its key"),
    ):
        group.add_argument(f"--{flag}", metavar=metavar, help=text)
    group.add_argument(
        "--tls.insecure-skip-verify", action="store_true", help="trust any certificate"
    )
    group.add_argument(
        "--header", metavar="NAME=VALUE", action="append", default=[], help="may be repeated"
    )
    group.add_argument(
        "--timeout",
        metavar="DURATION",
        type=duration,
        default=_TIMEOUT_MS,
        help=f"longest time for one probe's request (default {format_duration(_TIMEOUT_MS)})",
    )


def _run(asked: argparse.Namespace) -> int:
    settings = _configured(asked) if vars(asked)["config.file"] else _given(asked)
    matchers = parse_selector(asked.match) if asked.match else ()
    print(f"probing {masked_url(settings.url)}", flush=True)
    probes = asyncio.run(_probed(settings, matchers))
    if not probes.answers:
        return 1
    if not vars(asked)["config.file"]:
        settings = replace(settings, remote_timeout_ms=DEFAULT_TIMEOUT_MS)
    _show_configuration(settings, probes.profile)
    return 0


def _configured(asked: argparse.Namespace) -> StoreSettings:
    given = vars(asked)
    stores = load(given["config.file"], given["prombridge.config"]).settings.stores
    for store in stores:
        if asked.store in (store.name, store.url):
            return store
    names = ", ".join(store.name for store in stores)
    raise BadData(f"{given['config.file']} has no store {asked.store}; known are {names}")


def _given(asked: argparse.Namespace) -> StoreSettings:
    given = vars(asked)
    try:
        url = checked_url(asked.store, ("http", "https"))
    except ValueError as error:
        raise BadData(f"{error}; expected a URL such as https://host/api/v1/read") from None
    user, token = given["basic_auth.username"], asked.bearer_token_file
    password = given["basic_auth.password_file"]
    return StoreSettings(
        name="store",
        url=url,
        remote_timeout_ms=asked.timeout or _TIMEOUT_MS,
        headers=tuple(map(_header, asked.header)),
        http=HttpSettings(
            basic_auth=BasicAuth(user or "", password_file=password) if user or password else None,
            authorization=Authorization(credentials_file=token) if token else None,
            tls=TlsSettings(
                ca_file=given["tls.ca_file"],
                cert_file=given["tls.cert_file"],
                key_file=given["tls.key_file"],
                insecure_skip_verify=given["tls.insecure_skip_verify"],
            ),
        ),
    )


def _header(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise BadData("--header: expected NAME=VALUE")
    return name, value


async def _probed(settings: StoreSettings, matchers: tuple[Matcher, ...]) -> Probes:
    connection = Connection(settings)
    asker = Asker(connection)
    probes = Probes(asker, matchers, time.time_ns() // 1_000_000)
    print(f"\n{'PROBE':{_PROBE_WIDTH}}{'COST':{_COST_WIDTH}}FOUND", flush=True)
    try:
        begun = time.perf_counter()
        async for finding in probes.findings():
            _show(finding, time.perf_counter() - begun)
            begun = time.perf_counter()
    finally:
        await connection.aclose()
    print(f"\n{counted(asker.requests, 'request')}, {counted(asker.received, 'byte')} received")
    return probes


def _show(finding: Finding, seconds: float) -> None:
    cost = f"{finding.requests} req, {finding.received} B, {seconds * 1000:.0f} ms"
    print(f"{finding.probe:{_PROBE_WIDTH}}{cost:{_COST_WIDTH}}{finding.found}", flush=True)


def _show_configuration(settings: StoreSettings, found: Profile) -> None:
    profile = _nearest(PROFILES[settings.profile or recognised(settings)], found)
    wrong, spare = _wrong(profile, found), _differing(profile, found)
    print(f"\nprofile: {profile.name}")
    if wrong:
        print(f"it does not fit in {', '.join(wrong)}, which are set below")
    if careful := [key for key in spare if key not in wrong]:
        print(f"it is more careful than this store needs in {', '.join(careful)}")
    own: dict[str, Any] = {"profile": profile.name}
    own |= {key: _plain(getattr(found, key)) for key in wrong if key in _SETTABLE}
    if found.max_range and found.max_range != profile.max_range:
        own["max_query_range"] = format_duration(found.max_range)
    print("\n# prometheus.yml\n" + _yaml({"remote_read": [masked_entry(settings)]}))
    print("\n# prombridge.yml\n" + _yaml({"stores": {settings.name: own}}))


def _nearest(recognised_: Profile, found: Profile) -> Profile:
    """The profile to start from: the one recognised, unless another is just what was found."""
    if recognised_.name != "generic" and not _wrong(recognised_, found):
        return recognised_
    like = (one for one in PROFILES.values() if one.verified and not _differing(one, found))
    return next(like, recognised_)


def _differing(known: Profile, found: Profile) -> tuple[str, ...]:
    """In what a profile is not what was found."""
    return tuple(key for key in _CAREFUL if getattr(known, key) != getattr(found, key))


def _wrong(known: Profile, found: Profile) -> tuple[str, ...]:
    """In what a profile trusts a store more than was found."""
    return tuple(
        key
        for key in _differing(known, found)
        if getattr(known, key) != _CAREFUL[key] and not _narrower(known, found, key)
    )


def _narrower(known: Profile, found: Profile, key: str) -> bool:
    return key == "name_matchers" and found.name_matchers is NameMatchers.ALL


def _plain(held: Any) -> Any:
    if isinstance(held, tuple):
        return list(map(str, held))
    return held if isinstance(held, bool) else str(held)


def _yaml(tree: Any) -> str:
    return yaml.safe_dump(tree, sort_keys=False, allow_unicode=True, width=1000).rstrip()
