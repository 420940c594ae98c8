"""Functions of one value: arithmetic, powers, angles.

Source: promql/functions.go; Go's own algorithms where they differ from the C library's.
"""

import math
from typing import cast

import numpy as np

from bridge.engine.function import SCALAR, VECTOR, CallSite, elementwise, function
from bridge.kernel import elementwise_kernel
from bridge.model import gomath
from bridge.model.samples import Float64s
from bridge.model.vectors import Matrix, Scalar, Value

absolute = elementwise("abs")(np.abs)
ceil = elementwise("ceil")(np.ceil)
floor = elementwise("floor")(np.floor)
sqrt = elementwise("sqrt")(np.sqrt)
exp = elementwise("exp")(gomath.exponential)
ln = elementwise("ln")(gomath.logarithm)
log2 = elementwise("log2")(gomath.logarithm2)
log10 = elementwise("log10")(gomath.logarithm10)
sin = elementwise("sin")(gomath.sine)
cos = elementwise("cos")(gomath.cosine)
tan = elementwise("tan")(gomath.tangent)
asin = elementwise("asin")(gomath.arcsine)
acos = elementwise("acos")(gomath.arccosine)
atan = elementwise("atan")(gomath.arctangent)
sinh = elementwise("sinh")(gomath.hyperbolic_sine)
cosh = elementwise("cosh")(gomath.hyperbolic_cosine)
tanh = elementwise("tanh")(gomath.hyperbolic_tangent)
asinh = elementwise("asinh")(gomath.inverse_hyperbolic_sine)
acosh = elementwise("acosh")(gomath.inverse_hyperbolic_cosine)
atanh = elementwise("atanh")(gomath.inverse_hyperbolic_tangent)


@elementwise("sgn")
@elementwise_kernel()
def sgn(value: float) -> float:
    if value < 0.0:
        return -1.0
    if value > 0.0:
        return 1.0
    return value


@elementwise("rad")
@elementwise_kernel()
def rad(value: float) -> float:
    return value * math.pi / 180.0


@elementwise("deg")
@elementwise_kernel()
def deg(value: float) -> float:
    return value * 180.0 / math.pi


@elementwise("round", (VECTOR, SCALAR), variadic=1)
def round_(values: Float64s, to: Float64s | float = 1.0) -> Float64s:
    inverse = 1.0 / np.asarray(to)
    return np.floor(values * inverse + 0.5) / inverse


@elementwise("clamp_min", (VECTOR, SCALAR))
def clamp_min(values: Float64s, least: Float64s) -> Float64s:
    return gomath.maximum(least, values)


@elementwise("clamp_max", (VECTOR, SCALAR))
def clamp_max(values: Float64s, greatest: Float64s) -> Float64s:
    return gomath.minimum(greatest, values)


@function("clamp", (VECTOR, SCALAR, SCALAR), row_wise=True)
def clamp(site: CallSite, values: tuple[Value, ...]) -> Value:
    vector = cast("Matrix", values[0])
    least, greatest = cast("Scalar", values[1]).values, cast("Scalar", values[2]).values
    clamped = gomath.maximum(least, gomath.minimum(greatest, vector.values))
    return Matrix(vector.labels, clamped, vector.present & ~(greatest < least))


@function("max_of", (SCALAR, SCALAR), SCALAR, experimental=True)
def max_of(site: CallSite, values: tuple[Value, ...]) -> Value:
    one, other = (cast("Scalar", value).values for value in values)
    return Scalar(gomath.maximum(one, other))


@function("min_of", (SCALAR, SCALAR), SCALAR, experimental=True)
def min_of(site: CallSite, values: tuple[Value, ...]) -> Value:
    one, other = (cast("Scalar", value).values for value in values)
    return Scalar(gomath.minimum(one, other))


@function("pi", (), SCALAR)
def pi(site: CallSite, values: tuple[Value, ...]) -> Value:
    return Scalar(np.full(len(site.steps), math.pi))
