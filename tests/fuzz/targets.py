"""All harnesses by name."""

from typing import Final

from tests.fuzz import chunk, configuration, language, request, stored, wire
from tests.fuzz.harness import Harness

_MODULES: Final = (language, wire, chunk, stored, request, configuration)
TARGETS: Final[dict[str, Harness]] = {
    harness.name: harness for module in _MODULES for harness in module.HARNESSES
}
