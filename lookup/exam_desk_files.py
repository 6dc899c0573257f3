"""The officers' pages of result files: send one, see it checked, look at every mistake, import it or let it be."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Any, get_args

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from kit.bounded_pool import BoundedPool
from kit.errors import InvalidForm
from kit.legacy_text import TITLES, Charset
from kit.pages import Pages, see_other
from kit.sql import Database
from lookup.exam_desk import ONE, address_of, find_seen, form_of, render, require_editor
from lookup.exams import Exam
from lookup.form_fields import Form
from lookup.score_problems import MESSAGES
from lookup.score_uploads import (
    LARGEST_FILE,
    Upload,
    Ways,
    add_piece,
    begin_upload,
    check_again,
    confirm,
    count_before,
    discard,
    drop_upload,
    find_example,
    find_upload,
    finish_upload,
    note_reading,
)
from lookup.upload_reading import LARGEST_BODY, receive_file
from lookup.upload_room import make_room
from units.officers.doorkeeper import read_form
from units.officers.officers import find_officers
from units.officers.sessions import Session
from units.record.entries import actor_of
from units.unit_tree import UnitTree

_FILES = f"{ONE}/tep"
FILE = f"{_FILES}/{{upload_id:str}}"
_LONGEST_REASON = 500
# What a person may choose after having seen it, by the mistake that it would mend.
_MENDS = ("number_lost_zeros", "legacy_text", "pin_weak")


async def find_file(
    database: Database, exam_code: str, upload_id: str, session: Session, tree: UnitTree
) -> tuple[Exam, Upload]:
    """A file of an exam, for whoever prepares the unit's exams; its content names candidates.

    Raises ExamNotFound, UploadNotFound, NotPermitted.
    """
    exam = await find_seen(database, exam_code, session, tree)
    require_editor(exam, session, tree)
    session.officer.require("read_personal_data", exam.unit.code, tree)
    return exam, await find_upload(database, exam.code, upload_id)


@get(_FILES)
async def show_upload_form(
    request: Request,
    exam_code: FromPath[str],
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    desk_pool: NamedDependency[BoundedPool],
    pages: NamedDependency[Pages],
    now: NamedDependency[datetime],
) -> Response[bytes]:
    """Choose a file."""
    exam = await find_seen(desk_pool, exam_code, session, tree)
    require_editor(exam, session, tree)
    return _upload_form(request, pages, session, exam, now, form_of())


@post(_FILES, request_max_body_size=LARGEST_BODY)
async def take_file(
    request: Request,
    exam_code: FromPath[str],
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    desk_pool: NamedDependency[BoundedPool],
    pages: NamedDependency[Pages],
    now: NamedDependency[datetime],
) -> Response:
    """Receive a file and leave it to the worker; nobody without the right gets to send one."""
    exam = await find_seen(desk_pool, exam_code, session, tree)
    require_editor(exam, session, tree)
    begun: list[str] = []

    async def begin(name: str) -> Callable[[int, bytes], Awaitable[None]]:
        size = _announced_size(request)
        async with desk_pool.transaction() as connection:
            await make_room(connection, exam, size, actor=actor_of(request, session.officer.id), now=now)
            begun.append(await begin_upload(connection, exam, session.officer.id, name, size, now))
        return partial(add_piece, desk_pool, begun[0])

    try:
        received = await receive_file(request, session, begin)
        async with desk_pool.transaction() as connection:
            actor = actor_of(request, session.officer.id)
            await finish_upload(connection, exam, begun[0], received.size, received.sha256, actor=actor, now=now)
    except BaseException as problem:
        # Also when the sender hung up: half a file is nothing.
        for upload_id in begun:
            await drop_upload(desk_pool, upload_id)
        if not isinstance(problem, InvalidForm):
            raise
        return _upload_form(request, pages, session, exam, now, form_of(refused=problem), status=422)
    return see_other(address_of(exam, "tep", begun[0]))


def _announced_size(request: Request) -> int:
    """How much may come: room is kept for it from the beginning."""
    announced = request.headers.get("content-length", "")
    return min(int(announced), LARGEST_FILE) if announced.isdecimal() else LARGEST_FILE


@get(FILE)
async def show_file(
    request: Request,
    exam_code: FromPath[str],
    upload_id: FromPath[str],
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    desk_pool: NamedDependency[BoundedPool],
    pages: NamedDependency[Pages],
    now: NamedDependency[datetime],
) -> Response[bytes]:
    """How far it is; then what was found, and what to do next."""
    exam, upload = await find_file(desk_pool, exam_code, upload_id, session, tree)
    return await _show(request, pages, desk_pool, session, exam, upload, now, form_of())


@post(f"{FILE}/cach-doc")
async def read_otherwise(
    request: Request,
    exam_code: FromPath[str],
    upload_id: FromPath[str],
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    desk_pool: NamedDependency[BoundedPool],
    now: NamedDependency[datetime],
) -> Response:
    """Check it once more with what was chosen: zeros filled up, old letters converted, short codes accepted."""
    exam, upload = await find_file(desk_pool, exam_code, upload_id, session, tree)
    ways = _read_ways(Form(await read_form(request, session)), exam)
    async with desk_pool.transaction() as connection:
        actor = actor_of(request, session.officer.id)
        await check_again(connection, exam, upload, ways, actor=actor, now=now)
    return see_other(address_of(exam, "tep", upload.id))


@post(f"{FILE}/nhap")
async def import_file(
    request: Request,
    exam_code: FromPath[str],
    upload_id: FromPath[str],
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    desk_pool: NamedDependency[BoundedPool],
    pages: NamedDependency[Pages],
    now: NamedDependency[datetime],
) -> Response:
    """Import what the check has shown."""
    exam, upload = await find_file(desk_pool, exam_code, upload_id, session, tree)
    fields = await read_form(request, session)
    form = Form(fields)
    needed = bool(upload.findings and upload.findings.needs_reason)
    reason = form.text("reason", _LONGEST_REASON, required=needed)
    if form.errors:
        told = form_of(fields, InvalidForm(form.errors))
        return await _show(request, pages, desk_pool, session, exam, upload, now, told, status=422)
    async with desk_pool.transaction() as connection:
        await confirm(connection, exam, upload, reason, actor=actor_of(request, session.officer.id), now=now)
    return see_other(address_of(exam, "tep", upload.id))


@post(f"{FILE}/bo")
async def discard_file(
    request: Request,
    exam_code: FromPath[str],
    upload_id: FromPath[str],
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    desk_pool: NamedDependency[BoundedPool],
) -> Response:
    """Let it be: what it held is erased."""
    exam, upload = await find_file(desk_pool, exam_code, upload_id, session, tree)
    await read_form(request, session)
    async with desk_pool.transaction() as connection:
        await discard(connection, exam, upload, actor=actor_of(request, session.officer.id))
    return see_other(address_of(exam))


async def _show(
    request: Request,
    pages: Pages,
    database: BoundedPool,
    session: Session,
    exam: Exam,
    upload: Upload,
    now: datetime,
    form: dict[str, Any],
    *,
    status: int = 200,
) -> Response[bytes]:
    """The page of one file in whatever state it is; where it shows cells of the file, that stands on the record."""
    mends = await _mends(database, upload)
    if any(mend["examples"] for mend in mends):
        async with database.transaction() as connection:
            await note_reading(connection, exam, upload, "problems", actor_of(request, session.officer.id))
    return render(
        request,
        pages,
        "file",
        session,
        exam,
        now,
        status=status,
        form=form,
        upload=upload,
        before=await count_before(database, upload) if upload.is_worked_on else 0,
        sender=(await find_officers(database, [upload.uploaded_by])).get(upload.uploaded_by),
        groups=groups_of(upload),
        mends=mends,
    )


def _upload_form(
    request: Request,
    pages: Pages,
    session: Session,
    exam: Exam,
    now: datetime,
    form: dict[str, Any],
    *,
    status: int = 200,
) -> Response[bytes]:
    most_mb = LARGEST_FILE // 2**20
    return render(request, pages, "upload", session, exam, now, status=status, form=form, most_mb=most_mb)


def groups_of(upload: Upload) -> list[dict[str, Any]]:
    """How many of each kind: errors first, the most frequent first."""
    counts = upload.findings.counts if upload.findings else {}
    found = [
        {"code": code, "count": count, "is_error": MESSAGES[code].severity == "error"}
        for code, count in counts.items()
        if count
    ]
    return sorted(found, key=lambda group: (not group["is_error"], -group["count"], group["code"]))


async def _mends(database: Database, upload: Upload) -> list[dict[str, Any]]:
    """What could be chosen, with examples of what would become of the cells."""
    if upload.erased_at is not None:
        return []
    if upload.refusal is not None:
        charset = upload.refusal.facts.get("option")
        return [_mend("legacy_text", str(charset), [])] if upload.refusal.code == "legacy_header" else []
    counts = upload.findings.counts if upload.findings and upload.state == "checked" else {}
    found = []
    for code in _MENDS:
        if counts.get(code):
            examples = await find_example(database, upload, code)
            facts = examples[0].fault.facts if examples else {}
            found.append(_mend(code, str(facts.get("option") or facts.get("width") or ""), examples))
    return found


def _mend(code: str, value: str, examples: list[Any]) -> dict[str, Any]:
    title = TITLES.get(value, "")  # type: ignore[call-overload]  # only of old letters
    return {"code": code, "value": value, "title": title, "examples": examples}


def _read_ways(form: Form, exam: Exam) -> Ways:
    lengths = {str(len(mask)) for mask in exam.number_format.split("|")}
    padded, charset = form.text("pad_number", required=False), form.text("convert", required=False)
    if padded and padded not in lengths:
        form.wrong("pad_number", "exam_choice_unknown")
    if charset and charset not in get_args(Charset):
        form.wrong("convert", "exam_choice_unknown")
    form.check()
    return Ways(int(padded) if padded else None, charset or None, form.is_ticked("weak_pins"))  # type: ignore[arg-type]  # checked above


file_routes = [
    show_upload_form,
    take_file,
    show_file,
    read_otherwise,
    import_file,
    discard_file,
]
