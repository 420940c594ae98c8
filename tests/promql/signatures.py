"""The signatures of all functions of Prometheus 3.14."""

from typing import Final

from bridge.promql.ast import Signature, ValueType

_TYPES: Final = {
    "V": ValueType.VECTOR,
    "M": ValueType.MATRIX,
    "S": ValueType.SCALAR,
    "T": ValueType.STRING,
}

# Arguments > result, variadic, names; V, M, S, T: vector, matrix, scalar, string.
_STABLE: Final = (
    (
        "V > V",
        0,
        (
            "abs absent acos acosh asin asinh atan atanh ceil cos cosh deg exp floor "
            "histogram_avg histogram_count histogram_stddev histogram_stdvar histogram_sum ln "
            "log10 log2 rad sgn sin sinh sort sort_desc sqrt tan tanh timestamp"
        ),
    ),
    (
        "M > V",
        0,
        (
            "absent_over_time avg_over_time changes count_over_time delta deriv "
            "first_over_time idelta increase irate last_over_time max_over_time min_over_time "
            "present_over_time rate resets stddev_over_time stdvar_over_time sum_over_time"
        ),
    ),
    ("V > V", 1, "day_of_month day_of_week day_of_year days_in_month hour minute month year"),
    ("VSS > V", 0, "clamp"),
    ("VS > V", 0, "clamp_max clamp_min"),
    ("VS > V", 1, "round"),
    ("SSV > V", 0, "histogram_fraction"),
    ("SV > V", 0, "histogram_quantile"),
    ("VTTT > V", -1, "label_join"),
    ("VTTTT > V", 0, "label_replace"),
    ("MS > V", 0, "predict_linear"),
    ("SM > V", 0, "quantile_over_time"),
    ("V > S", 0, "scalar"),
    ("S > V", 0, "vector"),
    ("> S", 0, "pi time"),
)
_EXPERIMENTAL: Final = (
    (
        "M > V",
        0,
        (
            "mad_over_time ts_of_first_over_time ts_of_last_over_time ts_of_max_over_time "
            "ts_of_min_over_time"
        ),
    ),
    ("MSS > V", 0, "double_exponential_smoothing"),
    ("VTSS > V", 9, "histogram_quantiles"),
    ("VV > V", 1, "info"),
    ("VT > V", -1, "sort_by_label sort_by_label_desc"),
    ("V > V", 0, "start_timestamp"),
    ("SS > S", 0, "max_of min_of"),
    ("> S", 0, "end range start step"),
)


def _signature(name: str, shape: str, variadic: int, experimental: bool) -> Signature:
    args, _, returns = shape.partition("> ")
    types = tuple(_TYPES[letter] for letter in args.strip())
    labels_argument = 1 if name == "info" else None
    return Signature(name, types, _TYPES[returns], variadic, experimental, labels_argument)


SIGNATURES: Final = {
    name: _signature(name, shape, variadic, rows is _EXPERIMENTAL)
    for rows in (_STABLE, _EXPERIMENTAL)
    for shape, variadic, names in rows
    for name in names.split()
}
