"""What work beside the requests is given, and the two shapes it has: jobs that were left, chores that come round."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import asyncpg
import msgspec

from kit.keys import KeyRing
from kit.mail.post import Post
from kit.redis_servers import RedisServer
from server.settings import Settings


class Workshop(msgspec.Struct, frozen=True):
    """What work can need. The pool opens lazily: while PostgreSQL is away, whatever asks it fails and comes again."""

    settings: Settings
    pool: asyncpg.Pool
    redis: RedisServer
    keys: KeyRing
    post: Post
    clock: Callable[[], datetime]


JobHandler = Callable[[Workshop, bytes], Awaitable[None]]


class Chore(msgspec.Struct, frozen=True):
    """Work that comes round by itself.

    With `every` it runs at once and then again that long after it ended; without, `run` is a loop that never ends by
    itself, and is begun anew when it fails. One worker of all nodes does it at a time, unless it is `everywhere`.
    """

    name: str
    run: Callable[[Workshop], Awaitable[None]]
    every: timedelta | None = None
    everywhere: bool = False
