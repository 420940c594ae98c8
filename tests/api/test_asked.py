"""Who answers a question for others gives what is found, or the lead, to all who wait."""

import asyncio
from typing import Any

import pytest

from bridge.api.asked import Asked, Lead
from bridge.model.errors import QueryTimeout


async def told(asked: Asked[str, str]) -> asyncio.Task[Any]:
    task = asyncio.create_task(asked.follow("q"))
    await asyncio.sleep(0)
    return task


async def test_the_lead_goes_to_whoever_came_first_when_time_is_up() -> None:
    asked: Asked[str, str] = Asked()
    lead = asked.lead("q")
    assert lead is not None
    assert asked.lead("q") is None
    first, second = await told(asked), await told(asked)
    with pytest.raises(QueryTimeout), lead:
        raise QueryTimeout("query execution")
    taken = await first
    assert isinstance(taken, Lead)
    with taken:
        taken.give("answer")
    assert await second == "answer"
    assert not len(asked)


async def test_a_lead_that_comes_too_late_is_passed_on() -> None:
    asked: Asked[str, str] = Asked()
    lead = asked.lead("q")
    assert lead is not None
    first, second = await told(asked), await told(asked)
    lead.pass_on()
    first.cancel()
    taken = await second
    assert isinstance(taken, Lead)
    taken.pass_on()
    assert not len(asked)


async def test_who_gave_up_the_lead_has_no_say_any_more() -> None:
    asked: Asked[str, str] = Asked()
    lead = asked.lead("q")
    assert lead is not None
    follower = await told(asked)
    with lead:
        lead.pass_on()
        lead.give("late")
    taken = await follower
    assert isinstance(taken, Lead)
    assert len(asked) == 1
    taken.give(None)
    assert not len(asked)
