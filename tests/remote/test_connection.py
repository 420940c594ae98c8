"""The way to a store: TLS, proxies, redirects, and what is known of a store by its URL."""

import ssl
import subprocess
from pathlib import Path

import pytest

from bridge.model.errors import StoreError
from bridge.model.secret import Secret
from bridge.remote.clients import direct, in_network
from bridge.remote.credentials import BadCredentials, Files, tls_context
from bridge.remote.profiles import profile_of
from bridge.remote.settings import HttpSettings, ResponseType, StoreSettings, TlsSettings
from tests.remote.stores import OPTIONS, UP, found, remote, reply, store
from tests.remote.test_client import WIRE_A, A
from tests.remote.wires import sampled_body


async def test_a_redirect_within_the_store_is_followed() -> None:
    moved = reply(b"", status="308 Moved", headers="Location: /elsewhere\r\n")
    async with store(moved, reply(sampled_body([WIRE_A]))) as made:
        client = remote(made.url)
        assert found(await client.select(UP, OPTIONS)) == {A: list(WIRE_A.points)}
        await client.aclose()
    assert made.asked[0].body == made.asked[1].body


async def test_a_redirect_is_an_error_where_they_are_not_followed() -> None:
    moved = reply(b"", status="308 Moved", headers="Location: /elsewhere\r\n")
    async with store(moved) as made:
        client = remote(made.url, http=HttpSettings(follow_redirects=False))
        with pytest.raises(StoreError, match="HTTP 308 Moved"):
            await client.select(UP, OPTIONS)
        await client.aclose()


async def test_endless_redirects_end() -> None:
    async with store(reply(b"", status="307 Here", headers="Location: /x\r\n")) as made:
        client = remote(made.url)
        with pytest.raises(StoreError, match="more than 10 redirects"):
            await client.select(UP, OPTIONS)
        await client.aclose()


async def test_a_proxy_is_asked_with_the_whole_url() -> None:
    async with store(reply(sampled_body([WIRE_A]))) as proxy:
        http = HttpSettings(proxy_url=Secret(f"http://127.0.0.1:{proxy.port}"))
        client = remote("http://store.invalid/api/v1/read", http=http)
        assert found(await client.select(UP, OPTIONS)) == {A: list(WIRE_A.points)}
        await client.aclose()
    assert proxy.asked[0].headers["host"] == "store.invalid"


def test_hosts_without_proxy_stand_for_all_below_them() -> None:
    assert list(direct("example.com, .b.example ,10.0.0.1,,*")) == [
        "all://*example.com",
        "all://*.b.example",
        "all://10.0.0.1",
        "all://*",
    ]


@pytest.mark.parametrize(
    ("host", "no_proxy", "reached"),
    [
        ("127.0.0.1", "127.0.0.0/8", True),
        ("127.0.0.1", "example.com, 127.0.0.1/30", True),
        ("127.0.0.1", "10.0.0.0/8,nonsense/99", False),
        ("127.0.0.1", "::/0", False),
        ("[::1]", "::1/128", True),
        ("localhost", "127.0.0.0/8", False),
    ],
)
def test_networks_are_reached_without_proxy(host: str, no_proxy: str, reached: bool) -> None:
    assert in_network(f"http://{host}:9/read", no_proxy) is reached


async def test_a_store_in_such_a_network_is_asked_directly() -> None:
    async with store(reply(sampled_body([WIRE_A]))) as made:
        proxy = Secret("http://proxy.invalid:1")
        client = remote(made.url, http=HttpSettings(proxy_url=proxy, no_proxy="127.0.0.0/8"))
        assert found(await client.select(UP, OPTIONS)) == {A: list(WIRE_A.points)}
        await client.aclose()
    assert len(made.asked) == 1


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of its own making, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
            *("-out", str(certificate), "-keyout", str(key)),
        ],
        check=True,
        capture_output=True,
    )
    return certificate, key


@pytest.mark.parametrize("inline", [True, False])
def test_certificates_come_inline_or_from_files(pair: tuple[Path, Path], inline: bool) -> None:
    certificate, key = pair
    text = certificate.read_text()
    tls = (
        TlsSettings(ca=text, cert=text, key=Secret(key.read_text()), min_version="TLS13")
        if inline
        else TlsSettings(ca_file=str(certificate), cert_file=str(certificate), key_file=str(key))
    )
    context = tls_context(tls, Files())
    assert context.minimum_version == getattr(ssl.TLSVersion, "TLSv1_3" if inline else "TLSv1_2")
    assert len(context.get_ca_certs()) >= 1


def test_tls_can_be_told_not_to_verify() -> None:
    context = tls_context(TlsSettings(insecure_skip_verify=True), Files())
    assert (context.check_hostname, context.verify_mode) == (False, ssl.CERT_NONE)


def test_the_systems_authorities_are_read_once_for_all_who_trust_them() -> None:
    verifying, blind = TlsSettings(), TlsSettings(insecure_skip_verify=True, key=Secret("unused"))
    assert tls_context(verifying, Files()) is tls_context(TlsSettings(), Files())
    assert tls_context(verifying, Files()) is not tls_context(blind, Files())


@pytest.mark.parametrize(
    "tls",
    [TlsSettings(ca="nonsense"), TlsSettings(cert="x", key=Secret("hunter2"))],
    ids=["authority", "certificate"],
)
def test_useless_certificates_are_told_without_showing_them(tls: TlsSettings) -> None:
    with pytest.raises(BadCredentials, match="cannot be used") as caught:
        tls_context(tls, Files())
    assert "hunter2" not in str(caught.value)


async def test_a_missing_file_is_one_sentence() -> None:
    http = HttpSettings(tls=TlsSettings(ca_file="/nowhere/ca.pem"))
    client = remote("https://127.0.0.1:1/api/v1/read", http=http)
    text = r'store "a": cannot read /nowhere/ca\.pem: No such file or directory \(reading '
    with pytest.raises(StoreError, match=text):
        await client.select(UP, OPTIONS)
    await client.aclose()


@pytest.mark.parametrize(
    ("url", "types", "exclusive"),
    [
        ("http://h/api/v1/read", 2, False),
        ("http://h:8086/api/v1/prom/read?db=x", 1, True),
        ("http://h/prefix/api/v1/prom/read/?db=x", 1, True),
    ],
)
def test_stores_are_known_by_their_path(url: str, types: int, exclusive: bool) -> None:
    profile = profile_of(StoreSettings("a", url))
    assert (len(profile.response_types), profile.end_exclusive) == (types, exclusive)


def test_settings_overrule_what_is_known() -> None:
    streamed = (ResponseType.STREAMED,)
    settings = StoreSettings(
        "a", "http://h/api/v1/prom/read", response_types=streamed, end_exclusive=False
    )
    profile = profile_of(settings)
    assert (profile.response_types, profile.end_exclusive) == (streamed, False)


def test_neither_user_nor_query_are_shown() -> None:
    settings = StoreSettings("a", "https://me:hunter2@h:1/api/v1/read?p=hunter2#x")
    assert settings.shown_url == "https://h:1/api/v1/read"
    assert "hunter2" not in repr(settings)
