"""`python -m tests.servers fetch`: has every server at hand before the tests ask for it."""

import os
import sys

from tests.servers.binaries import locate_all, version
from tests.servers.debian import UnavailableError


def main(arguments: list[str]) -> int:
    if arguments != ["fetch"]:
        print("usage: python -m tests.servers fetch", file=sys.stderr)
        return 2
    found = locate_all(lambda text: print(f"  {text}", flush=True))
    for name, path in found.items():
        if isinstance(path, UnavailableError):
            print(f"{name}: not to be had, its tests will skip: {path}")
        else:
            print(f"{name} {'.'.join(map(str, version(path)))}: {path}")
    missing = any(isinstance(path, UnavailableError) for path in found.values())
    return 1 if missing and os.environ.get("CI") == "true" else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
