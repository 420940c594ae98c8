"""Configuration files: settings, or a list of problems."""

import re
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from bridge.config.document import read_document
from bridge.config.errors import ConfigError
from bridge.config.fields import Section
from bridge.config.load import load
from bridge.config.web_file import check_web_file
from tests.config.test_promtool import GOOD
from tests.fuzz.harness import Harness, Outcomes, Reader

_PACKAGES = ("bridge.config", "bridge.model", "bridge.remote", "bridge.api", "yaml")
_STORE = "remote_read: [{url: 'http://127.0.0.1:1/read', name: one}]\n"
_ROOT = Path(__file__).parents[2]
_VALUES = (
    "true", "null", "30s", "1GiB", "15MB", "-30d", "1e6", "0x10", ".nan", "2026-01-01T00:00:00Z",
    "http://a", "https://u:p@h/read", "redis://h:6379/0", "'{job=~\\\"a|b\\\"}'", "one", "[a, b]",
    "{a: b}", "&x ", "*x", "<<: *x", "- ", "!!binary ", "# ", "mimir", "TLS13",
    "STREAMED_XOR_CHUNKS",
)  # fmt: skip


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="prombridge-fuzz-"))


def _written(name: str, data: bytes) -> Path:
    file = _folder() / name
    file.write_bytes(data)
    return file


@cache
def _keys() -> frozenset[str]:
    """What a mapping of some section may hold."""

    def below(kind: type[Section]) -> Iterator[str]:
        yield from (field.alias or name for name, field in kind.model_fields.items())
        for narrower in kind.__subclasses__():
            yield from below(narrower)

    return frozenset(below(Section))


def _read(file: Path, use: Callable[[], object]) -> Outcomes:
    """Problems without what the file's author chose, or where a known key stands.

    What pydantic does is compiled, it has no branches that could guide.
    """
    try:
        use()
    except ConfigError as error:
        texts = [problem.text for problem in error.problems]
        assert texts
        assert all(texts)
        return {re.sub(r"\d+|[`'\"].*|field .* not", "", text) for text in texts}
    places = read_document(file).lines
    return {".".join(str(key) if key in _keys() else "*" for key in place) for place in places}


def _prometheus(data: bytes) -> Outcomes:
    file = _written("prometheus.yml", data)
    return _read(file, lambda: load(file, None))


def _own(data: bytes) -> Outcomes:
    file, own = _written("prometheus.yml", _STORE.encode()), _written("prombridge.yml", data)
    return _read(own, lambda: load(file, own))


def _web(data: bytes) -> Outcomes:
    file = _written("web.yml", data)
    return _read(file, lambda: check_web_file(file))


def _reads() -> Iterator[bytes]:
    yield from (text.encode() for text in GOOD)
    yield (
        b"global: {query_log_file: q.log, external_labels: {a: $HOME}}\n"
        b"remote_read:\n- url: http://u:p@h/read?a=b\n  read_recent: true\n"
        b"  required_matchers: {job: a}\n  headers: {X-A: b}\n  remote_timeout: 1m\n"
        b"  basic_auth: {username: u, password: p}\n  tls_config: {insecure_skip_verify: true}\n"
        b"- &x {url: 'https://h', name: b, bearer_token: t, chunked_read_limit: 5e6}\n- *x\n"
    )


def _owns() -> Iterator[bytes]:
    """What the documentation shows, whatever it is of."""
    for file in sorted((_ROOT / "docs").glob("*.md")):
        for text in re.findall(r"```yaml\n(.*?)```", file.read_text(), re.DOTALL):
            yield text.encode()


def _webs() -> Iterator[bytes]:
    yield (
        b"tls_server_config: {cert_file: c.pem, key_file: k.pem, min_version: TLS12,"
        b" cipher_suites: [TLS_AES_128_GCM_SHA256], client_auth_type: NoClientCert}\n"
        b"http_server_config: {http2: true, headers: {X-Frame-Options: deny}}\n"
    )
    yield b"basic_auth_users: {a: $2b$04$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZabcde}\n"


_READERS = (Reader(_prometheus, _reads), Reader(_own, _owns), Reader(_web, _webs))
_WORDS = (*(f"{key}: " for key in sorted(_keys())), *_VALUES)
HARNESSES = (Harness("config", _READERS, _PACKAGES, _WORDS),)
