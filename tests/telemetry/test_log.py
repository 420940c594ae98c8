"""The process' own log."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from bridge.model.secret import Secret
from bridge.telemetry.log import configure_logging


@pytest.fixture(autouse=True)
def _untouched_logging() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("bridge")
    held = (root.handlers[:], root.level, ours.level)
    yield
    root.handlers[:], root.level, ours.level = held


def logged(level: str, form: str) -> io.StringIO:
    stream = io.StringIO()
    configure_logging(level, form, stream)
    return stream


def test_logfmt_quotes_where_it_must() -> None:
    stream = logged("info", "logfmt")
    fields = {"store": "main", "error": 'a "b"\nc', "empty": "", "password": Secret("hidden")}
    logging.getLogger("bridge.x").warning("read failed", extra=fields)
    (line,) = stream.getvalue().splitlines()
    time, rest = line.split(" ", 1)
    assert time.startswith("time=2")
    assert time.endswith("Z")
    assert rest == (
        'level=WARN logger=bridge.x msg="read failed" store=main error="a \\"b\\"\\nc"'
        ' empty="" password=<secret>'
    )


def test_json_holds_the_same_fields() -> None:
    stream = logged("info", "json")
    logging.getLogger("bridge.x").info("listening", extra={"port": 1, "password": Secret("hidden")})
    line = json.loads(stream.getvalue())
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "INFO",
        "logger": "bridge.x",
        "msg": "listening",
        "port": 1,
        "password": "<secret>",
    }


def test_an_exception_is_one_line() -> None:
    stream = logged("info", "logfmt")
    logging.getLogger("bridge").error("failed", exc_info=RuntimeError("odd"))
    (line,) = stream.getvalue().splitlines()
    assert "RuntimeError: odd" in line


@pytest.mark.parametrize(("level", "lines"), [("debug", 2), ("info", 1), ("warn", 0)])
def test_levels(level: str, lines: int) -> None:
    stream = logged(level, "logfmt")
    logging.getLogger("bridge").debug("d")
    logging.getLogger("bridge").info("i")
    logging.getLogger("elsewhere").info("never")
    assert len(stream.getvalue().splitlines()) == lines
