"""With a store's own profile its answers are those computed from the full data."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.model.errors import StoreError, StoreLimit
from bridge.model.labels import Matcher, MatchType
from bridge.remote.profiles import PROFILES, profile_of
from bridge.remote.settings import (
    Hints,
    HttpHeader,
    HttpSettings,
    NameMatchers,
    ResponseType,
    StoreSettings,
)
from bridge.storage.interface import Purpose, ReadOptions, Select
from bridge.storage.memory import MemoryStore
from tests.remote.quirks import STORES, Quirks, QuirkyStore, client
from tests.remote.stores import equals
from tests.storage.blocks import Plain, labels, literal, plain

OPTIONS = ReadOptions()
STEP = 10 * 86_400_000
TIMES = [at * STEP for at in range(1, 10)]
DATA = MemoryStore(
    literal(
        {
            labels(__name__=name, **rest): [(time + len(name), float(time)) for time in TIMES]
            for name in ("up", "upper", "down")
            for rest in (
                {},
                {"job": "a"},
                {"job": "ab", "zone": "1"},
                {"job": "xay"},
                {"job": "a\nb", "zone": "2"},
                {"zone": "11"},
            )
        }
    )
)
PATTERNS = ("a", "a.*", "a|ab", ".*", ".+", "", "x?", "a.b", "[^a]+", "(?i)A", "1")
NAMES = ("up", "upper", "nothing", "")


@st.composite
def matchers(draw: st.DrawFn) -> Matcher:
    """A matcher on a label that some series have, or none."""
    name = draw(st.sampled_from(["job", "zone", "none"]))
    kind = draw(st.sampled_from(list(MatchType)))
    return Matcher(name, kind, draw(st.sampled_from(PATTERNS)))


@st.composite
def name_matchers(draw: st.DrawFn) -> Matcher:
    """A matcher that tells which names."""
    if draw(st.booleans()):
        return equals("__name__", draw(st.sampled_from(NAMES[:3])))
    value = draw(st.sampled_from(["up|down", "up", "(?:upper|up)", "nothing|up"]))
    return Matcher("__name__", MatchType.REGEXP, value)


@st.composite
def selects(draw: st.DrawFn) -> Select:
    """A read with a name, other matchers and a range whose end is often a sample's time."""
    start = draw(st.integers(0, 10 * STEP))
    end = draw(st.sampled_from([time + 2 for time in TIMES]) | st.integers(0, 11 * STEP))
    rest = draw(st.lists(matchers(), max_size=3))
    return Select((draw(name_matchers()), *rest), start, max(start, end))


async def truth(select: Select) -> Plain:
    """The answer from the full data."""
    return plain((await DATA.select(select, OPTIONS)).block)


@pytest.mark.parametrize("name", STORES)
@given(select=selects())
@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
async def test_the_profile_makes_answers_right(name: str, select: Select) -> None:
    served = QuirkyStore(DATA, STORES[name])
    found = await client(served, name).select(select, OPTIONS)
    assert plain(found.block) == await truth(select)


@pytest.mark.parametrize("name", [name for name in STORES if STORES[name].names != "eq"])
@given(rest=st.lists(matchers(), max_size=2), value=st.sampled_from(["u.*", ".+", "(?:up)?", "up"]))
@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
async def test_any_matcher_on_the_name_is_right(name: str, rest: list[Matcher], value: str) -> None:
    for kind in MatchType:
        select = Select((Matcher("__name__", kind, value), *rest), 0, 11 * STEP)
        found = await client(QuirkyStore(DATA, STORES[name]), name).select(select, OPTIONS)
        assert plain(found.block) == await truth(select)


QUIRKS = {
    "exclusive end": (Quirks(end_exclusive=True), {"end_exclusive": True}),
    "unanchored": (Quirks(unanchored=True), {"anchor_regex": True}),
    "NULL for a missing label": (Quirks(missing_is_null=True), {"missing_label_ok": False}),
    "only = on the name": (Quirks(names="eq"), {"name_matchers": NameMatchers.EQ}),
    "no != on the name": (Quirks(names="eq_re"), {"name_matchers": NameMatchers.EQ_RE}),
    "a longest range": (Quirks(longest_range=STEP), {"max_query_range_ms": STEP}),
}


@pytest.mark.parametrize(("quirks", "changes"), QUIRKS.values(), ids=QUIRKS.keys())
@given(select=selects())
@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
async def test_each_quirk_alone_is_made_good_by_its_setting(
    quirks: Quirks, changes: dict[str, object], select: Select
) -> None:
    served = QuirkyStore(DATA, quirks)
    found = await client(served, "prometheus", **changes).select(select, OPTIONS)
    assert plain(found.block) == await truth(select)


WRONG = {
    "exclusive end": Select((equals("__name__", "up"),), 0, TIMES[0] + 2),
    "unanchored": Select(
        (equals("__name__", "up"), Matcher("job", MatchType.NOT_REGEXP, "a")), 0, STEP * 2
    ),
    "NULL for a missing label": Select(
        (equals("__name__", "up"), Matcher("job", MatchType.NOT_EQUAL, "a")), 0, STEP * 2
    ),
}


@pytest.mark.parametrize("quirk", WRONG)
async def test_without_its_setting_the_quirk_would_lose_series(quirk: str) -> None:
    served = QuirkyStore(DATA, QUIRKS[quirk][0])
    found = await client(served, "prometheus").select(WRONG[quirk], OPTIONS)
    assert plain(found.block) != await truth(WRONG[quirk])


async def test_only_what_the_store_gets_right_is_sent() -> None:
    select = Select(
        (
            equals("__name__", "up"),
            Matcher("job", MatchType.REGEXP, "a|b"),
            Matcher("job", MatchType.REGEXP, "a|"),
            Matcher("zone", MatchType.NOT_EQUAL, "1"),
            Matcher("zone", MatchType.NOT_REGEXP, "1"),
            equals("none", ""),
        ),
        0,
        STEP,
    )
    sent = {
        "prometheus": ["a|b", "a|", "1", "1", ""],
        "clickhouse": ["^(?s:a|b)$", "^(?s:a|)$", "1", "^(?s:1)$", ""],
        "influxdb1": ["^(?s:a|b)$"],
        "tdengine": [],
        "greptimedb": ["^(?s:a|b)$"],
    }
    for name, values in sent.items():
        served = QuirkyStore(DATA, STORES[name])
        await client(served, name).select(select, OPTIONS)
        (query,) = served.asked
        assert [one.value for one in query.matchers] == ["up", *values], name


async def test_a_store_that_demands_a_matcher_gets_one() -> None:
    select = Select((Matcher("zone", MatchType.NOT_EQUAL, ""),), 0, 9 * STEP)
    served = QuirkyStore(DATA, STORES["influxdb1"])
    found = await client(served, "influxdb1").select(select, OPTIONS)
    (query,) = served.asked
    assert [(one.name, one.value) for one in query.matchers] == [("__name__", "^(?s:.+)$")]
    assert plain(found.block) == await truth(select)


async def test_names_that_cannot_be_listed_are_refused_with_the_way_out() -> None:
    select = Select((Matcher("__name__", MatchType.REGEXP, "u.*"),), 0, STEP)
    text = (
        r'store "a": it takes only reads of one metric name, and \{__name__=~"u\.\*"\} does not say'
        r" which: name the metric, or several as name1\|name2 \(reading "
    )
    with pytest.raises(StoreLimit, match=text):
        await client(QuirkyStore(DATA, STORES["greptimedb"]), "greptimedb").select(select, OPTIONS)


async def test_other_errors_of_a_store_without_such_a_table_stay_errors() -> None:
    quirks = Quirks(unknown_name="disk not found")
    select = Select((equals("__name__", "nothing"),), 0, STEP)
    with pytest.raises(StoreError, match="disk not found"):
        await client(QuirkyStore(DATA, quirks), "greptimedb").select(select, OPTIONS)


async def test_an_answer_that_was_cut_off_is_no_answer() -> None:
    served = QuirkyStore(DATA, Quirks(cut_header="M3-Results-Limited"))
    select = Select((equals("__name__", "up"),), 0, 60_000)
    with pytest.raises(StoreLimit, match="cut the answer off: M3-Results-Limited: max_fetch"):
        await client(served, "m3").select(select, OPTIONS)


async def test_series_are_asked_for_with_the_hint() -> None:
    served = QuirkyStore(DATA, STORES["prometheus"])
    select = Select((equals("__name__", "up"),), 0, STEP * 11, Purpose.SERIES)
    found = await client(served, "prometheus").select(select, OPTIONS)
    assert found.block.samples == 0
    assert list(found.block.labels) == list(await truth(select))


@pytest.mark.parametrize(
    ("url", "profile"),
    [
        ("http://prometheus:9090/api/v1/read", "prometheus"),
        ("http://proxy/team/prometheus/api/v1/read/", "prometheus"),
        ("http://influx:8086/api/v1/prom/read?db=x", "influxdb1"),
        ("https://ts-1.influxdata.rds.aliyuncs.com:3242/api/v1/prom/read?db=x", "influxdb1"),
        ("http://cnos:8902/api/v1/prom/read?db=x", "cnosdb"),
        ("http://m3:7201/api/v1/prom/remote/read", "m3"),
        ("http://taos:6041/prometheus/v1/remote_read/db1", "tdengine"),
        ("http://greptime:4000/v1/prometheus/read?db=public", "greptimedb"),
        ("http://gemini:8086/api/v1/read?db=x", "opengemini"),
        ("http://gemini:8086/prometheus/store1/api/v1/read", "opengemini"),
        ("http://ld-1.lindorm.aliyuncs.com:8242/api/v2/prom_read?db=x", "lindorm"),
        ("http://ts-1.hitsdb.rds.aliyuncs.com:3242/api/prom_read", "alibaba"),
        ("https://prometheus-prod-1.grafana.net/api/prom/api/v1/read", "mimir"),
        ("https://aom.cn-north-4.myhuaweicloud.com/v1/1/api/v1/read", "huawei"),
        ("http://crate:9268/read", "cratedb"),
        ("http://somewhere/else", "generic"),
    ],
)
def test_stores_are_recognised_by_their_urls(url: str, profile: str) -> None:
    assert profile_of(StoreSettings("a", url)).name == profile


def test_a_tenant_header_means_mimir() -> None:
    url = "http://mimir/prometheus/api/v1/read"
    tenant = HttpSettings(headers=(HttpHeader("X-Scope-OrgID", values=("team",)),))
    for settings_ in (
        StoreSettings("a", url, headers=(("x-scope-orgid", "team"),)),
        StoreSettings("a", url, http=tenant),
    ):
        assert profile_of(settings_).name == "mimir"


def test_what_is_set_goes_before_the_profile() -> None:
    made = StoreSettings(
        "a",
        "http://store/read",
        profile="alibaba",
        response_types=(ResponseType.SAMPLES,),
        max_query_range_ms=0,
        missing_label_ok=True,
        max_concurrency=3,
    )
    profile = profile_of(made)
    assert (profile.name, profile.max_range, profile.concurrency) == ("alibaba", 0, 3)
    assert profile.response_types == (ResponseType.SAMPLES,)
    assert profile.missing_label_ok
    assert profile.anchor_regex


def test_what_is_not_verified_assumes_no_more_than_generic() -> None:
    generic = PROFILES["generic"]
    for profile in PROFILES.values():
        if not profile.verified:
            assert profile.anchor_regex
            assert not profile.missing_label_ok
            assert profile.hints is Hints.NONE
            assert profile.name_matchers is generic.name_matchers
