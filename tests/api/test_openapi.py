"""The OpenAPI document tells what the API takes and gives: random requests are answered so."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
import yaml
from httpx import AsyncClient
from hypothesis import given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from bridge.api.openapi import PARAMETERS
from bridge.api.routes import HANDLERS, application
from bridge.api.settings import ApiSettings
from tests.api import world
from tests.servers.serving import served

CHECKS = [
    content_type_conformance,
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
]


def test_parameters_are_those_of_paths_that_there_are() -> None:
    assert PARAMETERS.keys() <= HANDLERS.keys()


async def test_every_path_is_in_the_document(client: AsyncClient) -> None:
    response = await client.get("/api/v1/openapi.yaml")
    assert response.headers["content-type"] == "application/yaml"
    held = yaml.safe_load(response.text)
    assert held["openapi"].startswith("3.1")
    assert held["paths"].keys() == {path.replace(":text", "") for path in HANDLERS}
    assert held["servers"] == [{"url": "/"}]


async def test_document_names_the_prefix() -> None:
    async with world.client(settings=ApiSettings(route_prefix="/below")) as client:
        held = yaml.safe_load((await client.get("/below/api/v1/openapi.yaml")).text)
    assert held["servers"] == [{"url": "/below"}]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The same API on a socket."""
    with asyncio.Runner() as runner:
        made = world.api(settings=ApiSettings(enable_search=True))
        api = runner.run(made.__aenter__())
        with served(application(api)) as url:
            yield url
        runner.run(made.__aexit__(None, None, None))


@pytest.mark.parametrize("path", HANDLERS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_requests_by_the_document_are_answered_by_it(url: str, path: str, method: str) -> None:
    schema = schemathesis.openapi.from_url(f"{url}/api/v1/openapi.yaml")
    operation = schema[path.replace(":text", "")][method]

    @given(operation.as_strategy())
    @settings(max_examples=10, deadline=None, derandomize=True, database=None)
    def asked(case: Any) -> None:
        case.call_and_validate(checks=CHECKS)

    asked()
