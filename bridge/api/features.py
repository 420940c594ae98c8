"""Which features of Prometheus there are, and whether they are switched on."""

from bridge.api.endpoint import Api, ApiRequest
from bridge.api.envelope import Answer, go_json
from bridge.api.scores import ALGORITHMS
from bridge.engine.functions import FUNCTIONS
from bridge.promql.tokens import (
    AGGREGATORS,
    EXPERIMENTAL_AGGREGATORS,
    FILLS,
    MODIFIERS,
    OPERATORS,
)

_EXTENDED = frozenset({"anchored", "smoothed"})
_OF_API = {
    "admin": False,
    "exclude_alerts": True,
    "label_values_match": True,
    "lifecycle": False,
    "otlp_write_receiver": False,
    "openapi_3.1": True,
    "openapi_3.2": False,
    "query_stats": True,
    "query_warnings": True,
    "remote_write_receiver": False,
    **{f"search_fuzz_alg_{name}": True for name in ALGORITHMS},
    "time_range_labels": True,
    "time_range_series": True,
}


async def features(api: Api, _request: ApiRequest) -> Answer:
    """`/api/v1/features`: by category, as cmd/prometheus/testdata/features.json of Prometheus."""
    language, switches = api.engine.features, api.engine.switches
    experimental = language.experimental_functions
    words = dict.fromkeys(MODIFIERS, True)
    words |= dict.fromkeys(_EXTENDED, language.extended_range_selectors)
    words |= dict.fromkeys(FILLS, language.fill_modifiers)
    found = {
        "api": _OF_API | {"search": api.settings.enable_search},
        "prometheus": {"agent_mode": False, "auto_reload_config": False, "server_mode": True},
        "promql": words
        | {
            "at_modifier": True,
            "delayed_name_removal": switches.delayed_name_removal,
            "duration_expr": language.duration_expressions,
            "negative_offset": True,
            "per_query_lookback_delta": True,
            "per_step_stats": switches.per_step_stats,
            "subqueries": True,
            "type_and_unit_labels": switches.type_and_unit_labels,
        },
        "promql_functions": {
            name: experimental or not one.signature.experimental for name, one in FUNCTIONS.items()
        },
        "promql_operators": {
            **dict.fromkeys(OPERATORS, True),
            **{name: experimental or name not in EXPERIMENTAL_AGGREGATORS for name in AGGREGATORS},
        },
    }
    return Answer(go_json(found))
