"""Tests of bridge.remote."""
