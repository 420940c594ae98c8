"""What can be set about one remote-read store: one entry of `remote_read` and our own additions."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from bridge.model.secret import Secret
from bridge.model.time import Bound
from bridge.storage.delegation import Pushdown
from bridge.storage.fanout import PartialResponse

DEFAULT_TIMEOUT_MS: Final = 60_000
DEFAULT_CHUNKED_READ_LIMIT: Final = 50_000_000
DEFAULT_MAX_RESPONSE_BYTES: Final = 1 << 30
DEFAULT_MIN_QUERY_RANGE_MS: Final = 60_000


class ResponseType(StrEnum):
    """The two ways in which a store may answer a read."""

    STREAMED = "streamed"
    SAMPLES = "samples"


class NameMatchers(StrEnum):
    """The matchers on a metric's name that a store takes: any, `=` and `=~`, or one `=`."""

    ALL = "all"
    EQ_RE = "eq_re"
    EQ = "eq"


class Hints(StrEnum):
    """What a store makes of a query's hints.

    Nothing; it takes their times for the range; it also leaves out the samples for `func: series`.
    """

    NONE = "none"
    RANGE = "range"
    SERIES = "series"


@dataclass(frozen=True, slots=True)
class BasicAuth:
    """`basic_auth`: user and password, inline or from files that are read anew when they change."""

    username: str = ""
    username_file: str | None = None
    password: Secret | None = None
    password_file: str | None = None


@dataclass(frozen=True, slots=True)
class Authorization:
    """`authorization`; `bearer_token` and `bearer_token_file` are the same with type Bearer."""

    type: str = "Bearer"
    credentials: Secret | None = None
    credentials_file: str | None = None


@dataclass(frozen=True, slots=True)
class OAuth2:
    """`oauth2`: client credentials; `http` is how the server that gives tokens is reached."""

    client_id: str
    token_url: str = field(repr=False)
    client_secret: Secret | None = None
    client_secret_file: str | None = None
    scopes: tuple[str, ...] = ()
    endpoint_params: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    http: "HttpSettings | None" = None


@dataclass(frozen=True, slots=True)
class SigV4:
    """`sigv4`: keys of AWS, inline or those of a profile in a file that is read when it changes."""

    region: str
    access_key: str = ""
    secret_key: Secret | None = None
    session_token: Secret | None = None
    profile: str = ""
    profile_file: str = ""


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """`tls_config`: PEM texts or files; versions are `TLS10` to `TLS13`."""

    ca: str | None = None
    ca_file: str | None = None
    cert: str | None = None
    cert_file: str | None = None
    key: Secret | None = None
    key_file: str | None = None
    server_name: str | None = None
    insecure_skip_verify: bool = False
    min_version: str | None = None
    max_version: str | None = None


@dataclass(frozen=True, slots=True)
class HttpHeader:
    """One entry of `http_headers`: the header is sent once for each value, secret and file."""

    name: str
    values: tuple[str, ...] = ()
    secrets: tuple[Secret, ...] = ()
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """Prometheus' HTTP client configuration, as far as remote read needs it.

    File names are absolute or relative to the working folder: the configuration has resolved them.
    """

    basic_auth: BasicAuth | None = None
    authorization: Authorization | None = None
    oauth2: OAuth2 | None = None
    sigv4: SigV4 | None = None
    tls: TlsSettings = field(default_factory=TlsSettings)
    follow_redirects: bool = True
    proxy_url: Secret | None = None
    proxy_headers: tuple[HttpHeader, ...] = ()
    no_proxy: str = ""
    proxy_from_environment: bool = False
    headers: tuple[HttpHeader, ...] = ()


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """One store. Times in ms, sizes in bytes.

    `headers` are those of the `remote_read` entry itself. `required_matchers` and `external_labels`
    are label name and value pairs; `external_labels` counts only with `filter_external_labels`.
    `profile` is a name of bridge.remote.profiles; None recognises the store by URL and headers.
    `response_types`, `end_exclusive`, `name_matchers`, `anchor_regex`, `missing_label_ok`,
    `max_query_range_ms`, `split_interval_ms` and `max_concurrency` overrule it; None leaves them to
    it. Reads longer than the range or the interval are split (0: never). A read that exceeds a
    limit of the store is halved, down to `min_query_range_ms`. `max_samples` and `max_series` limit
    one read, `max_response_bytes` one answer (0: no limit but the query's). `retries`: how often a
    read is tried again that failed before its first byte. `read_recent` has no effect: there is no
    local store.
    Every series gets `labels` and loses `drop_labels`; the store is asked for times from `min_time`
    to `max_time`; `partial` says what its failure means to a query that others answer too.
    `metadata_url`, `query_url`: Prometheus-compatible APIs of the same store, for names and the
    like, and for queries, which run there as `pushdown` says.
    `forward_headers` names headers of clients' requests that are sent on to the store; `forwarded`
    has those of the requests that are answered, never those of a configuration.
    """

    name: str
    url: str = field(repr=False)
    remote_timeout_ms: int = DEFAULT_TIMEOUT_MS
    chunked_read_limit: int = DEFAULT_CHUNKED_READ_LIMIT
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    http: HttpSettings = field(default_factory=HttpSettings)
    required_matchers: tuple[tuple[str, str], ...] = ()
    filter_external_labels: bool = False
    external_labels: tuple[tuple[str, str], ...] = ()
    read_recent: bool = False
    profile: str | None = None
    response_types: tuple[ResponseType, ...] | None = None
    end_exclusive: bool | None = None
    name_matchers: NameMatchers | None = None
    anchor_regex: bool | None = None
    missing_label_ok: bool | None = None
    max_query_range_ms: int | None = None
    split_interval_ms: int | None = None
    min_query_range_ms: int = DEFAULT_MIN_QUERY_RANGE_MS
    max_concurrency: int | None = None
    max_samples: int = 0
    max_series: int = 0
    max_response_bytes: int = DEFAULT_MAX_RESPONSE_BYTES
    retries: int = 2
    labels: tuple[tuple[str, str], ...] = ()
    drop_labels: tuple[str, ...] = ()
    min_time: Bound | None = None
    max_time: Bound | None = None
    partial: PartialResponse = PartialResponse.FAIL
    metadata_url: str = field(default="", repr=False)
    query_url: str = field(default="", repr=False)
    pushdown: Pushdown = Pushdown.NEVER
    forward_headers: tuple[str, ...] = ()
    forwarded: tuple[tuple[str, Secret], ...] = field(default=(), repr=False)

    @property
    def shown_url(self) -> str:
        """The URL for logs and errors: without user, password and query, which may hold secrets."""
        return shown_url(self.url)


def shown_url(url: str) -> str:
    """A URL without user, password, query and fragment."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))
