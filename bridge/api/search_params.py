"""What a search asks for, in the order and with the words of Prometheus' API.

Source: web/api/v1/search.go of Prometheus.
"""

from dataclasses import dataclass
from typing import Final

from bridge.api import params
from bridge.api.form import Form
from bridge.api.scores import ALGORITHMS, SUBSEQUENCE, Order, Wanted
from bridge.engine.demands import Limits
from bridge.model.errors import BadData
from bridge.model.labels import Matcher, quoted
from bridge.model.time import Window
from bridge.promql.selectors import parse_selector

_MOST_TERMS: Final = 32
_HOUR_MS: Final = 3_600_000
_DEFAULT: Final = 100
# What Go's strconv.ParseBool takes.
_TRUE: Final = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE: Final = frozenset({"0", "f", "F", "FALSE", "false", "False"})


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched: of which series, what fits, in which order, how many in a line and in all.

    `scored`: whether each is told with its score.
    """

    matcher_sets: tuple[tuple[Matcher, ...], ...]
    window: Window
    wanted: Wanted
    order: Order
    scored: bool
    limit: int
    batch_size: int


def search_of(form: Form, endpoint: str, now: int, most: int, limits: Limits) -> Search:
    """The parameters that all searches have; `most` is the highest `limit`, 0 for none."""
    params.refuse_broken(form)
    window = _window(form, now)
    matcher_sets = params.selectors(form.all("match[]"), parse_selector, limits)
    wanted = _wanted(form)
    scored = boolean(form, "include_score", default=False)
    sort_by = form.get("sort_by")
    order = _order(form, sort_by)
    limit, batch_size = _limit(form, most), _positive(form, "batch_size", _DEFAULT)
    if sort_by not in {"", "alpha", "score"}:
        raise BadData(
            f'invalid sort_by {quoted(sort_by)} for {endpoint}: must be "alpha" or "score"'
        )
    return Search(matcher_sets, window, wanted, order, scored, limit, batch_size)


def boolean(form: Form, name: str, *, default: bool) -> bool:
    """A truth value as Go's strconv.ParseBool takes it."""
    text = form.get(name)
    if text and text not in _TRUE | _FALSE:
        raise BadData(f"invalid {name} {quoted(text)}: must be boolean")
    return text in _TRUE if text else default


def _window(form: Form, now: int) -> Window:
    """From `start` to `end`; the last hour by default."""
    start, end = _time(form, "start", now - _HOUR_MS), _time(form, "end", now)
    if end < start:
        raise BadData("end timestamp must not be before start timestamp")
    return Window(start, end)


def _time(form: Form, name: str, default: int) -> int:
    text = form.get(name)
    try:
        return params.time(text) if text else default
    except BadData as error:
        raise BadData(f"invalid time value for '{name}': {error}") from None


def _wanted(form: Form) -> Wanted:
    terms = form.all("search[]")
    if len(terms) > _MOST_TERMS:
        raise BadData(f"too many search[] terms: got {len(terms)}, maximum is {_MOST_TERMS}")
    threshold = _threshold(form.get("fuzz_threshold"))
    algorithm = form.get("fuzz_alg") or SUBSEQUENCE
    if algorithm not in ALGORITHMS:
        known = f"[{' '.join(ALGORITHMS)}]"
        raise BadData(f"unsupported fuzz_alg {quoted(algorithm)}: must be one of {known}")
    return Wanted(terms, threshold, algorithm, boolean(form, "case_sensitive", default=True))


def _threshold(text: str) -> float:
    value = _integer(text) if text else 0
    if value is None or not 0 <= value <= 100:
        raise BadData(f"invalid fuzz_threshold {quoted(text)}: must be 0-100")
    return value / 100


def _order(form: Form, sort_by: str) -> Order:
    direction = form.get("sort_dir")
    if direction and not sort_by:
        raise BadData("sort_dir is only valid when sort_by is set")
    if direction and sort_by == "score":
        raise BadData("sort_dir is not supported for sort_by=score")
    if direction not in {"", "asc", "dsc"}:
        raise BadData(f'invalid sort_dir {quoted(direction)}: must be "asc" or "dsc"')
    if sort_by == "score":
        if not form.all("search[]"):
            raise BadData("sort_by=score requires search[] to be set")
        return Order.SCORE
    return Order.DESCENDING if direction == "dsc" else Order.ASCENDING


def _limit(form: Form, most: int) -> int:
    limit = _positive(form, "limit", min(_DEFAULT, most or _DEFAULT))
    if 0 < most < limit:
        raise BadData(
            f"limit {limit} exceeds the configured maximum ({most}, see --web.search.max-limit)"
        )
    return limit


def _positive(form: Form, name: str, default: int) -> int:
    text = form.get(name)
    value = _integer(text) if text else default
    if value is None or value <= 0:
        raise BadData(f"invalid {name} {quoted(text)}: must be a positive integer")
    return value


def _integer(text: str) -> int | None:
    try:
        return params.integer(text)
    except BadData:
        return None
