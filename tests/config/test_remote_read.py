"""The keys of `remote_read`: what each does, and which mistakes are refused how."""

from pathlib import Path

import pytest

from bridge.model.secret import Secret
from bridge.remote.settings import (
    Authorization,
    BasicAuth,
    HttpHeader,
    HttpSettings,
    StoreSettings,
    TlsSettings,
)
from tests.config.files import entry, entry_errors, errors, loaded


def test_an_entry_with_only_a_url_has_prometheus_defaults(tmp_path: Path) -> None:
    loaded_ = loaded(tmp_path, "remote_read: [{url: 'http://store/read?db=x'}]")
    assert loaded_.settings.stores == (
        StoreSettings(
            name="http://store/read",
            url="http://store/read?db=x",
            remote_timeout_ms=60_000,
            chunked_read_limit=50_000_000,
        ),
    )
    assert loaded_.warnings == ()


@pytest.mark.parametrize(
    ("keys", "field", "value"),
    [
        ("name: a", "name", "a"),
        ("name: 7", "name", "7"),
        ("remote_timeout: 1m30s", "remote_timeout_ms", 90_000),
        ("chunked_read_limit: 1000", "chunked_read_limit", 1000),
        ("chunked_read_limit: 5e+7", "chunked_read_limit", 50_000_000),
        ("headers: {X-Scope-OrgID: a, X-N: 1}", "headers", (("X-Scope-OrgID", "a"), ("X-N", "1"))),
        ("read_recent: true", "read_recent", True),
        ("read_recent: yes", "read_recent", True),
        ("required_matchers: {b: '2', a: 1}", "required_matchers", (("a", "1"), ("b", "2"))),
        ("filter_external_labels: true", "filter_external_labels", True),
        ("enable_http2: false", "http", HttpSettings()),
        ("follow_redirects: false", "http", HttpSettings(follow_redirects=False)),
        (
            "basic_auth: {username: u, password: p}",
            "http",
            HttpSettings(basic_auth=BasicAuth(username="u", password=Secret("p"))),
        ),
        (
            "authorization: {credentials: t}",
            "http",
            HttpSettings(authorization=Authorization("Bearer", Secret("t"))),
        ),
        (
            "authorization: {type: ' Token ', credentials: t}",
            "http",
            HttpSettings(authorization=Authorization("Token", Secret("t"))),
        ),
        (
            "bearer_token: t",
            "http",
            HttpSettings(authorization=Authorization("Bearer", Secret("t"))),
        ),
        (
            "proxy_url: 'http://u:p@proxy:1', no_proxy: a",
            "http",
            HttpSettings(proxy_url=Secret("http://u:p@proxy:1"), no_proxy="a"),
        ),
        (
            "proxy_from_environment: true, proxy_connect_header: {X-A: [s, t]}",
            "http",
            HttpSettings(
                proxy_from_environment=True,
                proxy_headers=(HttpHeader("X-A", secrets=(Secret("s"), Secret("t"))),),
            ),
        ),
        (
            "http_headers: {X-A: {values: [v], secrets: [s]}}",
            "http",
            HttpSettings(headers=(HttpHeader("X-A", ("v",), (Secret("s"),)),)),
        ),
        (
            "tls_config: {server_name: n, insecure_skip_verify: true, min_version: TLS12}",
            "http",
            HttpSettings(
                tls=TlsSettings(server_name="n", insecure_skip_verify=True, min_version="TLS12")
            ),
        ),
    ],
)
def test_each_key_is_honoured(tmp_path: Path, keys: str, field: str, value: object) -> None:
    assert getattr(entry(tmp_path, keys), field) == value


def test_file_names_are_relative_to_the_configuration(tmp_path: Path) -> None:
    store = entry(
        tmp_path,
        "basic_auth: {username_file: u, password_file: /abs/p},"
        "tls_config: {ca_file: ca, cert_file: c, key_file: k}, http_headers: {X: {files: [h]}}",
    )
    assert store.http.basic_auth == BasicAuth(
        username_file=str(tmp_path / "u"), password_file="/abs/p"
    )
    assert store.http.tls.ca_file == str(tmp_path / "ca")
    assert store.http.headers[0].files == (str(tmp_path / "h"),)
    token = entry(tmp_path, "bearer_token_file: t").http.authorization
    assert token == Authorization(credentials_file=str(tmp_path / "t"))


@pytest.mark.parametrize(
    ("keys", "error"),
    [
        ("remote_timeout: 5", ': not a valid duration string: "5"; expected a duration such as'),
        ("remote_timeout: 0s", "remote_timeout must be greater than 0"),
        ("remote_timeout: [1m]", ".remote_timeout: cannot unmarshal !!seq; expected a duration"),
        (
            "chunked_read_limit: 50MB",
            ".chunked_read_limit: cannot unmarshal !!str `50MB` into uint",
        ),
        ("chunked_read_limit: -1", ".chunked_read_limit: cannot unmarshal !!int `-1` into uint64"),
        ("read_recent: 1", ".read_recent: cannot unmarshal !!int `1` into bool; expected true or"),
        ("headers: {Host: x}", ".headers: Host is a reserved header. It must not be changed"),
        ("headers: {authorization: x}", ".headers: authorization header must be changed via the"),
        ("headers: {'a b': x}", '.headers: "a b" is not a valid HTTP header name'),
        ("headers: [a]", ".headers: expected a mapping"),
        (
            "http_headers: {user-agent: {}}",
            '.http_headers: setting header "User-Agent" is not allo',
        ),
        ("http_headers: {X: {value: [a]}}", ".http_headers.X: field value not found in type"),
        ("required_matchers: {'': a}", '.required_matchers: "" is not a valid label name'),
        ("url2: a", ": field url2 not found in type config.plain; did you mean url?"),
        (
            "sigv4: {}",
            ": field sigv4 not found in type config.plain; it belongs to stores.<name> o",
        ),
        (
            "basic_auth: {username: u, username_file: f}",
            ": at most one of basic_auth username, username_file & username_ref must be configured",
        ),
        (
            "basic_auth: {password: u, password_file: f}",
            ": at most one of basic_auth password, password_file & password_ref must be configured",
        ),
        ("basic_auth: {username_ref: u}", ".basic_auth.username_ref: prombridge does not support"),
        ("oauth2: {client_id: a}", ": oauth2 token_url must be configured"),
        ("oauth2: {token_url: 'http://t'}", ": oauth2 client_id must be configured"),
        (
            "oauth2: {client_id: a, client_secret: x, client_secret_file: y, token_url: 'http://t'}",
            ": at most one of oauth2 client_secret, client_secret_file & client_secret_ref must",
        ),
        (
            "oauth2: {client_id: a, token_url: 'http://t'}, basic_auth: {username: b}",
            ": at most one of basic_auth, oauth2 & authorization must be configured",
        ),
        (
            "oauth2: {client_id: a, token_url: 'http://t'}, bearer_token: b",
            ": at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be",
        ),
        (
            "oauth2: {client_id: a, token_url: 'http://t', no_proxy: b}",
            ".oauth2: if no_proxy is configured, proxy_url must also be configured",
        ),
        (
            "bearer_token: a, bearer_token_file: b",
            ": at most one of bearer_token & bearer_token_file must be configured",
        ),
        (
            "basic_auth: {}, bearer_token: b",
            ": at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be",
        ),
        (
            "basic_auth: {}, authorization: {}",
            ": at most one of basic_auth, oauth2 & authorization must be configured",
        ),
        (
            "authorization: {}, bearer_token: b",
            ": authorization is not compatible with bearer_token & bearer_token_file",
        ),
        (
            "authorization: {type: Basic}",
            ': authorization type cannot be set to "basic", use "basic_auth" instead',
        ),
        (
            "authorization: {credentials: a, credentials_file: b}",
            ": at most one of authorization credentials & credentials_file must be configured",
        ),
        (
            "tls_config: {ca: a, ca_file: b}",
            ".tls_config: at most one of ca, ca_file & ca_ref must be configured",
        ),
        (
            "tls_config: {cert_file: a}",
            ".tls_config: exactly one of key or key_file must be configured when a client",
        ),
        (
            "tls_config: {key_file: a}",
            ".tls_config: exactly one of cert or cert_file must be configured when a client key",
        ),
        (
            "tls_config: {cert: a, cert_file: b, key: c, key_file: d}",
            ".tls_config: at most one of cert, cert_file & cert_ref must be configured",
        ),
        (
            "tls_config: {min_version: TLS14}",
            ".tls_config.min_version: unknown TLS version: TLS14; expected one of TLS10, TLS11",
        ),
        (
            "proxy_connect_header: {a: [b]}",
            ": if proxy_connect_header is configured, proxy_url or proxy_from_environment must",
        ),
        (
            "proxy_from_environment: true, proxy_url: 'http://p'",
            ": if proxy_from_environment is configured, proxy_url must not be configured",
        ),
        (
            "proxy_from_environment: true, no_proxy: a",
            ": if proxy_from_environment is configured, no_proxy must not be configured",
        ),
        ("no_proxy: a", ": if no_proxy is configured, proxy_url must also be configured"),
        ("proxy_url: proxy", ".proxy_url: unsupported or missing scheme in URL; expected a URL"),
    ],
)
def test_mistakes_are_refused_in_prometheus_words(tmp_path: Path, keys: str, error: str) -> None:
    assert any(error in one for one in entry_errors(tmp_path, keys)), entry_errors(tmp_path, keys)


@pytest.mark.parametrize("url", ["''", "store:9090/read", "ftp://store", "http://", "http://h:x/"])
def test_a_url_must_be_http_with_a_host(tmp_path: Path, url: str) -> None:
    (error,) = errors(tmp_path, f"remote_read: [{{url: {url}}}]")
    assert error.startswith("prometheus.yml:1: remote_read[0]")
    assert "expected a URL such as https://" in error


@pytest.mark.parametrize("text", ["", "remote_read:", "remote_read: []", "global: {}"])
def test_without_stores_there_is_nothing_to_read(tmp_path: Path, text: str) -> None:
    (error,) = errors(tmp_path, text)
    assert error.startswith("prometheus.yml:1: no remote_read section")


def test_null_entries_are_refused_where_they_stand(tmp_path: Path) -> None:
    found = errors(tmp_path, "remote_read:\n  - url: http://a\n  -\n")
    assert found == ["prometheus.yml:3: remote_read[1]: empty or null remote read config section"]


def test_names_are_unique(tmp_path: Path) -> None:
    found = errors(
        tmp_path, "remote_read:\n- {url: 'http://a', name: x}\n- url: http://b\n  name: x\n"
    )
    assert found == ['prometheus.yml:4: found multiple remote read configs with job name "x"']


def test_identical_entries_are_refused_without_showing_the_password(tmp_path: Path) -> None:
    found = errors(tmp_path, "remote_read:\n- url: http://u:pw@a/r\n- url: http://u:pw@a/r\n")
    assert found == [
        (
            "prometheus.yml:3: duplicate remote read configs are not allowed, "
            "found duplicate for URL: http://a/r"
        )
    ]


def test_unnamed_stores_that_look_alike_are_numbered(tmp_path: Path) -> None:
    text = "remote_read: [{url: 'http://a/r?db=x'}, {url: 'http://a/r?db=y'}, {url: 'http://b'}]"
    names = [store.name for store in loaded(tmp_path, text).settings.stores]
    assert names == ["http://a/r", "http://a/r#2", "http://b"]
