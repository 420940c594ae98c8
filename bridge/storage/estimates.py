"""What a read would take, before it is made."""

from bridge.model.time import Window
from bridge.storage.interface import Estimate, Estimator, Querier, ReadOptions, Select


async def estimated(querier: Querier, select: Select, options: ReadOptions) -> tuple[Estimate, ...]:
    """What a Querier says of a read; of one that says nothing, that it would be asked for all."""
    if isinstance(querier, Estimator):
        return await querier.estimate(select, options)
    return (Estimate("", gaps=(Window(select.start, select.end),)),)
