"""Slips in PostgreSQL: asked for with the approval, made by the worker, fetched once, and then there no more."""

from collections.abc import Callable
from datetime import datetime

import asyncpg
import msgspec
import structlog

from kit import sql
from kit.errors import DomainError
from kit.keys import KeyRing
from kit.mail.post import Post, seal, unseal
from kit.sql import Database
from lookup.exams import Exam
from lookup.sealed.release_keys import KeyNotOurs
from lookup.sealed.slips import Slip, write_slip
from units.approvals.places import chain_of, list_approvers
from units.officers.officers import Officer, find_officers
from units.record.entries import Actor, write
from units.unit_tree import UnitTree

keys = sql.load(__file__, "keys")
log = structlog.get_logger()


class SlipNotThere(DomainError):
    """Nobody asked for one, it is not made yet, somebody has fetched it, or it is of no use any more."""

    code = "slip_not_there"
    status = 409


class SlipState(msgspec.Struct, frozen=True):
    """What there is of the slip of a release. `bundle_id` and `made_at` are None as long as the worker has not made it.

    `lies_ready`: it can be fetched; `is_open`: the key has been sent, and paper is of no use.
    """

    generation: int
    opens_at: datetime
    bundle_id: int | None
    made_at: datetime | None
    lies_ready: bool
    fetched_at: datetime | None
    fetched_by: str | None
    is_open: bool


async def ask_for_slip(
    transaction: asyncpg.Connection, exam_code: str, generation: int, *, unit_code: str, actor: Actor
) -> None:
    """The approver wants one."""
    await keys.ask_for_slip(transaction, exam_code=exam_code, generation=generation)
    about = ("exam", exam_code)
    await write(transaction, actor, "release.slip_asked", about, unit=unit_code, generation=generation)


async def find_slip(database: Database, exam_code: str) -> SlipState | None:
    """The slip of the newest release of an exam that wants one; None where nobody does."""
    row = await keys.find_slip_of(database, exam_code=exam_code)
    return SlipState(**row) if row else None


async def make_slips(database: Database, ring: KeyRing, unwrap: Callable[[bytes, str, int, int], bytes]) -> None:
    """Make those that were asked for, and erase those that are of no use any more."""
    await keys.erase_useless_slips(database)
    for row in await keys.list_slips_to_make(database):
        told = (row["exam_code"], row["generation"], row["id"])
        try:
            key = unwrap(row["wrapped_key"], *told)
        except KeyNotOurs:
            continue
        text = write_slip(Slip(*told, key))
        # As letters are sealed: a copy of the table, or a backup, opens nothing.
        await keys.add_slip(database, bundle_id=row["id"], slip=seal(ring, _purpose(row["id"]), text.encode()))
        log.info("key_slip_made", exam=row["exam_code"], generation=row["generation"])


async def fetch_slip(
    transaction: asyncpg.Connection,
    ring: KeyRing,
    bundle_id: int,
    *,
    officer_id: str,
    unit_code: str,
    actor: Actor,
    now: datetime,
) -> str:
    """The text of the slip, which is erased and on the record with this transaction. Raises SlipNotThere."""
    row = await keys.lock_slip(transaction, bundle_id=bundle_id)
    if row is None or row["slip"] is None:
        raise SlipNotThere
    text = unseal(ring, _purpose(bundle_id), row["slip"]).decode()
    await keys.mark_slip_fetched(transaction, bundle_id=bundle_id, officer_id=officer_id, now=now)
    about, facts = ("exam", row["exam_code"]), {"generation": row["generation"], "bundle": bundle_id}
    await write(transaction, actor, "release.slip_fetched", about, unit=unit_code, **facts)
    return text


async def tell_of_slip(
    transaction: asyncpg.Connection,
    exam: Exam,
    bundle_id: int,
    by: Officer,
    tree: UnitTree,
    post: Post,
    now: datetime,
) -> None:
    """Write to the other approvers of the exam's unit and above: somebody holds the key now."""
    approvers = await list_approvers(transaction, tree, chain_of(tree, "exam-release", exam.unit.code))
    people = await find_officers(transaction, sorted({approver.officer_id for approver in approvers} - {by.id}))
    for officer in people.values():
        await post.send(
            transaction,
            "key_slip_fetched",
            to=officer.email,
            key=f"key-slip:{bundle_id}:{officer.id}",
            now=now,
            exam=exam,
            by=by,
            officer=officer,
        )


def _purpose(bundle_id: int) -> str:
    return f"slip:{bundle_id}"
