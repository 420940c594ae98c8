"""What the compared requests hold: expressions, times, durations, selectors, names; good and bad."""

# ruff: noqa: E501
# fmt: off
QUERIES = (
    "up", "sum(up)", "1", '"text"', "up[1m]", "vector(1)", "1 > bool 2", "-1e300*1e300", "0/0", "absent(nothing)", "nothing",
    "nothing[5m]", "rate(up[5m])", "time()", "pi()", "-0", "1e21", '"é\u2028<&>\\n"', "up offset 1h", "up @ 1767600000",
    "up @ end()", "up[10m:1m]", "sort(up)", "up{job=~'n.*'}", "{__name__='up'}", "up == 1", "up and on() up", "topk(2, up)",
    "1e-7", "sum by (job) (up)", "up[5m] offset -5m", "# comment\nup", "count_values('v', up)", "NaN", "-up", "1 atan2 2",
    "up @ 1767600000000000000", "rate(up[5m] @ -1e18)", "max_over_time(up[5m:1m] @ 9.3e15)", "absent(up @ -9223372036854775)",
    "label_replace(up, 'x', '$1', 'job', '(.)(.*)')", "scalar(up)", "vector(scalar(up))", "up unless up", "{'up', job='node'}",
)
BAD_QUERIES = (
    "", " ", "sum(", "a b", "{}", "up[5m", "foo(1)", "1 + ", "up{a=~'('}", '"', "\n\n)", "up[0s]", "rate(up)", "up[5m][5m]",
    "sum(up[5m])", "1[5m]", "up offset", "up @", "up @ foo()", "a=1", "{__name__=~'.*'}", "up{job!~'.*'}x", "1 and 2", "up + 'a'",
    "topk(up, up)", "label_join(up)", "up[5m:", "up[:5m]", "up[5x]", "1e", "0x", "up{", "up{a}", "up{a=}", "up{a='b'", "'\\q'",
    "a{__name__='b'}", "up on(a) up", "up + on(a) group_left() group_right() up", "]", "🙂", "\x00", "up[1y1y]",
    "up[99999999999y]", "abs(up[5m])", "by (a)", "sum by (a b) (up)", "count_values(1,up)", "quantile(up)", "round(1,2,3)", "-'a'",
    "up unless bool up", "1 == 2", "bottomk('a', up)", r"up{job=~'\\C'}", "up{job=~'(?P<é>a)'}", "up{job=~'(?<=a)b'}",
    "up{job=~'x(?<!a>b)'}", r"up{job=~'a\\'}", r"up{job=~'[\\C]'}", r"up{job=~'a\\x{'}", "up{job=~'a{9999999999}'}",
    r"label_replace(up, 'x', '', 'job', '\\C')",
)
# Those that fail only once they are evaluated, and some that look so.
BAD_EVALUATIONS = (
    "label_replace(up, 'x', '$1', 'job', '(')", "label_join(up, '', ',', 'job')", "label_replace(up, '', '', 'job', '.*')",
    "label_replace(up, 'instance', '', 'instance', '.*')", "count_values('', up)", "up * on(job) up", "up + on() up",
    "up * on(job) group_left() up", "sum without (instance) (up) + on () group_right () up", "label_join(up, 'instance', '')",
    "{__name__=~'node_memory.*'} + 1", "-{job='node'}", "rate({job='node'}[5m])", "topk(-1, up)", "topk(NaN, up)", "topk(1e300, up)",
    "quantile(NaN, up)", "quantile(2, up)", "holt_winters(up[5m], 2, 2)", "double_exponential_smoothing(up[5m], 2, 2)",
    "count_values('a-b', up)", "label_replace(up, '\\xff', '', '', '')", "group_left", "up{job=~'a{1,5000}'}", "limitk(1, up)",
)
TIMES = (
    "foo", "1e", "2020-01-01", "1,5", '"', "<&>", "\n", "é", "1_0", "0x", "infin", "now", "0x1p3",
    "1.8e12", "1.8e15", "1767610000000", "1e300", "-1e300", "9223372036854775807", "9.3e15", "NaN", "nan", "Inf", "+Inf", "-Inf",
    "infinity", "-1", "-1.5", "0", "-0", "1e9", "+5", ".5", "5.", "2026-01-05T10:46:40Z", "2026-01-05T11:46:40.123456789+01:00",
    "2026-01-05T10:46:40", "2026-13-05T10:46:40Z", "2026-01-05t10:46:40z", "2026-01-05 10:46:40Z", "2026-02-29T00:00:00Z",
    "1767610000.0004", "1767610000.0005", "1767610000.9999", " 1767610000", "1767610000 ", "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z", "-292273086-05-16T16:47:06Z", "292277025-08-18T07:12:54.999999999Z",
    "2026-01-05T24:00:00Z", "2026-01-05T10:46:60Z",
)
# One of each kind, where the same code reads them again.
FEW_TIMES = ("foo", "1e", "2020-01-01", '"', "\n", "é", "-1e300", "9.3e15", "NaN", "Inf", "-Inf", "-1", "0", "1767610000", "1767620000")
STEPS = (
    "0", "-1", "foo", "1x", "", "1e30", "-1e30", "5m3", "1.5m", "NaN", "Inf", "-Inf", '"', "0s", "1h1d", "60", "60.0", "6e1", "1m",
    "60000ms", "1m30s", "1h", "1y", "0.0001", "1e-9", "9e15", "1w", "-1m", "+60", " 60", "60s ", "1m1m", "1M", "0x3c", "1_0",
    "300y", "9223372036", "9223372037",
)
LIMITS = ("x", "-1", "1.5", "99999999999999999999", "1_0", "0x1", " 1", "+", "0", "1", "3", "+2", "1000000")
TIMEOUTS = ("x", "1e30", "1x", "1", "0.5", "10s", "1m", "-1", "0", "0s", "1h30m", "NaN", "Inf", "1y")
LOOKBACKS = ("x", "1e30", "1x", "1", "0.5", "1s", "10m", "-1", "0", "0s", "NaN", "Inf", "1h1h", "1y")
STATS = ("", "true", "all", "1", "false", "none")
MATCHES = (
    "{}", "up{", "up[5m]", "1", "", "sum(up)", '{a=""}', '{a=~".*"}', "up{a=~'('}", " ", "(up)", "up offset 1h", "up",
    "{job='node'}", "{__name__=~'node_load.*'}", "nothing", "up{job=~'node|pod'}", "{job!=''}", "up @ 1", "{'up'}", "{'with.dot'}",
    "up{nope!='x'}", '{__name__="up",job=~".+"}', "'up'", "up#", "{__name__=''}",
)
LABELS = (
    "job", "__name__", "instance", "nothing", "U__", "U__job", "U___66_", "U__a_2e_b", "U__a__b", "U__job_", "U__job_zz_",
    "U__x_110000_", "U__x_d800_", "a.b", "a-b", "%C3%A9", "%ff", "%20", "a%2Fb", "1a", "_", "U_job", "job%00", "%zz", "", "le",
    "U___5f__5f_name_5f__5f_", "U____name____", "U__x_0_", "u__job", "U__j_6f_b", "a+b",
)
TARGETS = (
    "query", "query?limit=x&time=x&timeout=x&lookback_delta=x&query=(", "query?time=x&timeout=x&lookback_delta=x&query=(",
    "query?timeout=x&lookback_delta=x&query=(", "query?lookback_delta=x&query=(", "query?query=1&query=2&time=4",
    "query?query=1&time=4&time=5", "query?query=&query=2&time=4", "query?QUERY=1&time=4", "query?query=%zz&query=1&time=4",
    "query?query=1;2&query=2&time=4", "query?time=4;query=1", "query?query=1%&time=4", "query?query=1%2&time=4",
    "query?query=%ff", "query?query=up{a=%22%ff%22}&time=4", "query?query=up{%ff=%22a%22}&time=4",
    "query?query=%22%3C%26%3E%ff%22&time=4", "query?query=%22%01%0a%7f%e2%80%a8%22&time=4", "query?query=%ed%a0%80&time=4",
    "query?query=%22\xc3\xa9%22&time=4", "query?query=1%2B1&time=4", "query?query=1+1&time=4",
    "query?query=1+%2B+1&time=4&&&=&=x&x=", "query?%71uery=1&time=4", "query?query=1&time=4#up", "query/?query=1&time=4",
    "query//?query=1&time=4", "query?query=1&time=4&unknown=1&dedup=true",
)
GRIDS = (
    {"start": "-10", "end": "10", "step": "5"},
    {"start": "-1.8e12", "end": "1.8e12", "step": "9e11"},
    {"start": "1.8e12", "end": "1.8e12", "step": "1"},
    {"start": "1795403939062", "end": "1795405739063", "step": "15"},
    {"start": "-9223309901257974", "end": "9223309901257974", "step": "1e15"},
    {"start": "1767606400", "end": "1767606400", "step": "15.0009"},
    {"start": "2026-01-05T09:46:40Z", "end": "2026-01-05T11:46:40%2B01:00", "step": "5m"},
    {"start": "1767606400.001", "end": "1767606460.002", "step": "7.5"},
    {"start": "5", "end": "1", "step": "x"},
    {"start": "1", "end": "5", "step": "0", "timeout": "x"},
    {"start": "0", "end": "11001", "step": "1", "query": "("},
    {"limit": "x", "start": "x", "end": "x", "step": "x"},
    {"start": "0", "step": "1"},
    {"end": "0", "step": "1"},
    {"start": "0", "end": "1"},
)
PATHS = (
    "query?query=1&time=4", "query_range", "series", "labels", "label/job/values", "format_query", "parse_query", "metadata",
    "rules", "alerts", "query_exemplars", "status/buildinfo",
)
