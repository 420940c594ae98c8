"""Notices: what holds, since when, in Prometheus' shape, and who is told."""

from dataclasses import replace

import pytest
from httpx import ASGITransport, AsyncClient

from bridge.api.lifecycle import Steady
from bridge.api.notices import RELOAD_FAILED, SHUTTING_DOWN, Notices
from bridge.api.routes import application
from bridge.api.tenancy import EVERYBODY, Tenant
from tests.api import world


def test_a_notice_holds_until_it_is_removed() -> None:
    notices = Notices()
    assert notices.shown() == []
    notices.add(RELOAD_FAILED, 0)
    notices.add(SHUTTING_DOWN, 1_700_000_000_000)
    notices.add(RELOAD_FAILED, 1_700_000_000_120)
    assert notices.shown() == [
        {"text": RELOAD_FAILED, "date": "2023-11-14T22:13:20.12Z", "active": True},
        {"text": SHUTTING_DOWN, "date": "2023-11-14T22:13:20Z", "active": True},
    ]
    notices.remove(RELOAD_FAILED)
    notices.remove(RELOAD_FAILED)
    assert [one["text"] for one in notices.shown()] == [SHUTTING_DOWN]


@pytest.mark.parametrize(("tenant", "told"), [(EVERYBODY, 1), (Tenant("alpha"), 0)])
async def test_operators_are_told_and_tenants_are_not(tenant: Tenant, told: int) -> None:
    lifecycle = Steady()
    lifecycle.notices.add(RELOAD_FAILED, world.NOW)
    async with world.api() as made:
        app = application(replace(made, lifecycle=lifecycle, tenant=tenant))
        async with AsyncClient(transport=ASGITransport(app), base_url="http://bridge") as client:
            response = await client.get("/api/v1/notifications")
    assert len(response.json()["data"]) == told
