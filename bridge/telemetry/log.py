"""The process' own log: one line an event, in logfmt or JSON."""

import json
import logging
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, TextIO

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


@dataclass(frozen=True, slots=True)
class _Line:
    """One log line: the fields that every line has, then those given as `extra`."""

    fields: dict[str, Any] = field(default_factory=dict)

    @staticmethod
    def of(record: logging.LogRecord) -> "_Line":
        moment = datetime.fromtimestamp(record.created, UTC)
        level = {"WARNING": "WARN", "CRITICAL": "ERROR"}.get(record.levelname, record.levelname)
        fields = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": level,
            "logger": record.name,
            "msg": record.getMessage(),
        }
        given = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info:
            given["exception"] = logging.Formatter().formatException(record.exc_info)
        return _Line(fields | given)


class _LogfmtFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return " ".join(f"{key}={_logfmt(value)}" for key, value in _Line.of(record).fields.items())


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(_Line.of(record).fields, default=str)


def _logfmt(value: object) -> str:
    text = str(value)
    plain = text and text.isprintable() and not any(char in ' "=' for char in text)
    return text if plain else json.dumps(text, ensure_ascii=False)


def configure_logging(level: str, form: str, stream: TextIO | None = None) -> None:
    """Sends the whole process' log to stderr (or `stream`); libraries speak from WARNING on.

    `level` is debug, info, warn or error; `form` is logfmt or json.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_JsonFormatter() if form == "json" else _LogfmtFormatter())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("bridge").setLevel("WARNING" if level == "warn" else level.upper())
