"""Grafana's side: its files, its requests, and what it can read."""
