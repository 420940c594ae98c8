"""What the laws of the cache draw from: series, selectors, values, times."""

from hypothesis import strategies as st

from bridge.model.labels import Labels, Matcher, MatchType
from bridge.storage.interface import ReadOptions
from tests.cache.world import HOUR, MINUTE, SECOND

SERIES = tuple(
    Labels.of({"__name__": name, "job": job, "pod": pod})
    for name, job, pod in map(tuple, ["xa1", "xa2", "xb1", "xc3", "ya1"])
)
NAME = Matcher("__name__", MatchType.EQUAL, "x")
SELECTORS = (
    (NAME,),
    (NAME, Matcher("job", MatchType.EQUAL, "a")),
    (NAME, Matcher("job", MatchType.REGEXP, "a|b")),
    (NAME, Matcher("job", MatchType.REGEXP, "a|b"), Matcher("pod", MatchType.NOT_EQUAL, "1")),
    (NAME, Matcher("pod", MatchType.NOT_REGEXP, "[12]")),
    (Matcher("job", MatchType.EQUAL, "a"),),
)
VALUES = st.sampled_from([0.0, -0.0, 1.5, float("inf"), float("nan"), 1e300, 7.0])
BUDGETS = (512 << 20, 40_000, 25_000)

series = st.sampled_from(SERIES)
selectors = st.sampled_from(SELECTORS)
ages = st.sampled_from([0, SECOND, 30 * SECOND, 9 * MINUTE, 11 * MINUTE, HOUR, 3 * HOUR, 30 * HOUR])
lengths = st.sampled_from([0, MINUTE, 5 * MINUTE, 20 * MINUTE, HOUR, 3 * HOUR, 26 * HOUR])
jitters = st.integers(0, 90 * SECOND)
options = st.builds(ReadOptions, nocache=st.sampled_from([False] * 5 + [True]), fresh=st.booleans())
