"""PyYAML's loader, with an error of YAML where it would raise one of Python."""

import re
from typing import Any, Final

import yaml
from yaml.scanner import ScannerError

# Half of a character of UTF-16, which no text in UTF-8 can hold.
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class Loader(yaml.SafeLoader):
    """Texts of the errors as in Go's scanner, gopkg.in/yaml.v2/scannerc.go."""

    def scan_flow_scalar_non_spaces(self, double: bool, start_mark: Any) -> list[str]:
        """The pieces of a quoted text; raises ScannerError for an escape that is no character."""
        try:
            chunks: list[str] = super().scan_flow_scalar_non_spaces(double, start_mark)
        except (ValueError, OverflowError):
            raise self._wrong_escape(start_mark) from None
        if any(map(_SURROGATE.search, chunks)):
            raise self._wrong_escape(start_mark)
        return chunks

    def _wrong_escape(self, start_mark: Any) -> ScannerError:
        context = "while scanning a double-quoted scalar"
        problem = "found invalid Unicode character escape code"
        return ScannerError(context, start_mark, problem, self.get_mark())

    def scan_yaml_directive_number(self, start_mark: Any) -> int:
        """A part of %YAML's version; raises ScannerError for one that is too long."""
        try:
            number: int = super().scan_yaml_directive_number(start_mark)
        except ValueError:
            context = "while scanning a %YAML directive"
            problem = "found extremely long version number"
            raise ScannerError(context, start_mark, problem, self.get_mark()) from None
        return number
