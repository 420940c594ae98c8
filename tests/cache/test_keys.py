"""Which remembered selectors a narrower one is looked for in."""

from hypothesis import given
from hypothesis import strategies as st

from bridge.cache.keys import Key
from bridge.cache.memory import Memory
from bridge.cache.policy import Policy
from bridge.cache.settings import CacheSettings
from bridge.model.labels import Matcher, MatchType
from tests.cache.world import Clock

matchers = st.builds(
    Matcher,
    st.sampled_from(["__name__", "job", "pod"]),
    st.sampled_from([MatchType.EQUAL, MatchType.NOT_EQUAL]),
    st.sampled_from(["", "a", "b"]),
)
keys = st.builds(
    Key,
    st.sampled_from(["one", "other"]),
    st.sampled_from(["", "tenant"]),
    st.sets(matchers, max_size=4).map(lambda held: tuple(sorted(held))),
)


@given(st.sets(keys, max_size=20), st.sets(keys, max_size=5), keys)
def test_every_wider_selector_is_found_and_none_that_has_gone(
    kept: set[Key], gone: set[Key], asked: Key
) -> None:
    settings = CacheSettings()
    memory, policy = Memory(settings, Clock()), Policy(settings)
    for key in [*kept, *gone]:
        memory.begin(key, policy)
    for key in gone - kept:
        memory.end(memory.begin(key, policy))
        (held,) = [one for one in memory.selectors() if one.key == key]
        memory.end(held)
    found = [held.key for held in memory.wider(asked)]
    assert len(found) == len(set(found))
    assert set(found) == {key for key in kept if key.wider(asked)}
