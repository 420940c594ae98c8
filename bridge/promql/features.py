"""Which parts of the language are switched on."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Features:
    """Experimental syntax; the defaults are Prometheus 3.14's."""

    experimental_functions: bool = False
    duration_expressions: bool = True
    extended_range_selectors: bool = False
    fill_modifiers: bool = False
