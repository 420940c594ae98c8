"""A store that asks for a certificate: it is shown one, and the new one when the files change."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from bridge.model.errors import StoreError
from bridge.remote.client import RemoteStore
from bridge.remote.settings import HttpSettings, StoreSettings, TlsSettings
from tests.remote.stores import OPTIONS, UP, found, reply
from tests.remote.test_client import WIRE_A, A
from tests.remote.wires import sampled_body

BODY = reply(sampled_body([WIRE_A]))


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate of its own making for localhost, and its key."""
    made, key = folder / f"{name}.pem", folder / f"{name}.key"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "2", "-subj", f"/CN={name}"]
    command += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    command += ["-out", str(made), "-keyout", str(key)]
    subprocess.run(command, check=True, capture_output=True)
    return made, key


@asynccontextmanager
async def secured(server: tuple[Path, Path], trusted: Path) -> AsyncIterator[tuple[str, list[str]]]:
    """A store over TLS that answers who shows a trusted certificate, and notes whose it was."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(trusted))
    context.load_cert_chain(*server)
    context.verify_mode = ssl.CERT_REQUIRED
    names: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            shown = writer.get_extra_info("peercert")
            names.append(shown["subject"][0][0][1])
            head = await reader.readuntil(b"\r\n\r\n")
            size = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            await reader.readexactly(size)
            writer.write(BODY)
            await writer.drain()
        writer.close()

    listening = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        yield f"https://127.0.0.1:{port}/api/v1/read", names


async def test_a_new_certificate_is_shown_as_soon_as_its_files_change(tmp_path: Path) -> None:
    server = certificate(tmp_path, "server")
    first, second = certificate(tmp_path, "first"), certificate(tmp_path, "second")
    trusted = tmp_path / "trusted.pem"
    trusted.write_text(first[0].read_text() + second[0].read_text())
    cert, key = tmp_path / "mine.pem", tmp_path / "mine.key"
    tls = TlsSettings(ca_file=str(server[0]), cert_file=str(cert), key_file=str(key))
    async with secured(server, trusted) as (url, names):
        client = RemoteStore(StoreSettings("a", url, http=HttpSettings(tls=tls), retries=0))
        for made in (first, second):
            cert.write_bytes(made[0].read_bytes())
            key.write_bytes(made[1].read_bytes())
            assert found(await client.select(UP, OPTIONS)) == {A: list(WIRE_A.points)}
        await client.aclose()
    assert names == ["first", "second"]


async def test_a_store_that_trusts_another_is_an_error(tmp_path: Path) -> None:
    server, mine = certificate(tmp_path, "server"), certificate(tmp_path, "mine")
    tls = TlsSettings(ca_file=str(server[0]), cert_file=str(mine[0]), key_file=str(mine[1]))
    async with secured(server, certificate(tmp_path, "other")[0]) as (url, names):
        client = RemoteStore(StoreSettings("a", url, http=HttpSettings(tls=tls), retries=0))
        with pytest.raises(StoreError, match='store "a": no answer from https://'):
            await client.select(UP, OPTIONS)
        await client.aclose()
    assert names == []
