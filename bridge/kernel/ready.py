"""Which kernels a starting server loads: those that nearly every query needs."""

from bridge.kernel import _REGISTRY, ElementwiseKernel


def load() -> None:
    """Loads them from disk, as `warm` left them there.

    Kernels of elements are left to the first query that needs them: numba compiles a part of each
    anew in every process, which takes 80 ms and 0.8 MiB.
    """
    for one in tuple(_REGISTRY):
        if not isinstance(one, ElementwiseKernel):
            one.compile()
