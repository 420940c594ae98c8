"""What the bridge says about itself: metrics, logs, traces."""

from bridge.telemetry.log import configure_logging as configure_logging
from bridge.telemetry.metrics import Metrics as Metrics
