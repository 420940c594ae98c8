"""The folder that a recording is: a page of JSON, the answer, and a file for each body of a store.

docs/recording.md describes it.
"""

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bridge.config.deciding import Deciding
from bridge.model.errors import BadData
from bridge.model.labels import Matcher, MatchType
from bridge.remote.recorded import Asked, Outcome, RecordedRead
from bridge.remote.settings import ResponseType
from bridge.storage.interface import Purpose

FORMAT: Final = 1
_PAGE: Final = "recording.json"
_ANSWER: Final = "answer.json"
_BODY: Final = re.compile(r"[0-9]{4,6}\.body")
_MOST: Final = 1 << 30  # bytes of a file that is read

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Recording:
    """One query, what stores answered to it, and what it was answered.

    `path` and `params` are those of the HTTP API; `flags` those that decide answers, by field;
    `now` is when it was made, Unix ms; `hidden`: label values were replaced.
    """

    path: str
    params: Mapping[str, str]
    flags: Mapping[str, Any]
    configuration: Deciding
    reads: tuple[RecordedRead, ...]
    answer: Json
    now: int
    version: str
    hidden: bool = False

    @property
    def expr(self) -> str:
        """The expression."""
        return self.params["query"]


def check_target(folder: Path) -> None:
    """Refuses a folder that holds something; raises BadData."""
    try:
        taken = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    except OSError as error:
        raise BadData(f"--record: {folder}: {error.strerror}") from None
    if taken:
        raise BadData(f"--record: {folder} is not empty: name a folder that is new")


def write(recording: Recording, folder: Path) -> None:
    """Makes the folder; it is whole or not there. Raises BadData."""
    part = folder.with_name(f"{folder.name}.part")
    try:
        part.mkdir(parents=True)
        for number, read in enumerate(recording.reads):
            if read.body:
                (part / _body(number)).write_bytes(read.body)
        (part / _ANSWER).write_text(json.dumps(recording.answer))
        (part / _PAGE).write_text(json.dumps(_page(recording), indent=1) + "\n")
        part.rename(folder)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        raise BadData(f"--record: {folder}: {error.strerror}") from None


def _body(number: int) -> str:
    return f"{number:04d}.body"


def _page(recording: Recording) -> Json:
    return {
        "format": FORMAT,
        "prombridge": recording.version,
        "now": recording.now,
        "hidden": recording.hidden,
        "path": recording.path,
        "params": dict(recording.params),
        "flags": dict(recording.flags),
        "prometheus.yml": recording.configuration.prometheus,
        "prombridge.yml": recording.configuration.own,
        "reads": [_written(number, read) for number, read in enumerate(recording.reads)],
    }


def _written(number: int, read: RecordedRead) -> Json:
    asked = read.asked
    return {
        "store": asked.store,
        "matchers": [[one.name, str(one.type), one.value] for one in asked.matchers],
        "start": asked.start,
        "end": asked.end,
        "purpose": str(asked.purpose),
        "accepted": list(map(str, asked.accepted)),
        "outcome": str(read.outcome),
        "status": read.status,
        "reason": read.reason,
        "headers": list(map(list, read.headers)),
        "detail": read.detail,
        "body": _body(number) if read.body else "",
    }


def read(folder: Path) -> Recording:
    """The recording in a folder, which anyone may have written; raises BadData."""
    page = _json(folder / _PAGE)
    made_by = page.get("format") if isinstance(page, dict) else None
    if made_by != FORMAT:
        raise BadData(f"{folder / _PAGE}: format {made_by!r} is not known here, only {FORMAT}")
    try:
        return Recording(
            path=_text(page["path"]),
            params={_text(name): _text(value) for name, value in page["params"].items()},
            flags=dict(page["flags"]),
            configuration=Deciding(dict(page["prometheus.yml"]), dict(page["prombridge.yml"])),
            reads=tuple(_reads(folder, page["reads"])),
            answer=dict(_json(folder / _ANSWER)),
            now=int(page["now"]),
            version=_text(page["prombridge"]),
            hidden=bool(page["hidden"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        what = f"{type(error).__name__}: {error}"
        raise BadData(f"{folder / _PAGE} is not a whole recording ({what})") from None


def _reads(folder: Path, written: list[Json]) -> Iterator[RecordedRead]:
    for one in written:
        matchers = tuple(
            Matcher.checked(_text(name), MatchType(kind), _text(value))
            for name, kind, value in one["matchers"]
        )
        yield RecordedRead(
            Asked(
                _text(one["store"]),
                matchers,
                int(one["start"]),
                int(one["end"]),
                Purpose(one["purpose"]),
                tuple(map(ResponseType, one["accepted"])),
            ),
            Outcome(one["outcome"]),
            int(one["status"]),
            _text(one["reason"]),
            tuple((_text(name), _text(value)) for name, value in one["headers"]),
            _bytes(folder, _text(one["body"])),
            _text(one["detail"]),
        )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a text")
    return value


def _bytes(folder: Path, name: str) -> bytes:
    if not name:
        return b""
    if not _BODY.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of a body")
    return _content(folder / name)


def _json(file: Path) -> Any:
    try:
        return json.loads(_content(file))
    except (ValueError, RecursionError):
        raise BadData(f"{file} is not JSON") from None


def _content(file: Path) -> bytes:
    try:
        if file.stat().st_size > _MOST:
            raise BadData(f"{file} is larger than {_MOST} bytes")
        return file.read_bytes()
    except OSError as error:
        raise BadData(f"{file}: {error.strerror}") from None
