"""The arrays that samples are made of, and the bit pattern that ends a series."""

from typing import Final

import numpy as np
import numpy.typing as npt

Int64s = npt.NDArray[np.int64]
Float64s = npt.NDArray[np.float64]

# The float64 bit pattern that ends a series; model/value of Prometheus.
STALE_NAN_BITS: Final = 0x7FF0000000000002
