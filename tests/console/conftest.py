"""A demo, a Chromium and pages of it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.console.visit import Visit
from tests.servers.binaries import CHROMIUM, environment
from tests.servers.bridge import prombridge, reading
from tests.servers.demo import demo as run_demo
from tests.servers.fixtures import entered
from tests.servers.process import Running

_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="package")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A demo for all tests of the console."""
    with run_demo(tmp_path_factory.mktemp("demo")) as server:
        yield server


@pytest.fixture(scope="package")
def below_a_prefix(demo: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a prombridge below a path, in front of the demo's store."""
    found = re.search(r"remote read on (\S+/read)", demo.log.read_text())
    assert found is not None
    folder = tmp_path_factory.mktemp("prefixed")
    with prombridge(folder, reading(found[1]), prefix="/team/prom") as server:
        yield f"{server.url}/team/prom"


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One Chromium; it ends with the package, whose tests may not be coroutines for that long."""
    program = entered(CHROMIUM.locate)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=program, env=dict(environment(program)), args=list(_FLAGS)
        )
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that has kept nothing of earlier ones, with time in UTC and room to look."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 800}, color_scheme="light", locale="en-GB"
    )
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()


@pytest.fixture
def visit(page: Page, demo: Running) -> Iterator[Visit]:
    """The demo's console as a visitor sees it; it must have nothing to complain of."""
    visitor = Visit(page, demo.url)
    yield visitor
    assert visitor.complaints == []


@pytest.fixture(scope="session")
def shots() -> Path:
    """Where pictures are kept for those who want to look."""
    folder = Path(__file__).parents[2] / "build/screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
