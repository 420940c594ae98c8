"""Where prombridge answers a request otherwise than Prometheus 3.5, and why: one table."""

import re
from dataclasses import dataclass
from typing import Final

from tests.oracle.raw import Call, Reply


@dataclass(frozen=True, slots=True)
class Difference:
    """Requests whose text holds `calls` (a regular expression), answered with these statuses."""

    reason: str
    calls: str
    theirs: tuple[int, ...]
    ours: tuple[int, ...]

    def covers(self, call: Call, theirs: Reply, ours: Reply) -> bool:
        """Whether this is the difference between two answers."""
        statuses = theirs.status in self.theirs and ours.status in self.ours
        return statuses and re.search(self.calls, str(call)) is not None


_NEWER: Final = "3.14, which prombridge follows, differs from 3.5"

# The first that covers a request counts.
DIFFERENCES: Final = (
    Difference(
        f"{_NEWER}: it names more that may stand behind offset",
        r"query=up\+offset(&|$)",
        (400,),
        (400,),
    ),
    Difference(
        f"{_NEWER}: 3.5 names the two duplicates in the order of a hash table",
        r"query=(up\+%2A\+on%28job%29|up\+%2B\+on%28%29|sum\+without)",
        (422,),
        (422,),
    ),
    Difference(
        f"{_NEWER}: 3.5 prints the number of a token",
        r"match%5B%5D=up\+%40\+1",
        (400,),
        (400,),
    ),
    Difference(
        f"{_NEWER}: it warns that sort has no effect on a range",
        r"query_range\?.*query=sort%28",
        (200,),
        (200,),
    ),
    Difference(
        f"{_NEWER}: it warns that a value of stats is deprecated",
        r"stats=(1|false|none)",
        (200,),
        (200,),
    ),
    Difference(
        f"{_NEWER}: it lets any origin in by `*`; 3.5 echoes the origin, which means the same",
        r" Origin:",
        (200, 204, 400, 404),
        (200, 204, 400, 404),
    ),
    Difference(f"{_NEWER}: it has words for NaN", r"query=topk%28NaN", (422,), (422,)),
    Difference(
        "a time whose milliseconds overflow 64 bits wraps around in Prometheus; here it is refused",
        r"(time|start|end)=(-?1e300|9223372036854775807|9\.3e15)(&|$)",
        (200, 400),
        (400,),
    ),
    Difference(
        "the year 0 is refused: the calendar here begins with the year 1",
        r"(time|start|end)=0000-01-01",
        (200, 400),
        (400,),
    ),
    Difference(
        "a timeout of no time at all runs out at one of several places in Prometheus, each with"
        " its own status; here it is always the timeout",
        r"timeout=(-1|0|0s|NaN)$",
        (400, 422, 503),
        (503,),
    ),
    Difference(
        "a step below 1 ms is a division by zero in Prometheus",
        r"step=(0\.0001|1e-9)$",
        (400, 422),
        (400,),
    ),
    Difference(
        "which values survive a limit is the store's choice; here they are the first in order",
        r"label/job/values.*limit=",
        (200,),
        (200,),
    ),
    Difference(
        "no redirects: a proxy in front of the bridge knows host and scheme, the bridge does not",
        r"^GET (/api/v1/query/|/api/v1 ?$|/api/v1/\.\./|//api)",
        (301,),
        (404,),
    ),
    Difference("an empty label name is refused", r"label//values", (301,), (400,)),
    Difference("a slash may stand in a label name", r"label/a%2Fb/values", (404,), (200,)),
    Difference("refused as JSON", r"label/%zz/values", (400,), (400,)),
    Difference(
        "a request line takes ASCII only (RFC 9112); clients escape everything else",
        "query=%22\xc3\xa9%22",
        (200,),
        (400,),
    ),
    Difference("a method is written in capitals", r"^query ", (405,), (400,)),
    Difference(
        "an expression without selectors has no exemplars; JSON where Prometheus says 204 nothing",
        r"query_exemplars\?query=1&",
        (204,),
        (200,),
    ),
    Difference("its own build", r"status/buildinfo$", (200,), (200,)),
    Difference("its own process", r"status/runtimeinfo$", (200,), (200,)),
    Difference("its own configuration", r"status/config$", (200,), (200,)),
    Difference("its own name", r"/-/(healthy|ready)$", (200,), (200,)),
    Difference("its own flags", r"status/flags$", (200,), (200,)),
    Difference(
        f"{_NEWER}: 3.5 does not know the path",
        r"^GET /api/v1/(status/tsdb/blocks|status/self_metrics|features|targets/relabel_steps"
        r"|scrape_pools/config)$",
        (404,),
        (200, 400),
    ),
    Difference(
        f"{_NEWER}: 3.5 does not know the paths; without their feature they are refused",
        r"^GET /api/v1/search/",
        (404,),
        (500,),
    ),
    Difference(
        f"{_NEWER}: 3.5 does not know the path unless it is switched on",
        r"/api/v1/otlp/",
        (404,),
        (404, 405),
    ),
    Difference(
        "a selector that fits every series is answered from the catalogue: no store is read whole",
        r"match%5B%5D=%7Bjob%21%3D%27%27%7D",
        (200,),
        (200,),
    ),
    Difference("counts are those of the catalogue", r"status/tsdb$", (200,), (200,)),
    Difference("types are told by names, for want of others", r"/metadata\b", (200,), (200,)),
    Difference("an unknown path is refused as JSON", r"^(GET|POST) ", (404,), (404,)),
    Difference(
        "a wrong method is refused as JSON",
        r"^((PUT|DELETE|PATCH|TRACE) |GET /api/v1/(admin|write)|POST /federate)",
        (405,),
        (405,),
    ),
    Difference("no method deletes series", r"^DELETE /api/v1/series", (500,), (405,)),
    Difference("HEAD is answered as GET, without the body", r"^HEAD ", (405,), (200, 400)),
    Difference(
        "every path takes POST: some versions of Grafana use it for all",
        r"^POST ",
        (405,),
        (200,),
    ),
    Difference(
        "a body without a Content-Type is taken for a form",
        r"^POST /api/v1/query\?[^ ]* \[query=2\]",
        (200, 400),
        (200,),
    ),
    Difference(
        "a request may have 10,000 parameters: reading millions takes the time of all others",
        r"^3 MB of unknown parameters$",
        (200,),
        (400,),
    ),
    Difference("a body may have 16 MiB instead of 10 MB", r"^11 MB of blanks$", (400,), (200,)),
)
