"""Functions that change labels: label_replace and label_join.

One that sets the metric name makes it stay, even if it was to be removed at the end.
Source: evalLabelReplace and evalLabelJoin in promql/engine.go; Expand of Go's regexp.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Final, cast

import re2

from bridge.engine.function import STRING, VECTOR, CallSite, function
from bridge.engine.merge import merge_equal_labels
from bridge.model.errors import ExecutionError
from bridge.model.labels import METRIC_NAME, Labels
from bridge.model.patterns import only_in_re2
from bridge.model.vectors import Matrix, Value

# What Expand takes for a reference: $$, ${name} or $name with the longest name.
_REFERENCE: Final = re.compile(r"\$(?:(\$)|\{(\w+)\}|(\w+))")
# Bytes of values of which a table is not remembered.
_LONG: Final = 1 << 20
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)


def _check_replace(site: CallSite) -> None:
    _compiled(site.text(4))
    if not _is_label_name(site.text(1)):
        raise _invalid("destination label name", site.text(1), "label_replace")


@function(
    "label_replace",
    (VECTOR, STRING, STRING, STRING, STRING),
    keeps_name=True,
    check=_check_replace,
)
def label_replace(site: CallSite, values: tuple[Value, ...]) -> Value:
    matrix = cast("Matrix", values[0])
    target, template, source, pattern = (site.text(index) for index in range(1, 5))
    pen = _Pen(site.write)
    replaced = _replacement(pattern, template, pen)

    def change(labels: Labels) -> Labels:
        value = replaced(labels.get(source))
        return labels if value is None else labels.with_label(target, value)

    key = ("label_replace", target, template, source, pattern)
    changed = _relabelled(matrix, key, change, pen)
    if target == METRIC_NAME and matrix.drop_name is not None:
        kept = [replaced(labels.get(source)) is None for labels in matrix.labels]
        changed = replace(changed, drop_name=matrix.drop_name & kept)
    return merge_equal_labels(changed)


def _check_join(site: CallSite) -> None:
    for index in range(3, len(site.call.args)):
        if not _is_label_name(site.text(index)):
            raise _invalid("source label name", site.text(index), "label_join")
    if not _is_label_name(site.text(1)):
        raise _invalid("destination label name", site.text(1), "label_join")


@function(
    "label_join", (VECTOR, STRING, STRING, STRING), variadic=-1, keeps_name=True, check=_check_join
)
def label_join(site: CallSite, values: tuple[Value, ...]) -> Value:
    matrix = cast("Matrix", values[0])
    target, separator, *sources = (site.text(index) for index in range(1, len(values)))

    pen = _Pen(site.write)
    between = len(separator) * max(len(sources) - 1, 0)

    def change(labels: Labels) -> Labels:
        parts = [labels.get(source) for source in sources]
        pen.write(between + sum(map(len, parts)))
        return labels.with_label(target, separator.join(parts))

    key = ("label_join", target, separator, *sources)
    changed = _relabelled(matrix, key, change, pen)
    return merge_equal_labels(
        replace(changed, drop_name=None) if target == METRIC_NAME else changed
    )


class _Pen:
    """Counts the bytes of the values that one call makes, about, before each is made."""

    def __init__(self, write: Callable[[int], None]) -> None:
        self._write = write
        self.written = 0

    def write(self, size: int) -> None:
        """A value of so many bytes is about to be made; raises LimitExceeded."""
        self.written += size
        self._write(size)


def _relabelled(
    matrix: Matrix, key: object, change: Callable[[Labels], Labels], pen: _Pen
) -> Matrix:
    changed = matrix.relabelled(matrix.labels.mapped(key, change))
    if pen.written > _LONG:
        # The table that it is made of may stay for as long as its samples are remembered.
        matrix.labels.forget(key)
    return changed


def _invalid(what: str, text: str, where: str) -> ExecutionError:
    return ExecutionError(f"invalid {what} in {where}(): {text}")


def _is_label_name(name: str) -> bool:
    """Whether a name is not empty and UTF-8; bytes that are not are surrogates here."""
    return bool(name) and not any("\ud800" <= char <= "\udfff" for char in name)


def _compiled(pattern: str) -> "re2._Regexp[bytes]":
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 16 << 20
    try:
        found = re2.compile(b"^(?s:" + _encoded(pattern) + b")$", options)
    except re2.error:
        raise _invalid("regular expression", pattern, "label_replace") from None
    if only_in_re2(pattern) is not None:
        raise _invalid("regular expression", pattern, "label_replace")
    return found


def _replacement(pattern: str, template: str, pen: _Pen) -> Callable[[str], str | None]:
    """What becomes of a label's value, remembered; None where it does not match."""
    compiled = _compiled(pattern)
    parts = _parts(template, {name.decode(): at for name, at in compiled.groupindex.items()})

    @cache
    def replaced(value: str) -> str | None:
        found = compiled.search(_encoded(value))
        if found is None:
            return None
        groups = (found.group(0), *found.groups())
        texts = [part if isinstance(part, bytes) else _group(groups, part) for part in parts]
        pen.write(sum(map(len, texts)))
        return b"".join(texts).decode("utf-8", "surrogateescape")

    return replaced


def _parts(template: str, names: dict[str, int]) -> list[bytes | int]:
    """A template as Go's Expand reads it: literal text and numbers of groups."""
    parts: list[bytes | int] = []
    end = 0
    for found in _REFERENCE.finditer(template):
        parts.append(_encoded(template[end : found.start()]))
        end = found.end()
        dollar, braced, bare = found.groups()
        name = braced or bare
        parts.append(
            b"$" if dollar else int(name) if _NUMBER.fullmatch(name) else names.get(name, -1)
        )
    return [*parts, _encoded(template[end:])]


def _group(groups: tuple[bytes | None, ...], number: int) -> bytes:
    """A group's text; empty if there is no such group or it took no part."""
    return (groups[number] if 0 <= number < len(groups) else None) or b""


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
