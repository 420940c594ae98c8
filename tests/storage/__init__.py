"""Tests of bridge.storage."""
