"""Work for later: a job is left in the transaction of what it belongs to, and done by the worker."""

from datetime import datetime

import asyncpg

from kit import sql

queue = sql.load(__file__, "queue")


async def leave_job(
    transaction: asyncpg.Connection, name: str, payload: bytes, *, not_before: datetime | None = None
) -> int:
    """Leave a job for the worker's handler `name`; it is done once the transaction has committed. Returns its number.

    A job may be done twice when the worker is killed in the middle: handlers look first what is done already.
    """
    return await queue.add_job(transaction, entrypoint=name, payload=payload, execute_after=not_before)
