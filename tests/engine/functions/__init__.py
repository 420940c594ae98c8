"""Tests of the functions, alone and beside a real Prometheus."""
