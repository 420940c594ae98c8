"""A plan's reads, all at once: the first that fails ends the others, and so does one too many."""

import asyncio
from dataclasses import replace
from functools import partial

from bridge.engine.demands import Taken
from bridge.engine.limits import Budget
from bridge.engine.plan import Plan, rows_of_values
from bridge.model.time import Steps, Window
from bridge.storage.interface import Querier, ReadOptions, Select, Selection
from bridge.storage.watch import Watch


async def fetched(
    querier: Querier, planned: Plan, steps: Steps, options: ReadOptions, budget: Budget
) -> list[Selection]:
    """The answers of all reads; raises what the Querier raises, and LimitExceeded.

    A read whose every series becomes a row of a value ends as soon as it has brought more series
    than the budget has room for.
    """
    taken = Taken(options)
    most = budget.most_series(len(steps))
    watched = most and not 0 < options.max_series <= most
    rows = rows_of_values(planned, steps) if watched else frozenset()

    async def read(select: Select) -> Selection:
        if select not in rows:
            return taken.add(await querier.select(select, options))
        refuse = partial(budget.refuse, steps=len(steps))
        with Watch(Window(select.start, select.end), most, refuse) as watch:
            found = await querier.select(select, replace(options, watch=watch))
        return taken.add(found)

    if len(planned.selects) <= 1:
        return [await read(select) for select in planned.selects]
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(read(select)) for select in planned.selects]
    except BaseExceptionGroup as failed:
        raise _first(failed) from None
    return [task.result() for task in tasks]


def _first(failed: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error that came first, groups within groups opened."""
    inner = failed.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner
