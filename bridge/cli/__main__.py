"""`python -m bridge.cli` is `prombridge`."""

from bridge.cli import main

raise SystemExit(main())
