"""`prombridge query --record DIR`: keeps what the stores answered to one query."""

import argparse
import asyncio
import sys
import time
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from bridge.cli import recordings
from bridge.cli.differences import difference
from bridge.cli.flags import flags
from bridge.cli.in_process import in_process
from bridge.cli.recordings import Recording
from bridge.cli.terminal import counted
from bridge.config import deciding
from bridge.config.flags import Flags
from bridge.config.load import load
from bridge.config.settings import Settings
from bridge.config.sizes import parse_size
from bridge.model.errors import BadData
from bridge.model.labels import Matcher, MatchType, quoted
from bridge.promql.lexer import tokenize
from bridge.promql.strings import unquoted
from bridge.promql.tokens import END, STRING
from bridge.remote.pseudonyms import Pseudonyms
from bridge.remote.recorded import Connect
from bridge.remote.recording import Recorder
from bridge.remote.replaying import Replay

Json = dict[str, Any]

_LIMIT: Final = 256 << 20
# The flags that decide an answer, by field.
_DECIDING: Final = (
    "query_timeout",
    "query_max_samples",
    "query_lookback_delta",
    "enable_feature",
)


def add(parser: argparse.ArgumentParser) -> None:
    """The flags of recording."""
    group = parser.add_argument_group("recording", "Needs --config.file.")
    group.add_argument(
        "--record",
        metavar="DIR",
        type=Path,
        help="keep what the stores answer in a new folder, for prombridge replay",
    )
    group.add_argument(
        "--record-hide-labels",
        action="store_true",
        help="replace label values by numbers in the same order",
    )
    group.add_argument(
        "--record-limit",
        metavar="SIZE",
        type=_size,
        default=_LIMIT,
        help="most bytes of answers to keep (default 256MiB)",
    )


def _size(text: str) -> int:
    try:
        return parse_size(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error}; expected a size such as 256MiB") from None


def recorded(asked: argparse.Namespace, path: str, params: dict[str, str]) -> Json:
    """The answer, after what it was made of is kept; raises BadData."""
    given, now = vars(asked), time.time_ns() // 1_000_000
    if given["config.file"] is None:
        raise BadData("--record needs --config.file: reads are recorded where they are made")
    if asked.explain:
        raise BadData("--record keeps what is read, --explain reads nothing: use one of them")
    recordings.check_target(asked.record)
    params = params if "start" in params else {"time": f"{now / 1000:.3f}"} | params
    settings = load(given["config.file"], given["prombridge.config"], flags(asked)).settings
    settings = deciding.settled(settings, now)
    recorder = Recorder(asked.record_limit, _progress)
    try:
        answer = asyncio.run(answered(settings, path, params, recorder.connect))
    finally:
        _say("\r\033[K")
    if recorder.size > recorder.limit:
        raise BadData(answer.get("error", "the recording is too large"))
    kept = Recording(
        path=path,
        params=params,
        flags={name: getattr(flags(asked), name) for name in _DECIDING},
        configuration=deciding.deciding(settings),
        reads=tuple(recorder.reads),
        answer=answer,
        now=now,
        version=version("prombridge"),
    )
    if asked.record_hide_labels:
        kept = _hidden(kept)
    recordings.write(kept, asked.record)
    size = sum(len(read.body) for read in kept.reads)
    reads = counted(len(kept.reads), "read")
    sys.stderr.write(f"kept in {asked.record}: {reads}, {counted(size, 'byte')}\n")
    return answer


async def answered(settings: Settings, path: str, params: dict[str, str], connect: Connect) -> Json:
    """What a bridge under these settings answers that reaches its stores in this way."""
    async with in_process(settings, connect) as client:
        answer: Json = (await client.post(path, data=params)).json()
        return answer


def replayed(recording: Recording) -> Json:
    """The answer out of a recording; raises ConfigError and BadData."""
    given = _flags(recording)
    settings = deciding.settings_of(recording.configuration, given, recording.now)
    connect = Replay(recording.reads).connect
    return asyncio.run(answered(settings, recording.path, dict(recording.params), connect))


def _flags(recording: Recording) -> Flags:
    known = {name: recording.flags[name] for name in _DECIDING if name in recording.flags}
    features = known.pop("enable_feature", [])
    numbers = all(isinstance(value, int) for value in known.values())
    if not numbers or not all(isinstance(name, str) for name in features):
        raise BadData("the flags of the recording cannot be used")
    return Flags(**known, enable_feature=tuple(features))


def _hidden(kept: Recording) -> Recording:
    """The same with label values hidden, and with the answer that it gives then."""
    configuration = kept.configuration
    found = tuple(one for _, one in _matchers(kept.expr))
    names = Pseudonyms.of(kept.reads, found, deciding.pairs(configuration))
    made = replace(
        kept,
        params=dict(kept.params) | {"query": hidden_expr(kept.expr, names)},
        configuration=deciding.relabelled(configuration, names.value),
        reads=tuple(map(names.read, kept.reads)),
        hidden=True,
    )
    answer = replayed(made)
    if _values(answer) != _values(kept.answer):
        said = difference(kept.answer, answer) or "its values are others"
        sys.stderr.write(f"warning: with hidden labels the answer is another one, for {said}\n")
    return replace(made, answer=answer)


def _values(answer: Json) -> object:
    """What an answer says besides labels and texts."""
    if answer.get("status") != "success":
        return answer.get("errorType")
    result = answer["data"]["result"]
    if answer["data"]["resultType"] not in {"vector", "matrix"}:
        return result
    return [{key: held for key, held in one.items() if key != "metric"} for one in result]


def hidden_expr(expr: str, names: Pseudonyms) -> str:
    """An expression without comments, whose matchers treat numbers as they treat values."""
    source = expr.encode("utf-8", "surrogateescape")
    changed = {start: names.matcher(matcher).value for start, matcher in _matchers(expr)}
    made, at = b"", 0
    for token in tokenize(expr):
        between = source[at : token.start]
        made += b" " if b"#" in between else between
        kept = source[token.start : token.end] if token.kind != END else b""
        made += quoted(changed[token.start]).encode() if token.start in changed else kept
        at = token.end
    return made.decode("utf-8", "surrogateescape")


def _matchers(expr: str) -> list[tuple[int, Matcher]]:
    """Each matcher of an expression, and where its value starts, in bytes."""
    tokens, found = tokenize(expr), []
    for name, operator, value in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if value.kind == STRING and operator.text in set(MatchType):
            label = unquoted(name.text) if name.kind == STRING else name.text
            matcher = Matcher(label, MatchType(operator.text), unquoted(value.text))
            found.append((value.start, matcher))
    return found


def _progress(reads: int, size: int) -> None:
    _say(f"\r{reads} reads, {size / (1 << 20):.1f} MiB")


def _say(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(text)
        sys.stderr.flush()
