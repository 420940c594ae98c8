"""Headers of clients that are sent on: what is read of the configuration, and what is refused."""

from pathlib import Path

import pytest
import yaml

from bridge.api.forwarding import ForwardingSettings
from bridge.config.flags import Flags
from bridge.config.load import check
from bridge.config.masked import masked_yaml
from bridge.remote.profiles import profile_of
from tests.config.files import errors, loaded, written

READS = """
remote_read:
- {name: a, url: http://a/api/v1/read}
- {name: b, url: http://b/read, headers: {X-Db: one}, http_headers: {X-Key: {values: [k]}}}
- {name: c, url: http://c/read, basic_auth: {username: me, password: hush}}
- {name: d, url: http://me:hush@d/read}
"""


def faults(folder: Path, own: str) -> list[str]:
    """What is wrong, without file and line."""
    return [one.partition(": ")[2] for one in errors(folder, READS, own)]


def test_headers_are_named_for_each_store(tmp_path: Path) -> None:
    own = """
    forwarding: {max_sets: 7, max_value_bytes: 1KB}
    stores:
      a: {forward_headers: [X-Scope-OrgID, x-scope-orgid, Authorization]}
      http://b/read: {forward_headers: [X-User]}
    """
    settings = loaded(tmp_path, READS, own).settings
    a, b, c, _ = settings.stores
    assert a.forward_headers == ("X-Scope-OrgID", "Authorization")
    assert (b.forward_headers, c.forward_headers) == (("X-User",), ())
    assert all(one.forwarded == () for one in settings.stores)
    assert settings.forwarding == ForwardingSettings(7, 1024)
    shown = yaml.safe_load(masked_yaml(settings))["prombridge"]
    assert shown["stores"]["a"]["forward_headers"] == ["X-Scope-OrgID", "Authorization"]
    assert "forward_headers" not in shown["stores"]["c"]
    assert shown["forwarding"] == {"max_sets": 7, "max_value_bytes": 1024}


def test_without_any_nothing_is_sent_on(tmp_path: Path) -> None:
    settings = loaded(tmp_path, READS).settings
    assert not any(one.forward_headers for one in settings.stores)
    assert "forward" not in masked_yaml(settings)


def test_a_store_whose_tenants_are_named_by_a_header_is_known_by_it(tmp_path: Path) -> None:
    own = "stores: {a: {forward_headers: [X-Scope-OrgID]}}"
    assert profile_of(loaded(tmp_path, READS, own).settings.stores[0]).name == "mimir"


@pytest.mark.parametrize(
    "name",
    [
        *("Connection", "keep-alive", "Proxy-Authenticate", "PROXY-AUTHORIZATION", "Proxy-Foo"),
        *("TE", "Trailer", "Transfer-Encoding", "Upgrade", "Proxy-Connection"),
    ],
)
def test_what_belongs_to_a_connection_is_refused(tmp_path: Path, name: str) -> None:
    (text,) = faults(tmp_path, f"stores: {{a: {{forward_headers: [X-Org, {name}]}}}}")
    where = "stores.a.forward_headers: "
    assert text == f"{where}{name} belongs to a connection and is never sent on: leave it out"


@pytest.mark.parametrize(
    "name",
    [
        *("Host", "Content-Type", "Content-Length", "content-encoding", "Accept", "Expect"),
        *("Accept-Encoding", "User-Agent", "X-Prometheus-Remote-Read-Version", "Range"),
        *("If-None-Match", "traceparent", "X-Amz-Date"),
    ],
)
def test_what_prombridge_says_itself_is_refused(tmp_path: Path, name: str) -> None:
    (text,) = faults(tmp_path, f"stores: {{a: {{forward_headers: [{name}]}}}}")
    where = "stores.a.forward_headers: "
    assert text == f"{where}{name} is what prombridge itself says to a store: leave it out"


@pytest.mark.parametrize("name", ["", "X Org", "X-Org:", "X-Örg", "X\\r\\nEvil"])
def test_what_is_no_name_of_a_header_is_refused(tmp_path: Path, name: str) -> None:
    (text,) = faults(tmp_path, f'stores: {{a: {{forward_headers: ["{name}"]}}}}')
    assert "is not a valid HTTP header name" in text


def test_what_is_set_already_is_refused(tmp_path: Path) -> None:
    own = """
    tenants:
      default: one
      names: {one: {headers: {X-Team: a}, stores: ['http://a/api/v1/read']}}
    stores:
      a: {forward_headers: [x-team]}
      b: {forward_headers: [x-db, X-KEY, X-Team]}
    """
    tenants = "the tenant one has a header x-team of its own: take it from one of both"
    entrys = "the remote_read entry sets {} itself: take it from one of the two"
    assert faults(tmp_path, own) == [
        f"stores.a.forward_headers: {tenants}",
        f"stores.b.forward_headers: {entrys.format('X-KEY')}",
        f"stores.b.forward_headers: {entrys.format('x-db')}",
    ]


@pytest.mark.parametrize("name", ["Authorization", "Cookie"])
def test_credentials_do_not_go_beside_those_of_the_store(tmp_path: Path, name: str) -> None:
    signed = "{region: eu, access_key: A, secret_key: s}"
    own = f"""
    stores:
      a: {{forward_headers: [{name}]}}
      http://a/api/v1/read: {{sigv4: {signed}}}
      b: {{forward_headers: [{name}], query_url: 'http://me:hush@b'}}
      c: {{forward_headers: [{name}, X-Org]}}
      d: {{forward_headers: [{name}]}}
    """
    text = f"forward_headers: {name} cannot be sent on to a store that has credentials in its"
    assert faults(tmp_path, own) == [f"stores.{one}.{text} settings" for one in "abcd"]


@pytest.mark.parametrize("name", ["Authorization", "Cookie"])
def test_credentials_do_not_leave_prombridge_if_it_asks_for_some(tmp_path: Path, name: str) -> None:
    users = "basic_auth_users: {ann: $2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi}"
    headers = "http_server_config: {headers: {X-Frame-Options: deny}}"
    own = f"stores: {{a: {{forward_headers: [{name}]}}}}"
    text = (
        f"stores.a.forward_headers: {name} cannot be sent on while users or tokens are asked for:"
        " what clients prove to prombridge must not leave it"
    )
    assert faults(tmp_path, f"{own}\nweb: {{tokens_file: tokens}}") == [text]
    files = written(tmp_path, READS), written(tmp_path, own, "prombridge.yml")
    for web, expected in ((users, [text]), (headers, []), ("nonsense: 1", [text])):
        flags = Flags(web_config_file=str(written(tmp_path, web, "web.yml")))
        found = check(*files, flags).errors
        assert [one.split(": ", 1)[1] for one in found] == expected


def test_who_could_write_a_header_at_will_is_told(tmp_path: Path) -> None:
    own = "stores: {a: {forward_headers: [Authorization, X-Org]}}"
    (text,) = loaded(tmp_path, READS, own).warnings
    assert text.endswith(
        "stores.a.forward_headers: whoever reaches prombridge can write X-Org: let only a proxy"
        " reach it that sets the header, or ask for users or tokens"
    )
    gated = "stores: {a: {forward_headers: [X-Org]}}\nweb: {tokens_file: tokens}"
    assert loaded(tmp_path, READS, gated).warnings == ()


@pytest.mark.parametrize("key", ["max_sets", "max_value_bytes"])
def test_bounds_are_greater_than_zero(tmp_path: Path, key: str) -> None:
    (text,) = faults(tmp_path, f"forwarding: {{{key}: 0}}")
    assert "must be greater than 0; to send nothing on, leave out forward_headers" in text
