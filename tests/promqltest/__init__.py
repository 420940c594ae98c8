"""Prometheus' language for PromQL tests: scripts that load samples, evaluate and compare."""
