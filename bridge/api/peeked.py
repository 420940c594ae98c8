"""A request's body, looked at before anybody asks for it."""

from starlette.types import Message, Receive

from bridge.engine.begun import Begun


class Peeked:
    """Receives a request; its first message may be looked at, and is received as ever after that.

    Whoever is to receive it is the task that made this, and waits for nothing else before.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._first: Begun[Message] | None = Begun(receive())

    @property
    def body(self) -> bytes | None:
        """All of the body, if it has arrived in one message."""
        first = self._first
        if first is None or not first.over or first.result["type"] != "http.request":
            return None
        return None if first.result.get("more_body", False) else first.result.get("body", b"")

    async def __call__(self) -> Message:
        """The next message."""
        first, self._first = self._first, None
        if first is None:
            return await self._receive()
        return first.result if first.over else await first
