"""What the bridge says about itself: metrics, logs, traces."""
