"""Comparison of prombridge with the monitoring tools people compare it with: one module a benchmark."""
