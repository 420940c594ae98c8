"""Configuration files: settings, or a list of problems."""

import tempfile
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

from bridge.config.errors import ConfigError
from bridge.config.load import check
from bridge.config.web_file import check_web_file
from tests.fuzz.harness import Harness, Reader

_PACKAGES = ("bridge.config",)
_STORE = "remote_read: [{url: 'http://127.0.0.1:1/read', name: one}]\n"


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="prombridge-fuzz-"))


def _written(name: str, data: bytes) -> Path:
    file = _folder() / name
    file.write_bytes(data)
    return file


def _prometheus(data: bytes) -> None:
    assert all(check(_written("prometheus.yml", data)).errors)


def _own(data: bytes) -> None:
    file = _written("prometheus.yml", _STORE.encode())
    assert all(check(file, _written("prombridge.yml", data)).errors)


def _web(data: bytes) -> None:
    with suppress(ConfigError):
        check_web_file(_written("web.yml", data))


def _reads() -> Iterator[bytes]:
    yield _STORE.encode()
    yield (
        b"global: {query_log_file: q.log, external_labels: {a: $HOME}}\n"
        b"remote_read:\n- url: http://u:p@h/read?a=b\n  read_recent: true\n"
        b"  required_matchers: {job: a}\n  headers: {X-A: b}\n  remote_timeout: 1m\n"
        b"  basic_auth: {username: u, password: p}\n  tls_config: {insecure_skip_verify: true}\n"
        b"- &x {url: 'https://h', name: b, bearer_token: t, chunked_read_limit: 5e6}\n- *x\n"
    )


def _owns() -> Iterator[bytes]:
    yield (
        b"stores: {one: {profile: mimir, max_samples: 1e6}}\n"
        b"cache: {memory: 1GiB, freshness: 10m}\n"
        b"query: {max_samples: 5, timeout: 1m}\n"
    )
    yield (
        b"tenants:\n  header: X-Tenant\n  names:\n    a: {matchers: ['{job=\"x\"}'],"
        b" headers: {X-Scope-OrgID: a}}\n    b: {matchers: ['{job=~\"y|z\"}']}\n"
    )


def _webs() -> Iterator[bytes]:
    yield (
        b"tls_server_config: {cert_file: c.pem, key_file: k.pem, min_version: TLS12,"
        b" cipher_suites: [TLS_AES_128_GCM_SHA256], client_auth_type: NoClientCert}\n"
        b"http_server_config: {http2: true, headers: {X-Frame-Options: deny}}\n"
    )
    yield b"basic_auth_users: {a: $2b$04$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZabcde}\n"


_READERS = (Reader(_prometheus, _reads), Reader(_own, _owns), Reader(_web, _webs))
HARNESSES = (Harness("config", _READERS, _PACKAGES),)
