"""The head of an answer: its lines, and what they say of the body and the connection."""

import pytest

from bridge.cli.head import BrokenHeadError, Head, head_of, lines_of


def test_it_has_a_status_line_and_a_line_for_each_header() -> None:
    head = head_of(200, ((b"Content-Type", b"text/plain"), (b"Content-Length", b"4")))
    lines = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 4\r\n"
    assert head == Head(lines, length=4)


def test_a_status_that_has_no_name_is_a_number() -> None:
    assert head_of(299, ()).lines == b"HTTP/1.1 299 \r\n"


def test_it_says_whether_the_body_comes_in_chunks_and_whether_the_connection_ends() -> None:
    head = head_of(503, ((b"transfer-encoding", b"Chunked"), (b"connection", b"TE, Close")))
    assert head.chunked
    assert head.closes
    assert head.length is None


@pytest.mark.parametrize(
    ("name", "value"),
    [(b"a b", b""), (b"", b""), (b"a:", b""), (b"a", b"b\r\nc: d"), (b"a", b"\0"), (b"a\n", b"")],
)
def test_a_header_that_would_break_it_is_refused(name: bytes, value: bytes) -> None:
    with pytest.raises(BrokenHeadError, match="header"):
        head_of(200, ((name, value),))
    with pytest.raises(BrokenHeadError, match="header"):
        lines_of(((name, value),))
