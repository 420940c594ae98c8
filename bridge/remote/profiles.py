"""What a known store does differently; one record a store.

Sources are the stores' own programs where `verified`, else their documentation of limits.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

from bridge.remote.recognition import recognised
from bridge.remote.settings import Hints, NameMatchers, ResponseType, StoreSettings

_DAY_MS: Final = 86_400_000
_EITHER: Final = (ResponseType.STREAMED, ResponseType.SAMPLES)
_SAMPLES: Final = (ResponseType.SAMPLES,)


@dataclass(frozen=True, slots=True)
class Profile:
    """How a store wants to be asked, and what its answers lack. Times in ms, 0: no limit.

    `verified`: known from the store's program, not only from its documentation.
    `response_types`: what to offer, in this order. `single_query`: it refuses, or answers wrongly,
    several queries in a request. `end_exclusive`: it leaves out a sample exactly at the end asked
    for. `hints`: what it makes of them. `name_matchers`: by which kinds of matcher a name may be
    given. `matcher_required`: it refuses a query without matchers.
    `regex_matchers`: it reads regular expressions in RE2's syntax; `anchor_regex`: it finds them
    anywhere in a value. `missing_label_ok`: a label that a series lacks counts as empty.
    `not_found_is_empty`: texts, in lower case, of errors that say that there is no such series.
    `empty_result_may_be_missing`: an answer without series may have no body.
    `limited_header`: the response header that says that an answer was cut off.
    `max_range`, `split_interval`: a longer read is refused, or better split. `concurrency`: how
    many reads it takes at a time. `note`: what else is known of it, such as its limits.
    """

    name: str
    verified: bool = True
    response_types: tuple[ResponseType, ...] = _EITHER
    single_query: bool = False
    end_exclusive: bool = False
    hints: Hints = Hints.NONE
    name_matchers: NameMatchers = NameMatchers.ALL
    matcher_required: bool = False
    regex_matchers: bool = True
    anchor_regex: bool = False
    missing_label_ok: bool = True
    not_found_is_empty: tuple[str, ...] = ()
    empty_result_may_be_missing: bool = False
    limited_header: str = ""
    max_range: int = 0
    split_interval: int = 0
    concurrency: int = 10
    note: str = ""

    @property
    def piece(self) -> int:
        """The longest read that is asked for at once, ms; 0: of any length."""
        return min(filter(None, (self.max_range, self.split_interval)), default=0)


# What is true of every store that answers remote read at all.
GENERIC: Final = Profile(
    "generic",
    verified=False,
    single_query=True,
    matcher_required=True,
    anchor_regex=True,
    missing_label_ok=False,
    note="the least that any store can do; `prombridge doctor` finds out more",
)

# storage/remote/read_handler.go: ten reads at a time; the series hint works with SAMPLES only.
PROMETHEUS: Final = Profile("prometheus", hints=Hints.SERIES)

# services/httpd/handler.go, prometheus/converters.go of its branch master-1.x; regular expressions
# are anchored from 1.8 on, and anchoring them again changes nothing.
INFLUXDB1: Final = Profile(
    "influxdb1",
    response_types=_SAMPLES,
    single_query=True,
    end_exclusive=True,
    name_matchers=NameMatchers.EQ_RE,
    matcher_required=True,
    anchor_regex=True,
    missing_label_ok=False,
    note="keeps no staleness markers: a series that ended is seen for as long as one looks back",
)

_KNOWN: Final = (
    GENERIC,
    PROMETHEUS,
    Profile(
        "mimir",
        hints=Hints.RANGE,
        concurrency=2,
        note="fetched series, chunks and bytes are limited for each tenant",
    ),
    Profile("cortex", response_types=_SAMPLES, note="2,000,000 chunks a query"),
    INFLUXDB1,
    Profile("m3", response_types=_SAMPLES, limited_header="M3-Results-Limited"),
    # PrometheusRemoteReadProtocol.cpp: match() finds a pattern anywhere; a tag that lacks is ''.
    Profile("clickhouse", response_types=_SAMPLES, anchor_regex=True),
    # src/servers/src/prom_store.rs: the name is a table's, other labels are its columns.
    Profile(
        "greptimedb",
        response_types=_SAMPLES,
        name_matchers=NameMatchers.EQ,
        matcher_required=True,
        anchor_regex=True,
        missing_label_ok=False,
        not_found_is_empty=("table not found", "no field named"),
    ),
    # plugin/prometheus/process.go: `match` is POSIX, a label that lacks is NULL.
    Profile(
        "tdengine",
        response_types=_SAMPLES,
        single_query=True,
        regex_matchers=False,
        missing_label_ok=False,
        empty_result_may_be_missing=True,
        note="keeps no staleness markers; cuts answers off silently where restfulRowLimit is set",
    ),
    # lib/util/lifted/influx/httpd/handler_prom.go.
    Profile(
        "opengemini",
        response_types=_SAMPLES,
        single_query=True,
        name_matchers=NameMatchers.EQ_RE,
        matcher_required=True,
        anchor_regex=True,
        missing_label_ok=False,
    ),
    # query_server/query/src/prom/remote_server.rs.
    Profile(
        "cnosdb",
        response_types=_SAMPLES,
        single_query=True,
        name_matchers=NameMatchers.EQ_RE,
        matcher_required=True,
        anchor_regex=True,
        missing_label_ok=False,
        not_found_is_empty=("table not found",),
    ),
    # server.go of its adapter: Lucene's regular expressions, NULL for a label that lacks.
    Profile(
        "cratedb",
        response_types=_SAMPLES,
        single_query=True,
        regex_matchers=False,
        missing_label_ok=False,
        note="5 s a query",
    ),
    Profile("promscale", response_types=_SAMPLES),
    replace(
        GENERIC,
        name="alibaba",
        response_types=(ResponseType.SAMPLES, ResponseType.STREAMED),
        max_range=30 * _DAY_MS,
        note="30 days a read; 40,000 series, 50,000,000 points and 10 minutes a query",
    ),
    replace(GENERIC, name="lindorm", response_types=_SAMPLES, note=""),
    replace(
        GENERIC,
        name="tencent",
        concurrency=15,
        note="100,000 series and 100 MB a query; more than 15 at a time are queued",
    ),
    replace(GENERIC, name="huawei", note=""),
    replace(GENERIC, name="yandex", note=""),
    replace(
        GENERIC,
        name="baidu",
        note="40,000 series, 10,000 samples a series, 50,000,000 points and 10 minutes a query",
    ),
)

PROFILES: Final = {profile.name: profile for profile in _KNOWN}


def profile_of(settings: StoreSettings) -> Profile:
    """The profile that is set, or else the one recognised, and what is set beside it on top."""
    known = PROFILES[settings.profile or recognised(settings)]
    wanted: dict[str, Any] = {
        "response_types": settings.response_types,
        "end_exclusive": settings.end_exclusive,
        "name_matchers": settings.name_matchers,
        "anchor_regex": settings.anchor_regex,
        "missing_label_ok": settings.missing_label_ok,
        "max_range": settings.max_query_range_ms,
        "split_interval": settings.split_interval_ms,
        "concurrency": settings.max_concurrency,
    }
    return replace(known, **{key: held for key, held in wanted.items() if held is not None})
