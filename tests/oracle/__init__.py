"""prombridge against the answers of a real Prometheus that holds the same data."""
