"""prombridge: the Prometheus query API for stores that speak only remote read."""
