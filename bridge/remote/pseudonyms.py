"""Hides label values behind numbers that stand in the same order, so that answers stay the same."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import google_crc32c
import snappy
from google.protobuf.message import DecodeError

from bridge.model.labels import METADATA_LABELS, Matcher, MatchType
from bridge.remote.messages import uvarint
from bridge.remote.proto.remote_pb2 import ChunkedReadResponse, ReadResponse
from bridge.remote.proto.types_pb2 import Label
from bridge.remote.recorded import Outcome, RecordedRead, uncompressed
from bridge.remote.wire import SAMPLED_MEDIA, STREAMED_MEDIA

# Functions give these values a meaning: names of metrics, bounds of buckets, quantiles.
_KEPT: Final = METADATA_LABELS | {"le", "quantile"}
_EQUALITIES: Final = (MatchType.EQUAL, MatchType.NOT_EQUAL)
# Patterns that say nothing about a value.
_ANY: Final = frozenset({"", ".*", ".+"})
_NONE: Final = "none"
# Letters of a value that is looked for in texts: shorter ones stand in many words.
_SHORTEST: Final = 3
_UNREADABLE: Final = "its labels could not be read, and so not be hidden"


class _Unreadable(ValueError):
    """A body that is no answer of remote read."""


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """The number of each label value, and the values that each label has been seen with.

    Values are numbered in their order: series sort as before, and sums add in the same order.
    """

    numbers: dict[str, str]
    seen: dict[str, tuple[str, ...]]

    @staticmethod
    def of(
        reads: Iterable[RecordedRead],
        matchers: Iterable[Matcher],
        pairs: Iterable[tuple[str, str]],
    ) -> "Pseudonyms":
        """Those of all values in these reads, matchers and pairs of a label's name and value."""
        seen: defaultdict[str, set[str]] = defaultdict(set)
        held = list(reads)
        for name, value in pairs:
            seen[name].add(value)
        for matcher in (*matchers, *(one for read in held for one in read.asked.matchers)):
            if matcher.type in _EQUALITIES:
                seen[matcher.name].add(matcher.value)
        for read in held:
            for label in _labels(read):
                seen[label.name].add(label.value)
        hidden = (values for name, values in seen.items() if name not in _KEPT)
        values = sorted(set().union(*hidden) - {""})
        width = len(str(len(values)))
        numbers = {value: f"{number:0{width}d}" for number, value in enumerate(values, 1)}
        return Pseudonyms(numbers, {name: tuple(sorted(held)) for name, held in seen.items()})

    def value(self, name: str, value: str) -> str:
        """What stands for the value of a label."""
        return value if name in _KEPT or not value else self.numbers.get(value, _NONE)

    def matcher(self, matcher: Matcher) -> Matcher:
        """The matcher that treats numbers as the given one treats values.

        A regular expression becomes the alternatives that were seen.
        """
        name, text = matcher.name, matcher.value
        if matcher.type in _EQUALITIES:
            return replace(matcher, value=self.value(name, text))
        if name in _KEPT or text in _ANY:
            return matcher
        expected = Matcher(name, MatchType.REGEXP, text)
        found = [
            self.numbers[one] for one in self.seen.get(name, ()) if one and expected.matches(one)
        ]
        found += [""] if expected.matches("") else []
        return replace(matcher, value="|".join(found) if found else _NONE)

    def read(self, read: RecordedRead) -> RecordedRead:
        """A read with its matchers and labels hidden; texts have the values that are known hidden.

        An answer that cannot be read is withheld.
        """
        asked = replace(read.asked, matchers=tuple(map(self.matcher, read.asked.matchers)))
        made = replace(read, asked=asked, detail=self._text(read.detail))
        try:
            return replace(made, body=self._body(read))
        except _Unreadable:
            return replace(made, outcome=Outcome.WITHHELD, body=b"", detail=_UNREADABLE)

    def _body(self, read: RecordedRead) -> bytes:
        if not _is_answer(read):
            return self._text(read.body.decode("utf-8", "replace")).encode()
        if read.media.startswith(SAMPLED_MEDIA):
            response = _sampled(read.body)
            for result in response.results:
                for series in result.timeseries:
                    self._relabel(series.labels)
            return bytes(snappy.compress(response.SerializeToString()))
        made = []
        for frame in _frames(read.body):
            for chunked in frame.chunked_series:
                self._relabel(chunked.labels)
            made.append(_framed(frame.SerializeToString()))
        return b"".join(made)

    def _relabel(self, labels: Iterable[Label]) -> None:
        for label in labels:
            label.value = self.value(label.name, label.value)

    def _text(self, text: str) -> str:
        long = (value for value in self.numbers if len(value) >= _SHORTEST)
        for value in sorted(long, key=len, reverse=True):
            text = text.replace(value, self.numbers[value])
        return text


def _is_answer(read: RecordedRead) -> bool:
    kinds = SAMPLED_MEDIA, STREAMED_MEDIA
    return 200 <= read.status < 300 and read.media.startswith(kinds)


def _labels(read: RecordedRead) -> Iterator[Label]:
    """All labels of an answer, as far as it can be read."""
    if not _is_answer(read):
        return
    try:
        if read.media.startswith(SAMPLED_MEDIA):
            for result in _sampled(read.body).results:
                for series in result.timeseries:
                    yield from series.labels
        else:
            for frame in _frames(read.body):
                for chunked in frame.chunked_series:
                    yield from chunked.labels
    except _Unreadable:
        return


def _sampled(body: bytes) -> ReadResponse:
    try:
        return ReadResponse.FromString(uncompressed(body))
    except DecodeError:
        raise _Unreadable from None


def _frames(body: bytes) -> Iterator[ChunkedReadResponse]:
    at = 0
    while at < len(body):
        size, at = _length(body, at)
        payload = body[at + 4 : at + 4 + size]
        if len(payload) < size:
            raise _Unreadable
        try:
            yield ChunkedReadResponse.FromString(payload)
        except DecodeError:
            raise _Unreadable from None
        at += 4 + size


def _length(body: bytes, at: int) -> tuple[int, int]:
    """The varint at a place, and where it ends."""
    value = 0
    for index, byte in enumerate(body[at : at + 10]):
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return value, at + index + 1
    raise _Unreadable


def _framed(payload: bytes) -> bytes:
    checksum: int = google_crc32c.value(payload)
    return uvarint(len(payload)) + checksum.to_bytes(4, "big") + payload
