"""Marks of what is secret: the same for the same while this process lives, of no use elsewhere."""

import hmac
import json
import os
from typing import Any, Final

from bridge.model.secret import Secret

_KEY: Final = os.urandom(32)


def mark(*told: Any) -> str:
    """A mark of anything that JSON can tell, secrets among it."""
    text = json.dumps(told, default=Secret.reveal, sort_keys=True)
    return hmac.digest(_KEY, text.encode(), "sha256").hex()
