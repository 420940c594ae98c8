"""The cache steered from outside: what is to be forgotten."""

from bridge.api import params
from bridge.api.endpoint import Api, ApiRequest
from bridge.api.envelope import NOTHING, Answer
from bridge.api.params import TimeRange
from bridge.model.errors import BadData, Unavailable
from bridge.model.time import MAX_TIME, MIN_TIME, Window
from bridge.promql.selectors import parse_selector


async def purge(api: Api, request: ApiRequest) -> Answer:
    """`/-/cache/purge`: what `match[]` selects is read anew, in every replica.

    Guarded and checked as Prometheus does it for `delete_series`.
    """
    if not api.settings.enable_admin_api:
        raise Unavailable("admin APIs disabled")
    params.refuse_broken(request.form)
    texts = request.form.all("match[]")
    if not texts:
        raise BadData("no match[] parameter provided")
    span = params.time_range(request.form, TimeRange(MIN_TIME, MAX_TIME))
    with params.parameter("match[]"):
        selectors = [parse_selector(text) for text in texts]
    untold = await api.caches.purge(selectors, Window(span.start, span.end))
    if untold:
        raise Unavailable(
            f"purged in this process, but {' and '.join(untold)} could not be told: what was read"
            " before may still be served by other replicas, or after a restart; they are told as"
            " soon as they answer"
        )
    return NOTHING
