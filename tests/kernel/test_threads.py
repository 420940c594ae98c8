"""Threads for long work give way to the others."""

import os
import sys
import threading

import pytest

from bridge.kernel.threads import behind


def niceness() -> int:
    """That of the thread that asks."""
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere threads have no priority")
def test_long_work_gives_way_and_nothing_else_does() -> None:
    before = niceness()
    with behind(1, "long") as threads:
        assert threads.submit(niceness).result() == min(before + 10, 19)
    assert niceness() == before
