"""Notices: what holds, since when, in Prometheus' shape, and who is told."""

from dataclasses import replace

import pytest
from httpx import ASGITransport, AsyncClient
from prometheus_client import CollectorRegistry

from bridge.api.lifecycle import Steady
from bridge.api.notices import RELOAD_FAILED, SHUTTING_DOWN, Notices, Subscriber
from bridge.api.routes import application
from bridge.api.tenancy import EVERYBODY, Tenant
from bridge.telemetry.notices import NoticeMetrics
from tests.api import world


def texts(notices: Notices) -> list[str]:
    return [notice.text for notice in notices.held]


def test_a_notice_holds_until_it_is_removed() -> None:
    notices = Notices()
    assert texts(notices) == []
    notices.add(RELOAD_FAILED, 0)
    notices.add(SHUTTING_DOWN, 1_700_000_000_000)
    notices.add(RELOAD_FAILED, 1_700_000_000_120)
    assert [one.json() for one in notices.held] == [
        b'{"text":"%s","date":"2023-11-14T22:13:20.12Z","active":true}' % RELOAD_FAILED.encode(),
        b'{"text":"%s","date":"2023-11-14T22:13:20Z","active":true}' % SHUTTING_DOWN.encode(),
    ]
    notices.remove(RELOAD_FAILED)
    notices.remove(RELOAD_FAILED)
    assert texts(notices) == [SHUTTING_DOWN]


def subscribed(notices: Notices, most: int = 16) -> Subscriber:
    made = notices.subscribe(most)
    assert made is not None
    return made


async def told(subscriber: Subscriber, count: int) -> list[tuple[str, int, bool] | None]:
    """So many notices; None is the end."""
    taken = [await subscriber.told() for _ in range(count)]
    return [None if one is None else (one.text, one.since, one.active) for one in taken]


async def test_a_subscriber_is_told_what_holds_and_then_each_change() -> None:
    notices = Notices()
    notices.add("held", 1)
    notices.add("over", 2)
    notices.remove("over")
    subscriber = subscribed(notices)
    notices.add("held", 3)
    notices.remove("held")
    notices.remove("never held")
    notices.end()
    assert await told(subscriber, 4) == [
        ("held", 1, True),
        ("held", 3, True),
        ("held", 3, False),
        None,
    ]
    assert await told(subscribed(notices), 1) == [None]


async def test_there_is_room_for_so_many_subscribers() -> None:
    notices = Notices()
    first = subscribed(notices, 1)
    assert notices.subscribe(1) is None
    assert notices.subscribe(0) is None
    notices.unsubscribe(first)
    notices.unsubscribe(first)
    assert notices.subscribe(1) is not None


async def test_what_a_subscriber_does_not_take_is_dropped_and_counted() -> None:
    registry = CollectorRegistry()
    notices = Notices(NoticeMetrics(registry))
    slow, quick = subscribed(notices), subscribed(notices)
    for moment in range(12):
        notices.add("again", moment)
        assert await told(quick, 1) == [("again", moment, True)]
    notices.end()
    assert (await told(slow, 11))[-2:] == [("again", 9, True), None]
    prefix = "prombridge_api_notification_"
    assert registry.get_sample_value(f"{prefix}active_subscribers") == 2
    assert registry.get_sample_value(f"{prefix}updates_sent_total") == 24
    assert registry.get_sample_value(f"{prefix}updates_dropped_total") == 2


@pytest.mark.parametrize(("tenant", "count"), [(EVERYBODY, 1), (Tenant("alpha"), 0)])
async def test_operators_are_told_and_tenants_are_not(tenant: Tenant, count: int) -> None:
    lifecycle = Steady()
    lifecycle.notices.add(RELOAD_FAILED, world.NOW)
    async with world.api() as made:
        app = application(replace(made, lifecycle=lifecycle, tenant=tenant))
        async with AsyncClient(transport=ASGITransport(app), base_url="http://bridge") as client:
            response = await client.get("/api/v1/notifications")
    assert len(response.json()["data"]) == count
