"""The note that a release leaves for the worker: make its sealed file."""

from datetime import datetime

import asyncpg
import msgspec

from kit.queue import leave_job

JOB = "seal-release"


class SealJob(msgspec.Struct, frozen=True, omit_defaults=True):
    """Of which release. `begun_after`: a file that was begun before will not do, for a key has changed since."""

    exam: str
    generation: int
    begun_after: datetime | None = None


async def leave_seal_job(transaction: asyncpg.Connection, job: SealJob) -> None:
    """It is sealed once the transaction has committed."""
    await leave_job(transaction, JOB, encode_job(job))


encode_job = msgspec.json.Encoder().encode
decode_job = msgspec.json.Decoder(SealJob).decode
