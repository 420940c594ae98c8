"""Metric names known before any read: from settings, Grafana dashboards and rule files."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from bridge.catalogue.patterns import choices
from bridge.model.errors import BadData
from bridge.model.labels import METRIC_NAME, Matcher, MatchType
from bridge.promql.ast import Expr, VectorSelector, children
from bridge.promql.selectors import parse_selector

Parse = Callable[[str], Expr]

_NAME: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_RANGE: Final = re.compile(r"\[\s*\$[^\]:]*(:[^\]]*)?\]|\[\[\w+\]\]")
_VARIABLE: Final = re.compile(r"\$\{[^}]*\}|\$\w+|\[\[\w+\]\]")
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|`[^`]*`')
_CALL: Final = re.compile(r"\s*(label_values|query_result|metrics)\s*\((.*)\)\s*", re.DOTALL)
_DURATION: Final = "5m"


@dataclass(frozen=True, slots=True)
class Seeds:
    """`names` of metrics, and `patterns` that names of metrics fit."""

    names: tuple[str, ...] = ()
    patterns: tuple[Matcher, ...] = ()

    def matching(self, matcher_sets: Sequence[Sequence[Matcher]]) -> Iterator[str]:
        """The names that may satisfy one of the matcher sets, by their name alone."""
        sets = matcher_sets or ((),)
        for name in self.names:
            labels = {METRIC_NAME: name}
            if any(all(one.matches(labels.get(one.name, "")) for one in held) for held in sets):
                yield name

    def unnamed(self) -> "Seeds":
        """The same metrics as patterns only: none is told of before a store is found to have it."""
        named = (Matcher(METRIC_NAME, MatchType.EQUAL, name) for name in self.names)
        return Seeds((), (*self.patterns, *named))


NO_SEEDS: Final = Seeds()


def seeds_of(given: Iterable[str], files: Iterable[str], parse: Parse) -> tuple[Seeds, list[str]]:
    """The seeds of names or patterns and of files, and what is wrong with the files."""
    names, patterns = dict[str, None](), dict[Matcher, None]()
    faults = []
    for text in given:
        if _NAME.fullmatch(text):
            names[text] = None
        else:
            patterns[Matcher.checked(METRIC_NAME, MatchType.REGEXP, text)] = None
    for file in files:
        try:
            found = names_in(Path(file).read_text(), parse)
        except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
            faults.append(f"{file}: {error}")
        else:
            names |= dict.fromkeys(sorted(found))
    return Seeds(tuple(names), tuple(patterns)), faults


def names_in(text: str, parse: Parse) -> set[str]:
    """The metrics that the queries of a dashboard (JSON) or of rules (YAML) name."""
    found: set[str] = set()
    for query, records in _queries(_document(text)):
        found |= {query} if records else _metrics(query, parse)
    return found


def expressions_in(text: str, parse: Parse) -> tuple[str, ...]:
    """The distinct queries of a dashboard (JSON) or of rules (YAML) that are PromQL.

    Grafana's variables are replaced by something harmless: durations, and `.*` within quotes.
    """
    found = dict[str, None]()
    for query, records in _queries(_document(text)):
        called = _CALL.fullmatch(query)
        if records or (called and called[1] != "query_result"):
            continue
        expr = _without_variables(called[2] if called else query, within_quotes=".*").strip()
        try:
            parse(expr)
        except BadData:
            continue
        found[expr] = None
    return tuple(found)


def _document(text: str) -> object:
    document: object = json.loads(text) if text.lstrip().startswith("{") else yaml.safe_load(text)
    return document


def _queries(node: object) -> Iterator[tuple[str, bool]]:
    """Every query below a node; and the names that rules record, told by the second."""
    if isinstance(node, list):
        for item in node:
            yield from _queries(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if not isinstance(value, str):
                yield from _queries(value)
            elif key in {"expr", "query", "definition"}:
                yield value, False
            elif key == "record":
                yield value, True


def _metrics(query: str, parse: Parse) -> set[str]:
    """The metrics of one query; none if it is no PromQL, as queries of other data sources are."""
    try:
        return _variable_query(query, parse) or set(_named(parse(_without_variables(query))))
    except BadData:
        return set()


def _variable_query(query: str, parse: Parse) -> set[str]:
    """The metrics of a dashboard's variable, such as `label_values(up, job)`."""
    called = _CALL.fullmatch(query)
    if called is None:
        return set()
    function, argument = called.groups()
    if function == "query_result":
        return _metrics(argument, parse)
    selector, comma, _ = argument.rpartition(",")
    if function == "metrics" or not comma:
        return set()
    return set(_names(parse_selector(_without_variables(selector).strip())))


def _without_variables(query: str, within_quotes: str | None = None) -> str:
    """The query with something harmless for each of Grafana's variables.

    Those within quotes stay unless something is given for them.
    """
    pieces, at = [], 0
    query = _RANGE.sub(lambda found: f"[{_DURATION}{':' if found[1] else ''}]", query)
    for quoted in _QUOTED.finditer(query):
        text = quoted.group()
        if within_quotes is not None:
            text = _VARIABLE.sub(within_quotes, text)
        pieces += [_VARIABLE.sub(_DURATION, query[at : quoted.start()]), text]
        at = quoted.end()
    return "".join([*pieces, _VARIABLE.sub(_DURATION, query[at:])])


def _named(expr: Expr) -> Iterator[str]:
    if isinstance(expr, VectorSelector):
        yield from _names(expr.matchers)
    for child in children(expr):
        yield from _named(child)


def _names(matchers: Iterable[Matcher]) -> Iterator[str]:
    """The names that a selector lets pass, if it names them and no variable of Grafana's does."""
    for matcher in matchers:
        if matcher.name == METRIC_NAME and "$" not in matcher.value:
            yield from (name for name in choices(matcher) or () if name)
