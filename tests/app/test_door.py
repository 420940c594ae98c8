"""Real TLS connections to a real `prombridge serve`: who comes in, and that files are followed."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import bcrypt
import httpx
import pytest
from starlette.responses import PlainTextResponse

from bridge.app.door import Door
from bridge.config.settings import WebSettings
from tests.certificates import Authority, Pair
from tests.cli.world import GOOD, LONG, QUERY, Serving, serving
from tests.remote.stores import store


def context(authority: Authority, client: Pair | None = None) -> ssl.SSLContext:
    made = ssl.create_default_context(cafile=str(authority.cert))
    if client is not None:
        made.load_cert_chain(client.cert, client.key)
    return made


@asynccontextmanager
async def connected(
    bridge: Serving, authority: Authority, client: Pair | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    verify = context(authority, client)
    async with httpx.AsyncClient(base_url=bridge.url, verify=verify, timeout=LONG) as made:
        yield made


async def status(bridge: Serving, authority: Authority, client: Pair | None = None) -> int | None:
    """The status of an answer over a new connection; None if there is no connection."""
    async with connected(bridge, authority, client) as asking:
        try:
            return (await asking.get("/-/healthy")).status_code
        except (httpx.ConnectError, httpx.ReadError, httpx.RemoteProtocolError):
            return None


class World:
    """Certificates and the file that names them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ours, self.others = Authority(folder, "ours"), Authority(folder, "others")
        self.server = self.ours.pair("server")
        self.file = folder / "web.yml"

    def write(self, *more: str, rest: str = "") -> None:
        lines = "".join(f"  {line}\n" for line in ("cert_file: server.crt", *more))
        self.file.write_text(f"tls_server_config:\n  key_file: server.key\n{lines}{rest}")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_connections_are_secured_and_follow_the_files(world: World) -> None:
    grafana = world.ours.pair("grafana", "grafana.example")
    other = world.ours.pair("other", "other.example")
    stranger = world.others.pair("stranger", "grafana.example")
    world.write()
    async with (
        store(GOOD) as upstream,
        serving(world.folder, upstream, f"--web.config.file={world.file}") as bridge,
    ):
        assert bridge.url.startswith("https://")
        async with connected(bridge, world.ours) as asking:
            answer = await asking.get("/api/v1/query", params=QUERY)
            assert answer.json()["status"] == "success"
            # The look for slow readers, each second, takes no offence at a connection of TLS.
            await asyncio.sleep(1.2)
            assert (await asking.get("/-/healthy")).status_code == 200
            plain = bridge.url.replace("https", "http")
            with pytest.raises(httpx.RemoteProtocolError):
                await asking.get(f"{plain}/-/healthy")
        assert await status(bridge, world.others) is None

        # A client has to show a certificate that is signed by ours.
        verified = ("client_auth_type: RequireAndVerifyClientCert", "client_ca_file: ours.pem")
        world.write(*verified)
        assert await status(bridge, world.ours) is None
        assert await status(bridge, world.ours, stranger) is None
        assert await status(bridge, world.ours, other) == 200

        # And it has to be for one of these names.
        world.write(*verified, "client_allowed_sans: [grafana.example]")
        assert await status(bridge, world.ours, other) is None
        assert await status(bridge, world.ours, grafana) == 200

        # Who shows none may come in, who shows a wrong one may not.
        world.write("client_auth_type: VerifyClientCertIfGiven", "client_ca_file: ours.pem")
        assert await status(bridge, world.ours) == 200
        assert await status(bridge, world.ours, stranger) is None

        # A broken file lets nobody in, until it is right again.
        world.write("client_auth_type: Maybe")
        assert await status(bridge, world.ours) is None
        assert "invalid ClientAuth: Maybe" in await bridge.line("a connection is refused")
        world.write()
        assert await status(bridge, world.ours) == 200

        # A new certificate counts from the next connection on.
        world.others.pair("server")
        assert await status(bridge, world.ours) is None
        assert await status(bridge, world.others) == 200


Choice = tuple[ssl.TLSVersion, str | None, str | None]
OLD, NEW = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
AES_256, AES_128 = "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256"


async def spoken(bridge: Serving, world: World, choice: Choice) -> str | None:
    """The cipher suite of a client that takes one version, suite and curve; None if it fails."""
    version, ciphers, curve = choice
    made = context(world.ours)
    made.minimum_version = made.maximum_version = version
    if ciphers:
        made.set_ciphers(ciphers)
    if curve:
        made.set_ecdh_curve(curve)
    async with httpx.AsyncClient(base_url=bridge.url, verify=made, timeout=LONG) as asking:
        try:
            answer = await asking.get("/-/healthy")
        except httpx.ConnectError:
            return None
        tls: ssl.SSLObject = answer.extensions["network_stream"].get_extra_info("ssl_object")
        cipher = tls.cipher()
        return cipher and cipher[0]


async def test_versions_ciphers_and_curves_are_kept(world: World) -> None:
    world.write("cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]", "max_version: TLS12")
    async with (
        store(GOOD) as upstream,
        serving(world.folder, upstream, f"--web.config.file={world.file}") as bridge,
    ):
        assert await spoken(bridge, world, (OLD, AES_256, None)) == AES_256
        assert await spoken(bridge, world, (OLD, AES_128, None)) is None
        assert await spoken(bridge, world, (NEW, None, None)) is None
        world.write("min_version: TLS13", "curve_preferences: [CurveP384, X25519]")
        assert await spoken(bridge, world, (NEW, None, "secp384r1")) is not None
        assert await spoken(bridge, world, (NEW, None, "prime256v1")) is None
        assert await spoken(bridge, world, (OLD, None, None)) is None


async def test_users_tokens_and_headers_over_tls(world: World) -> None:
    hashed = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()
    headers = "http_server_config: {headers: {X-Frame-Options: deny}}\n"
    world.write(rest=f"{headers}basic_auth_users: {{ann: {hashed}}}\n")
    tokens = world.folder / "tokens"
    tokens.write_text("grafana: t0ken\n")
    own = {"web": {"tokens_file": "tokens"}}
    async with (
        store(GOOD) as upstream,
        serving(world.folder, upstream, f"--web.config.file={world.file}", own=own) as bridge,
        connected(bridge, world.ours) as asking,
    ):
        for path in ("/-/healthy", "/-/ready", "/metrics", "/api/v1/query"):
            refused = await asking.get(path)
            assert (refused.status_code, refused.text) == (401, "Unauthorized\n")
            assert refused.headers["x-frame-options"] == "deny"
        ann = ("ann", "secret")
        assert (await asking.get("/api/v1/query", params=QUERY, auth=ann)).status_code == 200
        bearer = {"Authorization": "Bearer t0ken"}
        assert (await asking.get("/-/healthy", headers=bearer)).status_code == 200
        shown = (await asking.get("/metrics", auth=ann)).text
        assert 'prombridge_query_total{dashboard="",tenant="",user="ann"} 1.0' in shown
        tokens.write_text("grafana: another\n")
        assert (await asking.get("/-/healthy", headers=bearer)).status_code == 401


async def test_an_emptied_file_lets_nobody_in(tmp_path: Path) -> None:
    hashed = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()
    file, tokens = tmp_path / "web.yml", tmp_path / "tokens"
    file.write_text("")
    tokens.write_text("grafana: t0ken\n")
    settings = WebSettings("", 0, "/", config_file=str(file), tokens_file=str(tokens))
    gate = httpx.ASGITransport(Door(settings).gate(PlainTextResponse("in")))
    async with httpx.AsyncClient(transport=gate, base_url="http://bridge") as asking:
        for text, users, expected in (
            ("grafana: t0ken\n", "", 401),
            ("# revoked\n", "", 401),
            ("", f"basic_auth_users: {{ann: {hashed}}}\n", 401),
            ("", "", 500),
            ("grafana: t0ken\n", "http_server_config: {}\n", 500),
        ):
            tokens.write_text(text)
            file.write_text(users)
            assert (await asking.get("/")).status_code == expected, (text, users)
        file.write_text(f"basic_auth_users: {{ann: {hashed}}}\n")
        assert (await asking.get("/", auth=("ann", "secret"))).text == "in"
