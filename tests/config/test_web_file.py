"""The same web configurations are right and wrong for promtool and for prombridge."""

import re
import subprocess
from pathlib import Path

import pytest

from bridge.cli import main
from bridge.config.errors import ConfigError
from bridge.config.watched import Watched, read_tokens
from bridge.config.web_file import check_web_file, load_web_file
from tests.certificates import Authority

PAIR = "cert_file: server.crt, key_file: server.key"
HASH = "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi"

GOOD = (
    "",
    "tls_server_config: {}",
    f"tls_server_config: {{{PAIR}}}",
    f"tls_server_config: {{{PAIR}, min_version: TLS13, prefer_server_cipher_suites: false}}",
    f"tls_server_config: {{{PAIR}, cipher_suites: [TLS_AES_128_GCM_SHA256]}}",
    (
        f"tls_server_config: {{{PAIR}, cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,"
        " TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256]}"
    ),
    f"tls_server_config: {{{PAIR}, curve_preferences: [CurveP256, CurveP384, CurveP521, X25519]}}",
    f"tls_server_config: {{{PAIR}, client_auth_type: RequestClientCert}}",
    f"tls_server_config: {{{PAIR}, client_auth_type: NoClientCert}}",
    (
        f"tls_server_config: {{{PAIR}, client_auth_type: RequireAndVerifyClientCert,"
        " client_ca_file: ca.pem, client_allowed_sans: [grafana]}"
    ),
    (
        f"tls_server_config: {{{PAIR}, client_auth_type: VerifyClientCertIfGiven,"
        " client_ca_file: ca.pem}"
    ),
    "http_server_config: {http2: false, headers: {X-Frame-Options: deny, X-XSS-Protection: x}}",
    f"basic_auth_users: {{ann: {HASH}, bob: {HASH}}}",
    "basic_auth_users: {}",
    "basic_auth_users:",
    "rate_limit: {burst: 10, interval: 1s}",
)
BAD = (
    "nonsense",
    "tls_server_config: {cert_filse: a}",
    "tls_config: {}",
    "tls_server_config: {key_file: server.key}",
    "tls_server_config: {cert_file: server.crt}",
    "tls_server_config: {cert_file: nothing.crt, key_file: server.key}",
    "tls_server_config: {cert_file: server.crt, key_file: nothing.key}",
    "tls_server_config: {cert_file: server.crt, key_file: other.key}",
    "tls_server_config: {cert_file: server.key, key_file: server.crt}",
    "tls_server_config: {client_auth_type: NoClientCert}",
    f"tls_server_config: {{{PAIR}, client_auth_type: Maybe}}",
    f"tls_server_config: {{{PAIR}, client_ca_file: ca.pem}}",
    (
        f"tls_server_config: {{{PAIR}, client_auth_type: RequireAndVerifyClientCert,"
        " client_ca_file: nothing.pem}"
    ),
    f"tls_server_config: {{{PAIR}, cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]}}",
    f"tls_server_config: {{{PAIR}, curve_preferences: [CurveP257]}}",
    f"tls_server_config: {{{PAIR}, min_version: TLS111}}",
    "http_server_config: {headers: {Content-Type: x}}",
    "http_server_config: {headers: {X-Frame-Options: foo}}",
    "http_server_config: {headers: {X-Content-Type-Options: sniff}}",
    "http_server_config: {header: {}}",
    "basic_auth_users: {ann: short}",
    f"basic_auth_users: {{ann: {HASH.replace('$2y', '$3y')}}}",
    f"basic_auth_users: {{ann: {HASH.replace('$10', '$99')}}}",
    f"basic_auth_users: {{ann: x{HASH[1:]}}}",
    "basic_auth_users: [ann]",
)
# Go's words for a key pair that does not fit, for types of YAML, and for a hash's numbers.
OTHER_WORDS = re.compile("failed to load X509KeyPair|cannot unmarshal|yaml:")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("web")
    authority = Authority(made, "ca")
    authority.pair("server")
    authority.pair("other")
    return made


def refusal(promtool: Path, file: Path) -> str:
    """What promtool says against a file, empty when it accepts it."""
    command = [str(promtool), "check", "web-config", str(file)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    return run.stderr if run.returncode else ""


@pytest.mark.parametrize("text", GOOD)
def test_what_promtool_accepts_is_accepted(promtool: Path, folder: Path, text: str) -> None:
    file = folder / "web.yml"
    file.write_text(text)
    assert refusal(promtool, file) == ""
    check_web_file(file)
    assert main(["check-web-config", str(file)]) == 0


@pytest.mark.parametrize("text", BAD)
def test_what_promtool_refuses_is_refused(
    promtool: Path, folder: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = folder / "web.yml"
    file.write_text(text)
    theirs = refusal(promtool, file)
    assert theirs
    assert main(["check-web-config", str(file)]) == 1
    ours = capsys.readouterr().err
    sentence = re.split(r"FAILED: |line \d+: ", theirs.strip())[-1]
    if not OTHER_WORDS.match(sentence):
        assert sentence in ours


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            "client_auth_type: RequireAnyClientCert",
            "prombridge cannot take certificates that it does not verify",
        ),
        ("max_version: TLS11", "prombridge speaks TLS 1.2 and 1.3 only"),
    ],
)
def test_what_cannot_be_kept_is_refused_though_promtool_accepts_it(
    promtool: Path, folder: Path, more: str, said: str
) -> None:
    file = folder / "web.yml"
    file.write_text(f"tls_server_config: {{{PAIR}, {more}}}")
    assert refusal(promtool, file) == ""
    with pytest.raises(ConfigError, match=said):
        check_web_file(file)


def test_no_hash_and_no_key_is_shown(folder: Path) -> None:
    file = folder / "web.yml"
    file.write_text(f"basic_auth_users: {{ann: {HASH}}}\ntls_server_config: {{key: hidden}}")
    with pytest.raises(ConfigError) as refused:
        load_web_file(file)
    assert "hidden" not in str(refused.value)
    file.write_text(f"basic_auth_users: {{ann: {HASH}}}")
    assert HASH not in repr(load_web_file(file))


def test_a_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    file = tmp_path / "web.yml"
    file.write_text("http_server_config: {headers: {X-Frame-Options: deny}}")
    watched = Watched(file, load_web_file)
    assert watched() is watched()
    file.write_text("http_server_config: {headers: {X-Frame-Options: sameorigin}}")
    assert watched().headers == (("X-Frame-Options", "sameorigin"),)
    file.write_text("http_server_config: {x: y}")
    for _ in range(2):
        with pytest.raises(ConfigError, match=r"field x not found in type web\.HTTPConfig"):
            watched()
    file.unlink()
    with pytest.raises(ConfigError, match="no such file"):
        watched()
    file.write_text("")
    assert watched().headers == ()


def test_tokens_are_a_line_each(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    digest = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"
    file.write_text(f"# for Grafana\n\ngrafana: secret\nother: sha256:{digest}\n")
    assert read_tokens(file) == {
        "grafana": bytes.fromhex(digest),
        "other": bytes.fromhex(digest),
    }


@pytest.mark.parametrize(
    "line", ["secret", "a:", ": secret", "a: x\na: y", "a: sha256:x", "a: sha256:00"]
)
def test_a_broken_line_of_tokens_is_told_without_its_text(tmp_path: Path, line: str) -> None:
    file = tmp_path / "tokens"
    file.write_text(line)
    with pytest.raises(ConfigError, match="expected NAME: TOKEN") as refused:
        read_tokens(file)
    assert "secret" not in str(refused.value)
