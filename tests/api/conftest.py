"""The client that most tests of the API share."""

from collections.abc import AsyncIterator

import pytest
from httpx import AsyncClient

from tests.api import world
from tests.api.warm import Warm, warmed


@pytest.fixture
async def client() -> AsyncIterator[AsyncClient]:
    async with world.client() as made:
        yield made


@pytest.fixture
async def warm() -> AsyncIterator[Warm]:
    async with warmed() as made:
        yield made
