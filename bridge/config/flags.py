"""The command line's settings, under Prometheus' names and with its defaults."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Final

from bridge.config.errors import Problem
from bridge.config.settings import LogSettings, WebSettings
from bridge.model.errors import BadData
from bridge.model.labels import Matcher, MatchType, quoted
from bridge.model.time import format_duration
from bridge.remote.server import Serving

SEARCH: Final = "search-api"
# What --enable-feature switches in the bridge, under the names of Prometheus.
FEATURES: Final = frozenset(
    {
        "promql-binop-fill-modifiers",
        "promql-delayed-name-removal",
        "promql-experimental-functions",
        "promql-extended-range-selectors",
        "promql-per-step-stats",
        SEARCH,
        "type-and-unit-labels",
        "use-start-timestamps",
    }
)
_ALWAYS_ON: Final = frozenset({"promql-duration-expr"})
# What Prometheus switches and the bridge does not; cmd/prometheus/main.go, setFeatureListOptions.
_WITHOUT_EFFECT: Final = frozenset(
    {
        "auto-gomaxprocs",
        "auto-gomemlimit",
        "auto-reload-config",
        "concurrent-rule-eval",
        "created-timestamp-zero-ingestion",
        "delayed-compaction",
        "exemplar-storage",
        "extra-scrape-metrics",
        "fast-startup",
        "histograms-st-encoding",
        "memory-snapshot-on-shutdown",
        "metadata-wal-records",
        "native-histograms",
        "old-ui",
        "ooo-native-histograms",
        "otlp-deltatocumulative",
        "otlp-native-delta-ingestion",
        "st-storage",
        "st-synthesis",
        "use-uncached-io",
        "xor2-encoding",
    }
)
_OPTION: Final = "This option for --enable-feature"
_SERVING: Final = Serving()
LOG_LEVELS: Final = ("debug", "info", "warn", "error")
LOG_FORMATS: Final = ("logfmt", "json")


@dataclass(frozen=True, slots=True)
class Flags:
    """What the command line says; a field is its flag with `_` for `.` and `-`. Times in ms.

    `enable_feature` holds the values as given; each may name several features with commas between.
    """

    web_listen_address: str = "127.0.0.1:9099"
    web_route_prefix: str = "/"
    web_enable_admin_api: bool = False
    web_cors_origin: str = ".*"
    web_config_file: str = ""
    web_enable_lifecycle: bool = False
    web_max_connections: int = 512
    web_max_notifications_subscribers: int = 16
    web_read_timeout: int = 300_000
    web_search_max_limit: int = 10_000
    query_timeout: int = 120_000
    query_max_samples: int = 50_000_000
    query_max_concurrency: int = 20
    query_lookback_delta: int = 300_000
    storage_remote_read_sample_limit: int = _SERVING.sample_limit
    storage_remote_read_concurrent_limit: int = _SERVING.concurrent_limit
    storage_remote_read_max_bytes_in_frame: int = _SERVING.frame_bytes
    enable_feature: tuple[str, ...] = ()
    log_level: str = "info"
    log_format: str = "logfmt"

    @property
    def features(self) -> tuple[str, ...]:
        """The single names given to `--enable-feature`, in their order."""
        names = (name.strip() for value in self.enable_feature for name in value.split(","))
        return tuple(dict.fromkeys(name for name in names if name))

    @property
    def web(self) -> WebSettings:
        """Where to listen; only meaningful without problems."""
        host, _, port = self.web_listen_address.rpartition(":")
        prefix = "/" + self.web_route_prefix.strip("/")
        return WebSettings(
            host.removeprefix("[").removesuffix("]"),
            int(port),
            prefix,
            self.web_enable_admin_api,
            self.web_cors_origin,
            self.web_enable_lifecycle,
            self.web_config_file,
            enable_search=SEARCH in self.features,
            search_max_limit=self.web_search_max_limit,
            max_connections=self.web_max_connections,
            read_timeout=self.web_read_timeout,
            max_notifications_subscribers=self.web_max_notifications_subscribers,
        )

    @property
    def serving(self) -> Serving:
        """How remote read is served."""
        return Serving(
            self.storage_remote_read_sample_limit,
            self.storage_remote_read_max_bytes_in_frame,
            self.storage_remote_read_concurrent_limit,
        )

    @property
    def log(self) -> LogSettings:
        """What to log, and how."""
        return LogSettings(self.log_level, self.log_format)

    def shown(self) -> dict[str, str]:
        """Each flag by its name on the command line, with its value as it is written there."""
        held = {one.name: getattr(self, one.name) for one in fields(self)}
        return {_name(field): _shown(field, value) for field, value in held.items()}

    def problems(self) -> Iterator[Problem]:
        """Values that cannot be used."""
        for flag, text in self._faults():
            yield Problem("", 0, f"--{flag}: {text}")

    def _faults(self) -> Iterator[tuple[str, str]]:
        if not _is_address(self.web_listen_address):
            shown = self.web_listen_address
            yield "web.listen-address", f'"{shown}" is not an address; expected HOST:PORT'
        try:
            Matcher.checked("Origin", MatchType.REGEXP, self.web_cors_origin)
        except BadData as error:
            shown = quoted(self.web_cors_origin)
            yield "web.cors.origin", f"could not compile CORS regex string {shown}: {error}"
        if self.web_search_max_limit < 0:
            most = self.web_search_max_limit
            text = f"must be non-negative; got {most} (use 0 to disable the cap)"
            yield "web.search.max-limit", text
        for flag, value in (
            ("web.max-connections", self.web_max_connections),
            ("query.timeout", self.query_timeout),
            ("query.max-samples", self.query_max_samples),
            ("query.max-concurrency", self.query_max_concurrency),
            ("query.lookback-delta", self.query_lookback_delta),
        ):
            if value <= 0:
                yield flag, "must be greater than 0"
        for flag, value in (
            ("storage.remote.read-sample-limit", self.storage_remote_read_sample_limit),
            ("storage.remote.read-concurrent-limit", self.storage_remote_read_concurrent_limit),
            ("storage.remote.read-max-bytes-in-frame", self.storage_remote_read_max_bytes_in_frame),
        ):
            if value < 0:
                yield flag, "must not be negative"
        for flag, value_, known in (
            ("log.level", self.log_level, LOG_LEVELS),
            ("log.format", self.log_format, LOG_FORMATS),
        ):
            if value_ not in known:
                yield flag, f'"{value_}" is not known; expected one of {", ".join(known)}'

    def warnings(self) -> Iterator[Problem]:
        """Features that do nothing here, in Prometheus' words where it has some."""
        for name in self.features:
            if name in _ALWAYS_ON:
                text = f"{_OPTION} is now permanently enabled and therefore a no-op"
            elif name in _WITHOUT_EFFECT:
                text = f"{_OPTION} has no effect in prombridge"
            elif name not in FEATURES:
                text = "Unknown option for --enable-feature"
            else:
                continue
            yield Problem("", 0, f"{text}: {name}")


_DURATIONS: Final = frozenset({"query_timeout", "query_lookback_delta", "web_read_timeout"})
# A name has one dot, behind its first word, unless it is one of these.
_DOTTED: Final = {
    "enable_feature": "enable-feature",
    "storage_remote_read_concurrent_limit": "storage.remote.read-concurrent-limit",
    "storage_remote_read_max_bytes_in_frame": "storage.remote.read-max-bytes-in-frame",
    "storage_remote_read_sample_limit": "storage.remote.read-sample-limit",
    "web_config_file": "web.config.file",
    "web_cors_origin": "web.cors.origin",
    "web_search_max_limit": "web.search.max-limit",
}


def _name(field: str) -> str:
    """A field's flag, without the dashes before it."""
    return _DOTTED.get(field) or field.replace("_", ".", 1).replace("_", "-")


def _shown(field: str, value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, bool):
        return str(value).lower()
    return format_duration(int(str(value))) if field in _DURATIONS else str(value)


def _is_address(text: str) -> bool:
    found = re.fullmatch(r"(\[[0-9a-fA-F:.%\w]+\]|[^:\[\]\s]*):(\d{1,5})", text, re.ASCII)
    return found is not None and int(found[2]) < 1 << 16
