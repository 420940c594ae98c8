"""Environment variables in external labels: `$NAME` and `${NAME}`, as Go's os.Expand takes them."""

import re
from collections.abc import Callable
from typing import Final

_VARIABLE: Final = re.compile(
    r"\$(?:\{(?P<braced>[^}]*)\}|(?P<broken>\{)|(?P<special>[*#$@!?\-0-9])|(?P<name>\w+))", re.ASCII
)


def expanded(text: str, lookup: Callable[[str], str]) -> str:
    """The text with each variable replaced; `$$` is a dollar sign, broken syntax is dropped."""

    def value(found: re.Match[str]) -> str:
        name = found["braced"] or found["special"] or found["name"]
        return ("$" if name == "$" else lookup(name)) if name else ""

    return _VARIABLE.sub(value, text)
