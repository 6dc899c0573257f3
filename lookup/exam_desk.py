"""The officers' pages of exams: which there are, and one exam with all that belongs to it."""

from datetime import datetime
from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from kit.bounded_pool import BoundedPool
from kit.errors import InvalidForm
from kit.pages import Pages
from kit.sql import Database
from lookup.exam_approvals import ANNOUNCEMENT, RELEASE
from lookup.exam_batches import ExamCounts, count_by_exam
from lookup.exam_overview import find_overview
from lookup.exams import Exam, ExamNotFound, find_exam, list_exams
from units.approvals.approval import AlreadyWaiting
from units.approvals.lists import find_waiting
from units.officers.sessions import Session
from units.unit_tree import UnitTree

LIST = "/ky-thi"
ONE = "/ky-thi/{exam_code:str}"


async def find_seen(database: Database, code: str, session: Session, tree: UnitTree) -> Exam:
    """An exam of a unit whose exams the officer sees; drafts too. Raises ExamNotFound for any other."""
    exam = (await find_exam(database, code)).as_decided()
    if not session.officer.may("see_exams", exam.unit.code, tree):
        raise ExamNotFound
    return exam


def runs_the_service(session: Session, tree: UnitTree) -> bool:
    """Whether the officer is an operator of the department."""
    return session.officer.may("operate", next(iter(tree)).code, tree)


async def find_watched(database: Database, code: str, session: Session, tree: UnitTree) -> Exam:
    """An exam that the officer sees; the department's operators watch all that are listed. Raises ExamNotFound."""
    if not runs_the_service(session, tree):
        return await find_seen(database, code, session, tree)
    exam = (await find_exam(database, code)).as_decided()
    if exam.listed_at is None:
        raise ExamNotFound
    return exam


async def list_watched(database: Database, session: Session, tree: UnitTree) -> list[Exam]:
    """The exams that the officer sees, and for the department's operators all that are listed."""
    runs = runs_the_service(session, tree)
    return [
        exam.as_decided()
        for exam in await list_exams(database)
        if (runs and exam.listed_at) or session.officer.may("see_exams", exam.unit.code, tree)
    ]


def require_editor(exam: Exam, session: Session, tree: UnitTree) -> None:
    """Raises NotPermitted unless the officer prepares this unit's exams."""
    session.officer.require("prepare_exam", exam.unit.code, tree)


def address_of(exam: Exam, *parts: str) -> str:
    """The officers' page of an exam, or one below it."""
    return "/".join(("/can-bo/ky-thi", exam.code, *parts))


def render(
    request: Request,
    pages: Pages,
    template: str,
    session: Session,
    exam: Exam,
    now: datetime,
    **context: Any,
) -> Response[bytes]:
    """A page about one exam."""
    status = context.pop("status", 200)
    return pages.render(
        request,
        f"lookup/desk/{template}.html",
        status=status,
        unit=exam.unit,
        now=now,
        session=session,
        exam=exam,
        here=address_of(exam),
        **context,
    )


def form_of(values: dict[str, Any] | None = None, refused: InvalidForm | None = None) -> dict[str, Any]:
    """What a form's fields are filled with, and what is wrong with them."""
    return {"values": values or {}, "errors": refused.errors if refused else []}


@get(LIST)
async def show_exams(
    request: Request,
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    desk_pool: NamedDependency[BoundedPool],
    pages: NamedDependency[Pages],
    now: NamedDependency[datetime],
) -> Response[bytes]:
    """The exams of the units that the officer sees, drafts included."""
    officer = session.officer
    exams = [exam.as_decided() for exam in await list_exams(desk_pool)]
    seen = [exam for exam in exams if officer.may("see_exams", exam.unit.code, tree)]
    counts = await count_by_exam(desk_pool, [exam.code for exam in seen])
    return pages.render(
        request,
        "lookup/desk/exams.html",
        unit=next(iter(tree)),
        now=now,
        session=session,
        exams=[(exam, counts.get(exam.code, ExamCounts())) for exam in seen],
        several_units=len({exam.unit.code for exam in seen}) > 1,
        may_create=bool(officer.units_where("prepare_exam", tree)),
    )


@get(ONE)
async def show_exam(
    request: Request,
    exam_code: FromPath[str],
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    desk_pool: NamedDependency[BoundedPool],
    pages: NamedDependency[Pages],
    now: NamedDependency[datetime],
) -> Response[bytes]:
    """One exam: where it stands, its batches and releases, what waits."""
    exam = await find_seen(desk_pool, exam_code, session, tree)
    overview = await find_overview(desk_pool, exam, now)
    may = {
        action: session.officer.may(action, exam.unit.code, tree)
        for action in ("prepare_exam", "read_personal_data", "take_down")
    }
    just = request.query_params.get("vua", "")
    return render(request, pages, "exam", session, exam, now, overview=overview, may=may, just=just)


async def require_nothing_waits(database: Database, exam: Exam) -> None:
    """Raises AlreadyWaiting: what a second person looks at does not change under their eyes."""
    for kind in (RELEASE, ANNOUNCEMENT):
        if await find_waiting(database, kind, exam.code):
            raise AlreadyWaiting(kind=kind)


exam_routes = [show_exams, show_exam]
