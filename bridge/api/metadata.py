"""What is known of metrics beyond their samples: types by their names, counts by the catalogue."""

from bridge.api import params
from bridge.api.endpoint import Api, ApiRequest
from bridge.api.envelope import Answer, go_json
from bridge.catalogue.cardinality import Counts


async def metadata(api: Api, request: ApiRequest) -> Answer:
    """`/api/v1/metadata`: what stores' APIs and names tell."""
    limit = params.number(request.form, "limit")
    each = params.number(request.form, "limit_per_metric")
    wanted = request.form.get("metric")
    found = await api.catalogue.metadata()
    kept = [(name, entries) for name, entries in found.items() if wanted in ("", name)]
    if limit is not None and limit >= 0:
        kept = kept[:limit]
    most = each if each is not None and each > 0 else None
    return Answer(go_json({name: entries[:most] for name, entries in kept}))


async def cardinalities(api: Api, request: ApiRequest) -> Answer:
    """`/api/v1/status/tsdb`: of what the catalogue knows, for there is no TSDB here."""
    limit = params.length(request.form)
    await api.catalogue.settled()
    counts = api.catalogue.cardinality(limit)
    head = {
        "numSeries": counts.series,
        "numLabelPairs": counts.label_pairs,
        "chunkCount": 0,
        "minTime": counts.start,
        "maxTime": counts.end,
    }
    return Answer(
        go_json(
            {
                "headStats": head,
                "seriesCountByMetricName": _stats(counts.series_by_metric),
                "labelValueCountByLabelName": _stats(counts.values_by_label),
                "memoryInBytesByLabelName": _stats(counts.bytes_by_label),
                "seriesCountByLabelValuePair": _stats(counts.series_by_pair),
            }
        )
    )


def _stats(counts: Counts) -> list[dict[str, object]]:
    return [{"name": name, "value": value} for name, value in counts]
