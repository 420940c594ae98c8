"""Every way in which the bridge says no: one leaf a kind, each a sentence for the client."""

from dataclasses import dataclass

from bridge.model.posrange import PosRange


class BridgeError(Exception):
    """Root of all errors that a client may see; `str(error)` is the text it sees."""


class BadData(BridgeError):
    """The request itself is wrong: parameters, syntax, types."""


class ParseError(BadData):
    """PromQL text that does not parse or type-check; the text starts with its `line:column`."""

    def __init__(self, message: str, pos: PosRange, query: str) -> None:
        self.message = message
        self.pos = pos
        self.query = query
        super().__init__(f"{pos.line_and_column(query)}: parse error: {message}")


class ExecutionError(BridgeError):
    """A well-formed query whose evaluation fails, as in Prometheus."""


class TooManySamples(ExecutionError):
    """A query that would hold more samples than `--query.max-samples` allows."""

    def __init__(self, where: str) -> None:
        super().__init__(f"query processing would load too many samples into memory in {where}")


class LimitExceeded(ExecutionError):
    """One of the bridge's own limits; the text names it, its setting and what was measured."""


class QueryTimeout(BridgeError):
    """The query ran out of its time."""

    def __init__(self, where: str) -> None:
        super().__init__(f"query timed out in {where}")


class QueryCanceled(BridgeError):
    """The client went away."""

    def __init__(self, where: str) -> None:
        super().__init__(f"query was canceled in {where}")


class NotFound(BridgeError):
    """What was asked for does not exist."""


class Unauthenticated(BridgeError):
    """Who asks has not said who it is."""


class Forbidden(BridgeError):
    """Who asks may not have what it asks for."""


class SwitchedOff(BridgeError):
    """A part of Prometheus' API that is off in the bridge."""


class Unavailable(BridgeError):
    """The bridge cannot answer now: it is starting, or a store is out of reach."""


class Overloaded(Unavailable):
    """The bridge has too much to do; `retry_after` is when to ask again, in seconds."""

    def __init__(self, message: str, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class BudgetUsedUp(BridgeError):
    """Stores sent as much as a budget allows; `retry_after` is when it is free, in seconds."""

    def __init__(self, message: str, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class StoreFault:
    """What is known of a failed read: the store's name, the range asked (ms), the status."""

    store: str
    start: int
    end: int
    status: int | None = None


class StoreError(Unavailable):
    """A store that answered wrongly or not at all; nothing partial was used."""

    def __init__(self, message: str, fault: StoreFault) -> None:
        self.fault = fault
        super().__init__(message)


class StoreTimeout(QueryTimeout):
    """A store that did not answer within its `remote_timeout` or the query's time."""

    def __init__(self, message: str, fault: StoreFault) -> None:
        self.fault = fault
        BridgeError.__init__(self, message)


class StoreLimit(LimitExceeded):
    """A store that refused a read because one of its own limits was exceeded."""

    def __init__(self, message: str, fault: StoreFault) -> None:
        self.fault = fault
        super().__init__(message)
