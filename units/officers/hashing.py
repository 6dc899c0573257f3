"""Passwords are slow to check on purpose; lookups never wait for that."""

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from kit.errors import ServiceUnavailable

# As slow as the second recommendation of RFC 9106 (64 MiB, three passes), in one lane: one thread, one core.
_PASSES, _MEMORY_KIB, _LANES = 3, 65536, 1
# Behind whatever answers lookups: the kernel gives these threads what the others leave.
_NICENESS = 10
_COME_BACK = 10

_Done = TypeVar("_Done")


class SignInBusy(ServiceUnavailable):
    """So many sign in at once that this one would wait too long."""

    code = "sign_in_busy"


class PasswordHashing:
    """argon2id in `threads` threads of their own; at most `waiting` wait for one, for `patience` seconds each.

    Whoever would be one too many hears SignInBusy at once.
    """

    def __init__(self, *, threads: int = 1, waiting: int = 100, patience: float = 30.0) -> None:
        self._hasher = PasswordHasher(_PASSES, _MEMORY_KIB, _LANES)
        self._threads = ThreadPoolExecutor(threads, "password", initializer=_step_back)
        self._turn = asyncio.Semaphore(threads)
        self._waiting, self._most, self._patience = 0, waiting, patience

    async def make(self, password: str) -> str:
        """The hash to be stored. Raises SignInBusy."""
        return await self._in_turn(lambda: self._hasher.hash(password))

    async def fits(self, password_hash: str | None, password: str) -> bool:
        """Whether the hash is this password's. No hash takes as long, and fits nothing. Raises SignInBusy."""

        def compare() -> bool:
            with contextlib.suppress(VerificationError, InvalidHashError):
                return self._hasher.verify(password_hash or self._nobodys, password) and password_hash is not None
            return False

        return await self._in_turn(compare)

    def is_outdated(self, password_hash: str) -> bool:
        """Whether it was made more cheaply than today's are."""
        return self._hasher.check_needs_rehash(password_hash)

    @cached_property
    def _nobodys(self) -> str:
        return self._hasher.hash(os.urandom(16).hex())

    async def _in_turn(self, work: Callable[[], _Done]) -> _Done:
        await self._wait_for_a_turn()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._turn.release()

    async def _wait_for_a_turn(self) -> None:
        if self._waiting >= self._most:
            raise SignInBusy(_COME_BACK)
        self._waiting += 1
        try:
            async with asyncio.timeout(self._patience):
                await self._turn.acquire()
        except TimeoutError:
            raise SignInBusy(_COME_BACK) from None
        finally:
            self._waiting -= 1


def _step_back() -> None:
    # On Linux a thread has a niceness of its own.
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
