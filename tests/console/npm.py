"""The console's npm packages, as `make install` puts them there."""

import os
from pathlib import Path

import pytest

WEB = Path(__file__).parents[2] / "bridge/console/web"


def packages() -> Path:
    """The folder of the packages; without it a test skips, or fails under CI=true."""
    folder = WEB / "node_modules"
    if not folder.is_dir():
        reason = "needs the console's npm packages: `make install` with npm on the PATH"
        if os.environ.get("CI") == "true":
            raise AssertionError(reason)
        pytest.skip(reason)
    return folder
