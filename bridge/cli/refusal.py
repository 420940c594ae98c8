"""What is answered to what is no request."""

from typing import Final, NamedTuple

from bridge.cli.head import Head, head_of


class Refusal(NamedTuple):
    """An answer to what is no request."""

    head: Head
    body: bytes


def _refusal(status: int, text: bytes) -> Refusal:
    headers = (
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", b"%d" % len(text)),
        (b"connection", b"close"),
    )
    return Refusal(head_of(status, headers), text)


INVALID: Final = _refusal(400, b"Invalid HTTP request received.")
NO_HOST: Final = _refusal(400, b"400 Bad Request: missing required Host header")
TWO_HOSTS: Final = _refusal(400, b"400 Bad Request: too many Host headers")
TOO_LONG: Final = _refusal(431, b"The head of the request is too long.")


class RefusedError(Exception):
    """What came in is no request, and is answered so."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__()
        self.refusal = refusal
