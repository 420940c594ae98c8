"""No secret is ever shown: not in the settings' repr, nor in the masked YAML, nor in an error."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest
import yaml

from bridge.config.load import check
from bridge.config.masked import masked_yaml
from bridge.config.settings import Settings
from bridge.config.urls import masked_url
from bridge.model.secret import Secret
from tests.config.files import loaded, written

EVERYTHING = """\
global: {evaluation_interval: 15s, external_labels: {region: eu}}
remote_read:
  - url: https://hidden-user:hidden-1@a/read?db=shown&p=hidden-2&token=hidden-3
    name: a
    headers: {X-Api-Key: hidden-4, X-Scope-OrgID: shown}
    basic_auth: {username: me, password: hidden-5}
    proxy_url: http://hidden-u:hidden-6@proxy:3128
    proxy_connect_header: {X-A: [hidden-7, hidden-8]}
    tls_config: {cert_file: shown.pem, key: hidden-9}
    http_headers:
      X-B: {values: [shown-too], secrets: [hidden-10], files: [shown.txt]}
  - url: https://b/read
    filter_external_labels: true
    required_matchers: {job: b}
    authorization: {type: Token, credentials: hidden-11}
  - url: https://c/read
    bearer_token: hidden-12
"""


def secrets(value: object) -> Iterator[Secret]:
    """Every secret in a tree of settings."""
    if isinstance(value, Secret):
        yield value
    elif is_dataclass(value):
        for field in fields(value):
            yield from secrets(getattr(value, field.name))
    elif isinstance(value, tuple):
        for item in value:
            yield from secrets(item)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return loaded(tmp_path, EVERYTHING, "stores: {a: {end_exclusive: true}}").settings


def test_the_walk_meets_every_secret(settings: Settings) -> None:
    revealed = {secret.reveal() for secret in secrets(settings)}
    numbers = (5, 7, 8, 9, 10, 11, 12)
    proxy = "http://hidden-u:hidden-6@proxy:3128"
    assert revealed == {proxy, *(f"hidden-{number}" for number in numbers)}


def test_no_secret_shows_in_repr_str_or_format(settings: Settings) -> None:
    assert "hidden" not in repr(settings)
    assert "hidden" not in str(settings)
    for secret in secrets(settings):
        assert {repr(secret), str(secret), f"{secret}", f"{secret!s}"} == {"<secret>"}


def test_the_masked_yaml_shows_all_but_the_secrets(settings: Settings) -> None:
    text = masked_yaml(settings)
    assert "hidden" not in text
    assert yaml.safe_load(text)["remote_read"][0] == {
        "url": "https://<secret>@a/read?db=shown&p=<secret>&token=<secret>",
        "remote_timeout": "1m",
        "chunked_read_limit": 50_000_000,
        "headers": {"X-Api-Key": "<secret>", "X-Scope-OrgID": "shown"},
        "read_recent": False,
        "name": "a",
        "basic_auth": {"username": "me", "password": "<secret>"},
        "tls_config": {
            "cert_file": settings.stores[0].http.tls.cert_file,
            "key": "<secret>",
            "insecure_skip_verify": False,
        },
        "follow_redirects": True,
        "proxy_url": "http://<secret>@proxy:3128",
        "proxy_connect_header": {"X-A": ["<secret>", "<secret>"]},
        "http_headers": {
            "X-B": {
                "values": ["shown-too"],
                "secrets": ["<secret>"],
                "files": list(settings.stores[0].http.headers[0].files),
            }
        },
        "filter_external_labels": False,
    }


def test_the_masked_yaml_shows_our_own_settings(settings: Settings) -> None:
    shown = yaml.safe_load(masked_yaml(settings))
    assert shown["global"] == {"evaluation_interval": "15s", "external_labels": {"region": "eu"}}
    assert shown["remote_read"][1]["authorization"] == {"type": "Token", "credentials": "<secret>"}
    assert shown["remote_read"][1]["required_matchers"] == {"job": "b"}
    assert shown["prombridge"]["stores"]["a"]["end_exclusive"] is True


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://a/b", "http://a/b"),
        ("http://u@a:1/b", "http://<secret>@a:1/b"),
        ("http://a/b?u=me&p=x", "http://a/b?u=me&p=<secret>"),
        ("http://a/?X-Amz-Signature=1&apikey=2&db=3&", "http://a/?X-Amz-Signature=<secret>&apikey=<secret>&db=3&"),
        ("http://[::1]:9/?access_token=", "http://[::1]:9/?access_token="),
    ],
)  # fmt: skip
def test_urls_are_masked_where_they_hold_secrets(url: str, shown: str) -> None:
    assert masked_url(url) == shown


@pytest.mark.parametrize(
    "mistake",
    [
        ("password: hidden-5", "password: [hidden-5]"),
        ("password: hidden-5", "password: *hidden-5"),
        ("password: hidden-5", "password: !hidden-5"),
        ("password: hidden-5", "password: hidden-5, password: hidden-5"),
        ("password: hidden-5", "password: hidden-5, password_file: x"),
        ("hidden-1@a/read", "hidden-1@a:hidden/read"),
        ("hidden-1@a/read", "hidden/1@a/read"),
        ("https://hidden-user", "htps://hidden-user"),
        ("http://hidden-u:hidden-6@proxy:3128", "hidden-u:hidden-6@proxy:3128"),
        ("bearer_token: hidden-12", "bearer_token: hidden-12\n    authorization: {}"),
        ("bearer_token: hidden-12", "bearer_token: {hidden-12: x}"),
        ("[hidden-10]", "{a: hidden-10}"),
        ("[hidden-7, hidden-8]", "hidden-7"),
        ("name: a", "nam: a"),
        ("    name: a", "  name: a"),
    ],
)
def test_no_secret_shows_in_an_error(tmp_path: Path, mistake: tuple[str, str]) -> None:
    text = EVERYTHING.replace(*mistake)
    assert text != EVERYTHING
    report = check(written(tmp_path, text))
    assert report.errors
    assert "hidden" not in "\n".join(report.errors)
