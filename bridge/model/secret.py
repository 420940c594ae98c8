"""A text that must never be shown: passwords, tokens, keys."""

import re
from typing import Final

_MASK: Final = "<secret>"

# Names of headers and parameters that say that their value is a secret.
TELLING: Final = re.compile(
    r"auth|cookie|credential|key|passw|pwd|secret|session|sig|token|^p$|^pass", re.IGNORECASE
)


class Secret:
    """A text shown as `<secret>` everywhere; `reveal()` gives it to the one place that needs it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __repr__(self) -> str:
        return _MASK

    def __format__(self, spec: str) -> str:
        return format(_MASK, spec)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.reveal() == other.reveal()

    def __hash__(self) -> int:
        return hash(self._text)
