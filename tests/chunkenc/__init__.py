"""Tests of bridge.chunkenc."""
