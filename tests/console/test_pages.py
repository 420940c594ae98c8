"""The console's files over HTTP: their headers, their caching, their place below a prefix."""

import re

import httpx
import pytest

from bridge.console.pages import PAGES, SECURITY_HEADERS
from tests.servers.process import Running


def addresses(document: str) -> list[str]:
    """Where the document's own files lie, relative to it."""
    return re.findall(r'(?:href|src)="([^"]+)"', document)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_the_same_document_under_a_strict_policy(demo: Running, path: str) -> None:
    answer = httpx.get(demo.url + path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.text == httpx.get(f"{demo.url}/").text
    for name, value in SECURITY_HEADERS.items():
        assert answer.headers[name] == value
    assert "unsafe" not in SECURITY_HEADERS["Content-Security-Policy"]


def test_the_document_names_only_its_own_files_and_runs_nothing_inline(demo: Running) -> None:
    document = httpx.get(demo.url).text
    assert len(addresses(document)) == 4
    assert all(address.startswith("assets/") for address in addresses(document))
    assert not re.search(r"<script[^>]*>[^<]|<style| style=| on\w+=", document)


def test_files_are_kept_for_good_under_the_digest_of_their_content(demo: Running) -> None:
    for address in addresses(httpx.get(demo.url).text):
        answer = httpx.get(f"{demo.url}/{address}")
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        digest = answer.headers["ETag"].strip('"')
        assert f".{digest}." in address
        again = httpx.get(f"{demo.url}/{address}", headers={"If-None-Match": f'"{digest}"'})
        assert (again.status_code, again.content) == (304, b"")


def test_files_are_packed_for_those_who_take_it(demo: Running) -> None:
    script = next(one for one in addresses(httpx.get(demo.url).text) if one.endswith(".js"))
    packed = httpx.get(f"{demo.url}/{script}", headers={"Accept-Encoding": "br, gzip"})
    plain = httpx.get(f"{demo.url}/{script}", headers={"Accept-Encoding": "gzip;q=0"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert packed.content == plain.content
    assert int(packed.headers["Content-Length"]) * 2 < int(plain.headers["Content-Length"])


def test_head_is_answered_without_a_body(demo: Running) -> None:
    answer = httpx.head(demo.url)
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("path", ["/assets/console.js", "/assets/../index.html", "/index.html"])
def test_other_paths_are_the_apis_404(demo: Running, path: str) -> None:
    answer = httpx.get(demo.url + path)
    assert answer.status_code == 404
    assert answer.json()["errorType"] == "not_found"


def test_below_a_prefix_the_ways_in_lead_there_relatively(below_a_prefix: str) -> None:
    host = below_a_prefix.removesuffix("/team/prom")
    for path, target in [("/", "team/prom/"), ("/team/prom", "prom/")]:
        answer = httpx.get(host + path)
        assert (answer.status_code, answer.headers["Location"]) == (302, target)
    document = httpx.get(f"{below_a_prefix}/graph").text
    for address in addresses(document):
        assert httpx.get(f"{below_a_prefix}/{address}").status_code == 200
