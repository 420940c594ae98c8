"""Queries that a store evaluates: those that exceed a limit here, or all, as its settings say."""

from bridge.api.endpoint import Api
from bridge.api.envelope import Answer
from bridge.api.headers import SOURCE_HEADER
from bridge.engine.functions import signatures
from bridge.engine.query import QueryOptions
from bridge.model.errors import BridgeError
from bridge.model.time import Steps
from bridge.promql.narrowing import NotNarrowable, narrowed
from bridge.promql.printer import to_text
from bridge.storage.delegation import delegate_for


async def pushed_down(
    api: Api, text: str, steps: Steps, options: QueryOptions, error: BridgeError | None = None
) -> Answer | None:
    """The answer of a store, in place of an error if there is one; None if it is not its to give.

    It says where it was computed.
    """
    if not any(one.delegate for one in api.delegations):
        return None
    selects = await api.engine.selects(text, steps, options)
    delegate = delegate_for(api.delegations, selects, over_limit=error is not None)
    if delegate is None:
        return None
    if api.tenant.matchers:
        try:
            expr = narrowed(api.engine.parse(text), api.tenant.matchers, signatures())
        except NotNarrowable:
            return None
        text = to_text(expr)
    lookback = options.lookback or api.limits.lookback
    found = await delegate.evaluate(text, steps, lookback, options.limit, options.timeout)
    why = f", because here {error}" if error is not None else ""
    told = f'prombridge info: computed by store "{found.store}" at its query_url{why}'
    headers = ((SOURCE_HEADER, "store; complete=true"),)
    return Answer(found.data, found.warnings, (*found.infos, told), headers)
