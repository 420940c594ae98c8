"""Several stores in our own file: labels, times, failures, replicas."""

from pathlib import Path

import pytest

from bridge.config.masked import masked_yaml
from bridge.model.secret import Secret
from bridge.model.time import Bound
from bridge.remote.settings import SigV4
from bridge.storage.fanout import PartialResponse
from bridge.storage.replicas import ReplicaMode, ReplicaSettings
from tests.config.files import errors, loaded

READS = """
remote_read:
- {name: a, url: http://a/read}
- {name: b, url: http://b/read}
- {url: http://c/read}
"""
DAY = 86_400_000


def test_a_store_has_labels_times_and_a_policy(tmp_path: Path) -> None:
    own = """
    stores:
      a:
        labels: {region: eu, cluster: one}
        drop_labels: [replica]
        min_time: -30d
        max_time: 2026-01-01T00:00:00Z
        partial_response: warn
    """
    first, second, _ = loaded(tmp_path, READS, own).settings.stores
    assert first.labels == (("cluster", "one"), ("region", "eu"))
    assert first.drop_labels == ("replica",)
    assert first.min_time == Bound(-30 * DAY, relative=True)
    assert first.max_time == Bound(1_767_225_600_000)
    assert first.partial is PartialResponse.WARN
    assert second.partial is PartialResponse.FAIL


def test_replicas_are_named_by_name_or_url(tmp_path: Path) -> None:
    own = """
    replicas:
      pair: {stores: [b, http://a/read], mode: fill, gap: 30s, partial_response: warn}
    """
    settings = loaded(tmp_path, READS, own).settings
    (group,) = settings.replicas
    warn = PartialResponse.WARN
    assert group == ReplicaSettings("pair", ("b", "a"), ReplicaMode.FILL, 30_000, 2000, warn)
    shown = masked_yaml(settings)
    assert "mode: fill" in shown
    assert "gap: 30s" in shown


AWS = "secret_key: hunter2, access_key: AKIA"


def test_aws_keys_come_from_the_section_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = f"stores: {{a: {{sigv4: {{region: eu-west-1, {AWS}}}}}, b: {{sigv4: {{}}}}}}"
    for name, value in (
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "OTHER"),
        ("AWS_SECRET_ACCESS_KEY", "hunter3"),
        ("AWS_SESSION_TOKEN", "hunter4"),
    ):
        monkeypatch.setenv(name, value)
    settings = loaded(tmp_path, READS, own).settings
    first, second, third = (store.http.sigv4 for store in settings.stores)
    assert first == SigV4("eu-west-1", "AKIA", Secret("hunter2"))
    assert second == SigV4("us-east-1", "OTHER", Secret("hunter3"), Secret("hunter4"))
    assert third is None
    assert "hunter" not in masked_yaml(settings)
    assert "access_key: AKIA" in masked_yaml(settings)


def test_aws_keys_come_from_a_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "credentials").write_text("[team]\naws_access_key_id = a\n")
    (tmp_path / "config").write_text("[profile team]\nregion = eu-north-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    own = "stores: {a: {sigv4: {profile: team}}}"
    sigv4 = loaded(tmp_path, READS, own).settings.stores[0].http.sigv4
    file = str(tmp_path / "credentials")
    assert sigv4 == SigV4("eu-north-1", profile="team", profile_file=file)


def test_a_store_is_sent_one_kind_of_credentials(tmp_path: Path) -> None:
    reads = "remote_read: [{name: a, url: http://a/read, bearer_token: x}]"
    own = f"stores: {{a: {{sigv4: {{region: eu, {AWS}}}}}}}"
    (error,) = errors(tmp_path, reads, own)
    assert error.endswith(
        "at most one of basic_auth, authorization, oauth2 & sigv4 must be configured"
    )


@pytest.mark.parametrize(
    ("own", "error"),
    [
        (
            "stores: {a: {labels: {__name__: x}}}",
            "prombridge.yml:1: stores.a.labels: __name__ is the metric's name, which stays",
        ),
        (
            "stores: {a: {drop_labels: [__name__]}}",
            "prombridge.yml:1: stores.a.drop_labels: __name__ is the metric's name, which stays",
        ),
        (
            "stores: {a: {min_time: yesterday}}",
            (
                'prombridge.yml:1: stores.a.min_time: not a valid duration string: "yesterday";'
                " expected a time such as 2026-01-01T00:00:00Z, or a duration from now on"
                " such as -30d"
            ),
        ),
        (
            "stores: {a: {partial_response: ignore}}",
            (
                "prombridge.yml:1: stores.a.partial_response: unknown kind of partial response:"
                " ignore; expected one of fail, warn"
            ),
        ),
        (
            "stores: {a: {sigv4: {region: eu, access_key: x}}}",
            (
                "prombridge.yml:1: stores.a.sigv4: must provide a AWS SigV4 Access key and Secret"
                " Key if credentials are specified in the SigV4 config"
            ),
        ),
        (
            "stores: {a: {sigv4: {region: eu, access_key: x, secret_key: y, role_arn: z}}}",
            (
                "prombridge.yml:1: stores.a.sigv4.role_arn: prombridge does not support this; it"
                " assumes no roles; give the role's own keys, or a profile that holds them"
            ),
        ),
        (
            "replicas: {x: {stores: [a]}}",
            "prombridge.yml:1: replicas.x: stores: replicas are two stores at least",
        ),
        (
            "replicas: {x: {stores: [a, d]}}",
            "prombridge.yml:1: replicas.x: stores: no remote_read entry has the name or URL d",
        ),
        (
            "replicas: {x: {stores: [a, b]}, y: {stores: [http://b/read, http://c/read]}}",
            "prombridge.yml:1: replicas.y: stores: b is named twice",
        ),
        (
            "replicas: {x: {stores: [a, a]}}",
            "prombridge.yml:1: replicas.x: stores: a is named twice",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, own: str, error: str) -> None:
    assert errors(tmp_path, READS, own) == [error]
