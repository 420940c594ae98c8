"""`python -m tests.promqltest FILE…`: prints every failed case and ends with the count."""

import argparse
import asyncio
import os
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.promqltest.http import FORMS, Form, bridged
from tests.promqltest.runner import Count, Runner
from tests.promqltest.script import Command, parse_script


async def _run(scripts: Mapping[str, tuple[Command, ...]], *, shifted: bool) -> Count:
    total = Count()
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        for name, commands in scripts.items():
            count = await Runner(workers, shifted=shifted).run(name, commands)
            _show(name, count)
            total.add(count)
    return total


async def _run_http(scripts: Mapping[str, tuple[Command, ...]], form: Form) -> Count:
    total = Count()
    with tempfile.TemporaryDirectory() as folder:
        async with bridged(Path(folder), form) as runner:
            for name, commands in scripts.items():
                count = await runner.run(name, commands)
                _show(name, count)
                total.add(count)
    return total


def _show(name: str, count: Count) -> None:
    for failure in count.failures:
        print(failure, end="\n\n")
    print(
        f"{name}: passed {count.passed}, failed {len(count.failures)} of {count.cases}"
        f" ({count.queries} queries)"
    )


def main() -> int:
    """Runs the scripts named on the command line; 1 if a case fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.promqltest", description=__doc__)
    parser.add_argument("scripts", nargs="+", type=Path, metavar="FILE")
    parser.add_argument(
        "--shifted", action="store_true", help="instant cases also with @ and within ranges"
    )
    parser.add_argument(
        "--http",
        choices=FORMS,
        metavar="FORM",
        help="through the HTTP API, with samples read over remote read in this form: %(choices)s",
    )
    given = parser.parse_args()
    scripts = {path.name: parse_script(path.read_text()) for path in given.scripts}
    if given.http:
        total = asyncio.run(_run_http(scripts, FORMS[given.http]))
    else:
        total = asyncio.run(_run(scripts, shifted=given.shifted))
    print(f"asked {total.queries} queries")
    if total.not_carried:
        print(
            f"not asked: {total.not_carried} cases whose start timestamps the form has no place for"
        )
    print(f"passed {total.passed} of {total.cases}")
    return 1 if total.failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
