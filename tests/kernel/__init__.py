"""Tests of `bridge.kernel`."""
