"""Which error becomes which errorType and HTTP status: one table."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bridge.api.form import BodyTooLarge
from bridge.model.errors import (
    BadData,
    BudgetUsedUp,
    ExecutionError,
    Forbidden,
    NotFound,
    QueryCanceled,
    QueryTimeout,
    SwitchedOff,
    Unauthenticated,
    Unavailable,
)


class ErrorType(StrEnum):
    """Prometheus' errorType; what it has no word for is in those of Mimir."""

    BAD_DATA = "bad_data"
    EXECUTION = "execution"
    CANCELED = "canceled"
    TIMEOUT = "timeout"
    UNAVAILABLE = "unavailable"
    NOT_FOUND = "not_found"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    TOO_MANY_REQUESTS = "too_many_requests"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Failure:
    """An error as the client sees it; `retry_after` seconds it may ask again, if that helps."""

    type: ErrorType
    status: int
    text: str
    retry_after: int = 0


# The first row that fits counts.
_TABLE: Final[tuple[tuple[type[Exception], ErrorType, int], ...]] = (
    (BodyTooLarge, ErrorType.BAD_DATA, 413),
    (BadData, ErrorType.BAD_DATA, 400),
    (ExecutionError, ErrorType.EXECUTION, 422),
    (QueryTimeout, ErrorType.TIMEOUT, 503),
    (QueryCanceled, ErrorType.CANCELED, 499),
    (SwitchedOff, ErrorType.UNAVAILABLE, 500),
    (Unavailable, ErrorType.UNAVAILABLE, 503),
    (NotFound, ErrorType.NOT_FOUND, 404),
    (Unauthenticated, ErrorType.UNAUTHORIZED, 401),
    (Forbidden, ErrorType.FORBIDDEN, 403),
    (BudgetUsedUp, ErrorType.TOO_MANY_REQUESTS, 429),
)
_INTERNAL: Final = Failure(
    ErrorType.INTERNAL, 500, "internal error; the log of prombridge says which"
)
# What was asked for is let go of by the time that anybody asks again.
_NO_MEMORY: Final = Failure(
    ErrorType.UNAVAILABLE, 503, "prombridge is out of memory: ask for less, or later", 10
)
_TOO_DEEP: Final = Failure(ErrorType.BAD_DATA, 400, "the query is nested too deeply")


def failure_of(error: Exception) -> Failure:
    """What to tell the client; an unknown error tells nothing of itself."""
    if isinstance(error, RecursionError):
        return _TOO_DEEP
    if isinstance(error, MemoryError):
        return _NO_MEMORY
    for kind, error_type, status in _TABLE:
        if isinstance(error, kind):
            return Failure(error_type, status, str(error), getattr(error, "retry_after", 0))
    return _INTERNAL
