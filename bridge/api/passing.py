"""What a store's own API has and remote read has not: exemplars, rules, alerts."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from bridge.api.endpoint import Api
from bridge.api.envelope import Answer, go_json
from bridge.api.form import Pair
from bridge.api.headers import SOURCE_HEADER
from bridge.model.errors import BridgeError
from bridge.storage.fanout import FAILURES, lacking

Keep = Callable[[Any], bool]


async def passed_on(
    api: Api, pairs: Sequence[Pair], path: str, key: str = "", keep: Keep | None = None
) -> Answer | None:
    """The lists of all stores with a `metadata_url` as one; None if no store has one.

    `key` names the list in the data; of its items only those that `keep` lets pass are told, if it
    is given. Raises the first error if no store answers.
    """
    if not api.apis:
        return None
    answers = await asyncio.gather(
        *(one.ask("GET", path, pairs) for one in api.apis), return_exceptions=True
    )
    items: list[Any] = []
    errors: list[BridgeError] = []
    warnings: list[str] = []
    for answer in answers:
        match answer:
            case BridgeError() if isinstance(answer, FAILURES):
                errors.append(answer)
            case BaseException():
                raise answer
            case _:
                found = _list(answer.data, key)
                items += found if keep is None else filter(keep, found)
                warnings += answer.warnings
    if len(errors) == len(answers):
        raise errors[0]
    warnings += map(lacking, errors)
    complete = str(not errors).lower()
    headers = ((SOURCE_HEADER, f"api; complete={complete}"),)
    return Answer(go_json({key: items} if key else items), tuple(warnings), headers=headers)


def _list(data: Any, key: str) -> list[Any]:
    held = data.get(key) if key and isinstance(data, dict) else data
    return held if isinstance(held, list) else []
