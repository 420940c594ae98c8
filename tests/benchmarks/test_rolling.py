"""Two replicas behind nginx are restarted in turn while queries go on: none fails."""

import asyncio
from pathlib import Path

import pytest

from benchmarks.rolling import pair, ran
from tests.servers.binaries import NGINX, PROMETHEUS
from tests.servers.fixtures import entered


@pytest.mark.long
def test_a_rolling_restart_fails_no_request_and_a_purge_reaches_both(tmp_path: Path) -> None:
    for program in (PROMETHEUS, NGINX):
        entered(program.locate)
    with pair(tmp_path, series=30, hours=3) as servers:
        findings = asyncio.run(ran(servers, rounds=1))
    assert findings.failed == []
    assert findings.faults == []
    assert findings.restarts == 2
    assert findings.outcomes["200"] == findings.outcomes.total() > 0
