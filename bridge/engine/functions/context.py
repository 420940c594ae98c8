"""What the query as a whole is about: start, end, range and step, in seconds.

Source: foldQueryContextFunctions in promql/engine.go.
"""

from bridge.engine.function import constant
from bridge.model.time import Steps, go_seconds


@constant("start")
def start(steps: Steps) -> float:
    return steps.start / 1000.0


@constant("end")
def end(steps: Steps) -> float:
    return steps.end / 1000.0


@constant("range")
def range_(steps: Steps) -> float:
    return go_seconds(steps.end - steps.start)


@constant("step")
def step(steps: Steps) -> float:
    return 0.0 if steps.start == steps.end else go_seconds(steps.interval)
