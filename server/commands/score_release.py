"""`baodanh scores release`: with officers a second person decides; without, or in an emergency, it happens at once."""

from datetime import datetime
from pathlib import Path

import asyncpg

from kit.clock import VIETNAM, utc_now
from kit.keys import KeyRing
from kit.mail.post import Post
from kit.pages import Pages
from lookup.exam_approvals import RELEASE, release_payload
from lookup.exam_batches import list_unreleased
from lookup.exams import Exam, find_exam
from lookup.releases import Released, release
from server.approval_kinds import KINDS
from server.running.service import find_home
from server.settings import Settings
from units.approvals.approvals import hand_in
from units.approvals.places import Approver, chain_of, is_staffed, list_approvers
from units.officers.officers import find_officers
from units.record.entries import COMMAND
from units.unit_tree import UnitTree
from units.units import list_units

_TEMPLATES = Path(__file__).parents[2] / "templates"


async def release_or_hand_in(
    connection: asyncpg.Connection, settings: Settings, code: str, moment: datetime | None, emergency: str | None
) -> Released | None:
    """Say what was done; None when it waits for a second person now."""
    exam, tree = await find_exam(connection, code), UnitTree(await list_units(connection))
    staffed = await is_staffed(connection, tree, exam.unit.code, RELEASE)
    post = _post(settings)
    if staffed and not emergency:
        async with connection.transaction():
            await _hand_in(connection, exam, tree, moment, post)
        return None
    async with connection.transaction():
        released = await release(connection, code, opens_at=moment, emergency_reason=emergency)
        told = await _tell(connection, exam, tree, released, post) if staffed else []
    if staffed:
        print(f"Released without a second person. The record keeps why; approvers told by mail: {len(told)}.")
    else:
        print("No officers are set up: released without a second person.")
    _say(released)
    return released


async def _hand_in(
    connection: asyncpg.Connection, exam: Exam, tree: UnitTree, moment: datetime | None, post: Post
) -> None:
    now = utc_now()
    batches = [batch.id for batch in await list_unreleased(connection, exam.code, now)]
    approval = await hand_in(
        connection,
        KINDS,
        RELEASE,
        exam.code,
        release_payload(batches, moment, now),
        unit_code=exam.unit.code,
        takes_effect_at=moment,
        note="",
        officer_id=None,
        tree=tree,
        actor=COMMAND,
        now=now,
        post=post,
    )
    approvers = await list_approvers(connection, tree, [approval.decided_in], but=approval.prepared_by)
    print(f"{exam.code}: handed in for approval; nothing is public yet.")
    for name in await _names(connection, approvers):
        print(f"{name} can approve it:")
    print(post.link(f"/can-bo/phe-duyet/{approval.id}"))
    print("It cannot wait? `baodanh scores release CODE --emergency REASON` is for that, and stays on the record.")


async def _tell(
    connection: asyncpg.Connection, exam: Exam, tree: UnitTree, released: Released, post: Post
) -> list[Approver]:
    """Those who would have been asked read at once that nobody was."""
    approvers = await list_approvers(connection, tree, chain_of(tree, RELEASE, exam.unit.code))
    people = {officer.id: officer for officer in (await find_officers(connection, _ids(approvers))).values()}
    for officer in people.values():
        await post.send(
            connection,
            "emergency_release",
            to=officer.email,
            key=f"emergency:{exam.code}:{released.change}:{officer.id}",
            now=utc_now(),
            exam=exam,
            released=released,
            officer=officer,
        )
    return approvers


async def _names(connection: asyncpg.Connection, approvers: list[Approver]) -> list[str]:
    people = await find_officers(connection, _ids(approvers))
    return [f"{officer.name} <{officer.email}>" for officer in people.values()]


def _ids(approvers: list[Approver]) -> list[str]:
    return sorted({approver.officer_id for approver in approvers})


def _say(released: Released) -> None:
    print(f"{released.exam_code}: generation {released.generation}, {released.result_count} results", end=" ")
    print(f"({released.new_results} of them or of their corrections imported since the last release).")
    if released.opens_at > utc_now():
        print(f"It opens at {released.opens_at.astimezone(VIETNAM).isoformat()}.")


def _post(settings: Settings) -> Post:
    keys = KeyRing(settings.keys_folder, may_create=settings.keys_dir is None)
    return Post(Pages(_TEMPLATES), keys, home=find_home(settings), sender=settings.mail_from)
