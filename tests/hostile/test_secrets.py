"""No secret that is configured shows anywhere, whatever a store sends back."""

import asyncio
import base64
import json
import logging
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import httpx
import pytest
import yaml

from bridge.app.service import Service
from bridge.config.load import load
from bridge.config.settings import Settings
from bridge.model.secret import Secret
from bridge.telemetry.log import _JsonFormatter
from tests.remote.stores import START, Store, store
from tests.servers.process import free_port

QUERY = {"query": "up", "time": f"{START // 1000 + 60}"}
PAGES = (
    "/api/v1/status/config",
    "/api/v1/status/runtimeinfo",
    "/api/v1/status/active_queries",
    "/api/v1/query?query=up",
    "/metrics",
    "/version",
)
BASIC = ("password", "password-file", "userinfo", "proxy")
# What a client sends, to be sent on.
SENT_ON = {
    "X-Scope-OrgID": "hidden-org",
    "Authorization": "Bearer hidden-clients-token",
    "Cookie": "theme=dark; session=hidden-session",
}
NAMES = ("series?match[]=up", "labels?match[]=up")


def entries(url: str, folder: Path) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """A store for each way to prove who asks: its entry, and what the own file says of it."""
    for name in ("password", "token", "header", "client"):
        (folder / f"{name}.txt").write_text(f"hidden-{name}-file\n")
    base = url.replace("http://", "")
    key = {"cert": "no certificate", "key": "hidden-tls-key"}
    oauth2 = {"client_id": "me", "token_url": url}
    signed = {"region": "eu", "access_key": "AKIA", "secret_key": "hidden-sigv4-key"}
    yield {"url": f"http://me:hidden-userinfo@{base}?token=hidden-parameter"}, {}
    yield {"url": url, "headers": {"X-Api-Key": "hidden-header"}}, {}
    yield {"url": url, "basic_auth": {"username": "me", "password": "hidden-password"}}, {}
    yield {"url": url, "basic_auth": {"username": "me", "password_file": "password.txt"}}, {}
    yield {"url": url, "authorization": {"type": "Token", "credentials": "hidden-token"}}, {}
    yield {"url": url, "authorization": {"credentials_file": "token.txt"}}, {}
    yield {"url": url, "bearer_token": "hidden-bearer"}, {}
    yield {"url": url, "bearer_token_file": "token.txt"}, {}
    custom = {"X-A": {"secrets": ["hidden-custom"]}, "X-B": {"files": ["header.txt"]}}
    yield {"url": url, "http_headers": custom}, {}
    proxy = f"http://me:hidden-proxy@{base.partition('/')[0]}"
    connect = {"X-Proxy": ["hidden-proxy-header"]}
    yield {"url": url, "proxy_url": proxy, "proxy_connect_header": connect}, {}
    yield {"url": url.replace("http:", "https:"), "tls_config": key}, {}
    yield {"url": url, "oauth2": {**oauth2, "client_secret": "hidden-client-secret"}}, {}
    yield {"url": url, "oauth2": {**oauth2, "client_secret_file": "client.txt"}}, {}
    yield {"url": url}, {"sigv4": signed}
    names = f"http://me:hidden-metadata@{base}"
    yield {"url": url}, {"metadata_url": names, "query_url": f"{url}?token=hidden-query"}
    yield {"url": url}, {"forward_headers": list(SENT_ON), "metadata_url": url}


def configured(folder: Path, url: str) -> Settings:
    """The settings of a configuration with every secret there is."""
    named = {f"store{n}": one for n, one in enumerate(entries(url, folder))}
    config = {
        "global": {"query_log_file": "query.log"},
        "tracing": {
            "endpoint": f"127.0.0.1:{free_port()}",
            "client_type": "http",
            "insecure": True,
            "sampling_fraction": 1,
            "headers": {"X-Collector": "hidden-collector"},
            "timeout": "1s",
        },
        "remote_read": [{"name": name, **entry} for name, (entry, _) in named.items()],
    }
    own = {
        "catalogue": {"bootstrap": False},
        "cache": {"valkey_url": f"redis://:hidden-valkey@127.0.0.1:{free_port()}/0"},
        "tenants": {
            "default": "all",
            "names": {"all": {"operator": True, "headers": {"X-Tenant-Key": "hidden-tenant"}}},
        },
        "stores": {name: {"retries": 0, **more} for name, (_, more) in named.items()},
    }
    files = folder / "prometheus.yml", folder / "prombridge.yml"
    for file, content in zip(files, (config, own), strict=True):
        file.write_text(yaml.safe_dump(content))
    return load(*files).settings


def held(value: object) -> Iterator[tuple[str, str]]:
    """Class and field of each secret that is set below a value."""
    if not is_dataclass(value):
        if isinstance(value, tuple):
            for item in value:
                yield from held(item)
        return
    for field in fields(value):
        content = getattr(value, field.name)
        inside = content if isinstance(content, tuple) else (content,)
        if any(isinstance(one, Secret) and one for one in inside):
            yield type(value).__name__, field.name
        yield from held(content)


def declared(
    kind: type = Settings, seen: frozenset[Any] = frozenset()
) -> Iterator[tuple[str, str]]:
    """Class and field of each secret that settings may have, wherever it is declared."""
    if kind in seen or not is_dataclass(kind):
        return
    for name, hint in get_type_hints(kind).items():
        inside = set(_parts(hint))
        if Secret in inside:
            yield str(kind.__name__), name
        for part in inside:
            yield from declared(part, seen | {kind})


def _parts(hint: Any) -> Iterator[Any]:
    """A type and all that stand in it."""
    yield hint
    for part in get_args(hint):
        yield from _parts(part)


async def echo(upstream: list[Store], writer: asyncio.StreamWriter) -> None:
    """Everything that was sent, sent back as an error."""
    asked = upstream[0].asked[-1]
    body = repr(asked.headers).encode() + b" " + asked.body[:500]
    head = b"HTTP/1.1 500 Oops\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n"
    writer.write(head % len(body) + body)
    await writer.drain()
    writer.close()


async def test_no_secret_shows_in_any_answer_log_line_metric_or_text(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made: list[Store] = []
    shown: list[str] = []
    # As `--log.level=debug` sets them.
    caplog.set_level(logging.WARNING)
    caplog.set_level(logging.DEBUG, "bridge")
    async with store(lambda writer: echo(made, writer)) as upstream:
        made.append(upstream)
        settings = configured(tmp_path, upstream.url)
        # A session token comes with a profile only, and what is sent on with a request.
        elsewhere = {("SigV4", "session_token"), ("StoreSettings", "forwarded")}
        assert set(declared()) - set(held(settings)) == elsewhere
        service = Service(settings, warming=False)
        transport = httpx.ASGITransport(service)
        async with (
            service.router.lifespan_context(service),
            httpx.AsyncClient(
                transport=transport, base_url="http://bridge", headers=SENT_ON
            ) as client,
        ):
            for one in settings.stores:
                prefix = f"/stores/{one.name}/api/v1"
                answer = await client.get(f"{prefix}/query", params=QUERY)
                assert answer.status_code == 503, answer.text
                shown.append(answer.text)
                names = [await client.get(f"{prefix}/{path}") for path in NAMES]
                shown += [answer.text for answer in names]
            shown += [(await client.get(path)).text for path in PAGES]
        sent = json.dumps([(asked.headers, repr(asked.body)) for asked in upstream.asked])
    assert "hidden-bearer" in sent
    assert "hidden-token-file" in sent
    assert "hidden-tenant" in sent
    assert all(value in sent for value in SENT_ON.values())
    shown.append(repr(settings))
    shown.append((tmp_path / "query.log").read_text())
    shown += map(_JsonFormatter().format, caplog.records)
    # Passwords of Basic authorizations are sent encoded.
    encoded = {base64.b64encode(f"me:hidden-{one}".encode()).decode() for one in BASIC}
    assert all(one in sent for one in encoded)
    assert [text for text in shown if any(one in text for one in ("hidden", *encoded))] == []
