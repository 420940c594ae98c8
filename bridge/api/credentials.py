"""Passwords and tokens of clients: whether they are right, found out in constant time."""

import asyncio
import hashlib
import hmac
import os
from collections.abc import Mapping
from typing import Final

import bcrypt
from cachetools import LRUCache

from bridge.model.errors import Overloaded

# Verified credentials that are remembered: a check of a password takes 50 ms and more.
_REMEMBERED: Final = 1000
# How many different ones wait for a check, and when to ask again, seconds: whoever sends wrong ones
# and goes away would keep everybody else waiting for hours.
_WAITING: Final = 64
_AGAIN: Final = 1
# bcrypt looks at 72 bytes; Go's refuses longer passwords when it makes a hash, not when it checks.
_LONGEST: Final = 72
# Nobody's: an unknown user costs as much time as a wrong password.
_NOBODY: Final = bcrypt.hashpw(os.urandom(16), bcrypt.gensalt(10))


class Passwords:
    """Checks passwords against bcrypt hashes, one at a time in a thread.

    Only what was right is remembered, under a keyed digest of user, hash and password, each with
    its length: nothing that a client sends can stand for something else (CVE-2022-46146), and no
    wrong guess drives out what is right.
    """

    def __init__(self) -> None:
        self._key = os.urandom(32)
        self._right: LRUCache[bytes, bool] = LRUCache(_REMEMBERED)
        self._turn = asyncio.Lock()
        self._checks: dict[bytes, asyncio.Task[bool]] = {}

    async def right(self, users: Mapping[str, str], user: str, password: bytes) -> bool:
        """Whether this is the user's password; `users` are names and hashes.

        Raises Overloaded if too many wait for a check.
        """
        known = users.get(user)
        held = known.encode() if known is not None else _NOBODY
        digest = self._digest(user.encode("utf-8", "surrogateescape"), held, password)
        if known is not None and digest in self._right:
            self._right[digest] = True
            return True
        check = self._checks.get(digest)
        if check is None:
            if len(self._checks) >= _WAITING:
                raise Overloaded("too many passwords wait to be checked", _AGAIN)
            check = self._checks[digest] = asyncio.create_task(self._check(password, held))
            check.add_done_callback(lambda _: self._checks.pop(digest, None))
        # Who goes away ends it for nobody else who sent the same.
        fits = await asyncio.shield(check)
        if known is None or not fits:
            return False
        self._right[digest] = True
        return True

    async def _check(self, password: bytes, held: bytes) -> bool:
        async with self._turn:
            return await asyncio.to_thread(_fits, password, held)

    def _digest(self, *parts: bytes) -> bytes:
        framed = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
        return hmac.digest(self._key, framed, "sha256")


def _fits(password: bytes, held: bytes) -> bool:
    try:
        return bcrypt.checkpw(password[:_LONGEST], held)
    except ValueError:
        return False


def token_owner(tokens: Mapping[str, bytes], token: bytes) -> str | None:
    """Whose token this is; `tokens` are names and SHA-256 digests, all of which are compared."""
    digest = hashlib.sha256(token).digest()
    found = None
    for name, known in tokens.items():
        if hmac.compare_digest(known, digest):
            found = name
    return found
