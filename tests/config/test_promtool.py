"""The same files are right and wrong for promtool and for prombridge."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.config.files import errors, written

URL = "url: 'http://store/read'"
CLIENT = "client_id: a, token_url: 'http://t'"

GOOD = (
    f"remote_read: [{{{URL}}}]",
    f"remote_read: [{{{URL}, name: 5, remote_timeout: 1h30m, read_recent: on}}]",
    f"remote_read: [{{{URL}, chunked_read_limit: 5e+7, headers: {{X-A: 1}}}}]",
    f"remote_read: [{{{URL}, required_matchers: {{a: b}}, filter_external_labels: false}}]",
    f"remote_read: [{{{URL}, basic_auth: {{username: a, password_file: b}}}}]",
    f"remote_read: [{{{URL}, authorization: {{type: '', credentials: b}}}}]",
    f"remote_read: [{{{URL}, bearer_token: b, enable_http2: false, follow_redirects: no}}]",
    f"remote_read: [{{{URL}, tls_config: {{cert: a, key: b, max_version: TLS13}}}}]",
    f"remote_read: [{{{URL}, tls_config: , basic_auth: , headers: , http_headers: }}]",
    f"remote_read: [{{{URL}, proxy_url: 'http://p', no_proxy: x}}]",
    f"remote_read: [{{{URL}, proxy_from_environment: true, proxy_connect_header: {{A: [b]}}}}]",
    f"remote_read: [{{{URL}, http_headers: {{X: {{values: [a], secrets: [b], files: [c]}}}}}}]",
    f"remote_read: [&a {{{URL}}}, {{<<: *a, name: x}}]",
    f"global: {{external_labels: {{é: x}}, evaluation_interval: 1m}}\nremote_read: [{{{URL}}}]",
    f"global: {{body_size_limit: 15MB, sample_limit: 0x10}}\nremote_read: [{{{URL}}}]",
    f"global: {{scrape_protocols: [PrometheusProto]}}\nrule_files: []\nremote_read: [{{{URL}}}]",
    f"global:\nruntime:\nscrape_configs: [{{job_name: x}}]\nremote_read: [{{{URL}}}]",
)

BAD = (
    "remote_read: [{}]",
    "remote_read: [null]",
    "remote_read: {}",
    f"remote_read: [{{{URL}, foo: 1}}]",
    f"remote_read: [{{{URL}, name: a}}, {{{URL}, name: a}}]",
    f"remote_read: [{{{URL}, {URL}}}]",
    f"remote_read: [{{{URL}, remote_timeout: 1}}]",
    f"remote_read: [{{{URL}, remote_timeout: 1s1m}}]",
    f"remote_read: [{{{URL}, chunked_read_limit: 50MB}}]",
    f"remote_read: [{{{URL}, chunked_read_limit: -1}}]",
    f"remote_read: [{{{URL}, read_recent: maybe}}]",
    f"remote_read: [{{{URL}, read_recent: 1}}]",
    f"remote_read: [{{{URL}, headers: {{accept-encoding: a}}}}]",
    f"remote_read: [{{{URL}, headers: {{Authorization: a}}}}]",
    f"remote_read: [{{{URL}, http_headers: {{Host: {{values: [a]}}}}}}]",
    f"remote_read: [{{{URL}, http_headers: {{X: [a]}}}}]",
    f"remote_read: [{{{URL}, required_matchers: {{'': a}}}}]",
    f"remote_read: [{{{URL}, basic_auth: {{user: a}}}}]",
    f"remote_read: [{{{URL}, basic_auth: {{username: a, username_file: b}}}}]",
    f"remote_read: [{{{URL}, basic_auth: {{password: a, password_file: b}}}}]",
    f"remote_read: [{{{URL}, basic_auth: {{}}, bearer_token: b}}]",
    f"remote_read: [{{{URL}, basic_auth: {{}}, authorization: {{}}}}]",
    f"remote_read: [{{{URL}, bearer_token: a, bearer_token_file: b}}]",
    f"remote_read: [{{{URL}, authorization: {{type: BASIC}}}}]",
    f"remote_read: [{{{URL}, authorization: {{credentials: a, credentials_file: b}}}}]",
    f"remote_read: [{{{URL}, oauth2: {{client_id: a}}}}]",
    f"remote_read: [{{{URL}, oauth2: {{token_url: 'http://t'}}}}]",
    f"remote_read: [{{{URL}, oauth2: {{{CLIENT}, client_secret: a, client_secret_file: b}}}}]",
    f"remote_read: [{{{URL}, oauth2: {{{CLIENT}}}, basic_auth: {{}}}}]",
    f"remote_read: [{{{URL}, oauth2: {{{CLIENT}}}, authorization: {{}}}}]",
    f"remote_read: [{{{URL}, oauth2: {{{CLIENT}}}, bearer_token: a}}]",
    f"remote_read: [{{{URL}, oauth2: {{{CLIENT}, no_proxy: a}}}}]",
    f"remote_read: [{{{URL}, oauth2: {{{CLIENT}, tls_config: {{cert: a}}}}}}]",
    f"remote_read: [{{{URL}, tls_config: {{cert: a}}}}]",
    f"remote_read: [{{{URL}, tls_config: {{key_file: a}}}}]",
    f"remote_read: [{{{URL}, tls_config: {{ca: a, ca_file: b}}}}]",
    f"remote_read: [{{{URL}, tls_config: {{min_version: 1.2}}}}]",
    f"remote_read: [{{{URL}, no_proxy: a}}]",
    f"remote_read: [{{{URL}, proxy_from_environment: true, no_proxy: a}}]",
    f"remote_read: [{{{URL}, proxy_from_environment: true, proxy_url: 'http://p'}}]",
    f"remote_read: [{{{URL}, proxy_connect_header: {{A: [b]}}}}]",
    f"remote_read: [{{{URL}}}]\nglobal: {{foo: 1}}",
    f"remote_read: [{{{URL}}}]\nglobal: {{evaluation_interval: 1x}}",
    f"remote_read: [{{{URL}}}]\nglobal: {{scrape_timeout: 5m}}",
    f"remote_read: [{{{URL}}}]\nglobal: {{body_size_limit: 100}}",
    f"remote_read: [{{{URL}}}]\nglobal: {{sample_limit: -1}}",
    f"remote_read: [{{{URL}}}]\nglobal: {{external_labels: {{a: [b]}}}}",
    f"remote_read: [{{{URL}}}]\nglobal: {{scrape_protocols: [x]}}",
    f"remote_read: [{{{URL}}}]\nfoo: 1",
    f"remote_read: [{{{URL}]",
)


# Go's type names and YAML parser, and lists that grow from version to version.
OTHER_WORDS = re.compile("cannot unmarshal|yaml:|units:|field url already|authorization header")


def refusal(promtool: Path, file: Path) -> str:
    """What promtool says against a file, empty when it accepts it."""
    command = [str(promtool), "check", "config", "--syntax-only", str(file)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    return run.stderr if run.returncode else ""


@pytest.mark.parametrize("text", GOOD)
def test_what_promtool_accepts_is_accepted(promtool: Path, tmp_path: Path, text: str) -> None:
    assert refusal(promtool, written(tmp_path, text)) == ""
    assert errors(tmp_path, text) == []


@pytest.mark.parametrize("text", BAD)
def test_what_promtool_refuses_is_refused(promtool: Path, tmp_path: Path, text: str) -> None:
    theirs, ours = refusal(promtool, written(tmp_path, text)), errors(tmp_path, text)
    assert theirs
    assert ours
    sentence = re.split(r"prometheus\.yml: |line \d+: ", theirs.strip())[-1]
    if not OTHER_WORDS.match(sentence):
        assert any(sentence in one for one in ours), sentence
