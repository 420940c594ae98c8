"""Mathematical functions as Go computes them on amd64, to the bit, over arrays.

Go's math package does not call the C library, so that its last bit often differs from numpy's. The
algorithms are those of FreeBSD's msun and of Cephes, as Go's sources name them, and Go's own
assembly for exp. All functions take broadcastable float64 arrays or numbers.
"""

from bridge.model.gomath.angles import (
    arccosine,
    arcsine,
    arctangent,
    arctangent2,
    cosine,
    sine,
    tangent,
)
from bridge.model.gomath.hyperbolic import (
    hyperbolic_cosine,
    hyperbolic_sine,
    hyperbolic_tangent,
    inverse_hyperbolic_cosine,
    inverse_hyperbolic_sine,
    inverse_hyperbolic_tangent,
)
from bridge.model.gomath.order import maximum, minimum
from bridge.model.gomath.powers import (
    exponential,
    logarithm,
    logarithm2,
    logarithm10,
    modulo,
    power,
)

__all__ = [
    "arccosine",
    "arcsine",
    "arctangent",
    "arctangent2",
    "cosine",
    "exponential",
    "hyperbolic_cosine",
    "hyperbolic_sine",
    "hyperbolic_tangent",
    "inverse_hyperbolic_cosine",
    "inverse_hyperbolic_sine",
    "inverse_hyperbolic_tangent",
    "logarithm",
    "logarithm2",
    "logarithm10",
    "maximum",
    "minimum",
    "modulo",
    "power",
    "sine",
    "tangent",
]
