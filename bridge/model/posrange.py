"""Where in a query's text something stands."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PosRange:
    """A half-open range of byte offsets into the UTF-8 text of a query."""

    start: int
    end: int

    def line_and_column(self, query: str) -> str:
        """`line:column` of the start, both 1-based, the column in bytes.

        Source: promql/parser/posrange/posrange.go of Prometheus.
        """
        text = query.encode("utf-8", "surrogateescape")
        if not text:
            return "unknown position"
        if self.start < 0 or self.start > len(text):
            return "invalid position"
        line = text.count(b"\n", 0, self.start) + 1
        last_break = text.rfind(b"\n", 0, self.start)
        return f"{line}:{self.start - last_break}"
