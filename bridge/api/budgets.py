"""What is left of each budget, for operators."""

import math

from bridge.api import params
from bridge.api.endpoint import Api, ApiRequest
from bridge.api.envelope import Answer, go_json
from bridge.storage.payer import Account, Standing, setting

Shown = dict[str, object]


async def status(api: Api, request: ApiRequest) -> Answer:
    """`/api/v1/status/budgets`: of tenants, users and dashboards, `limit` of the fullest."""
    limit, now = params.length(request.form), api.budgets.now
    held = [
        (tenant, account, tuple(account.standings(now)))
        for tenant, account in api.budgets.accounts()
    ]
    held.sort(key=lambda one: max((each.used / each.limit for each in one[2]), default=0.0))
    shown = [_shown(*one) for one in reversed(held[-limit:])]
    return Answer(go_json({"remembered": len(held), "budgets": shown}))


def _shown(tenant: str, account: Account, standings: tuple[Standing, ...]) -> Shown:
    return {
        "tenant": tenant,
        "whose": account.whose,
        "name": account.name,
        "usedUp": any(one.reached for one in standings),
        "limits": {setting(one.quantity, one.period): _limit(one) for one in standings},
    }


def _limit(standing: Standing) -> Shown:
    return {
        "limit": standing.limit,
        "used": standing.used,
        "freeInSeconds": math.ceil(standing.wait) if standing.reached else 0,
    }
