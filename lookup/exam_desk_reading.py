"""What officers read of a file that was sent: every mistake by row and column, the file itself, the marked workbook.

All of it names candidates, so each reading stands on the record.
"""

from datetime import datetime
from urllib.parse import quote

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream

from kit.bounded_pool import BoundedPool
from kit.pages import Pages
from lookup.exam_desk import render
from lookup.exam_desk_files import FILE, find_file, groups_of
from lookup.exams import Exam
from lookup.score_problems import MESSAGES
from lookup.score_uploads import Upload, What, list_problems, note_reading, read_pieces
from units.officers.sessions import Session
from units.record.entries import actor_of
from units.unit_tree import UnitTree

_PER_PAGE = 100
_LONGEST_PAGE_NUMBER = 5
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@get(f"{FILE}/loi")
async def show_problems(
    request: Request,
    exam_code: FromPath[str],
    upload_id: FromPath[str],
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    desk_pool: NamedDependency[BoundedPool],
    pages: NamedDependency[Pages],
    now: NamedDependency[datetime],
) -> Response[bytes]:
    """Every mistake by row and column, of one kind or of all; reading them stands on the record."""
    exam, upload = await find_file(desk_pool, exam_code, upload_id, session, tree)
    code = request.query_params.get("loai") or None
    page = request.query_params.get("trang", "1")
    chosen = code if code in MESSAGES else None
    async with desk_pool.transaction() as connection:
        await note_reading(connection, exam, upload, "problems", actor_of(request, session.officer.id))
        number = int(page) if page.isdecimal() and len(page) <= _LONGEST_PAGE_NUMBER else 1
        listed = await list_problems(connection, upload, chosen, number, _PER_PAGE)
    groups = groups_of(upload)
    return render(
        request, pages, "problems", session, exam, now, upload=upload, listed=listed, chosen=chosen, groups=groups
    )


@get(f"{FILE}/tep-goc")
async def download_file(
    request: Request,
    exam_code: FromPath[str],
    upload_id: FromPath[str],
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    desk_pool: NamedDependency[BoundedPool],
) -> Stream:
    """The file as it came."""
    exam, upload = await find_file(desk_pool, exam_code, upload_id, session, tree)
    return await _give(request, desk_pool, session, exam, upload, "file", upload.file_name)


@get(f"{FILE}/bang-loi")
async def download_workbook(
    request: Request,
    exam_code: FromPath[str],
    upload_id: FromPath[str],
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    desk_pool: NamedDependency[BoundedPool],
) -> Stream:
    """The file with every mistake marked."""
    exam, upload = await find_file(desk_pool, exam_code, upload_id, session, tree)
    name = f"{upload.file_name.rpartition('.')[0] or upload.file_name}-danh-dau-loi.xlsx"
    return await _give(request, desk_pool, session, exam, upload, "workbook", name)


async def _give(
    request: Request, pool: BoundedPool, session: Session, exam: Exam, upload: Upload, what: What, name: str
) -> Stream:
    """A download that no browser shows as a page, once it stands on the record. Raises UploadErased."""
    async with pool.transaction() as connection:
        await note_reading(connection, exam, upload, what, actor_of(request, session.officer.id))
    headers = {
        "Content-Disposition": f"attachment; filename=\"ket-qua\"; filename*=UTF-8''{quote(name)}",
        "Cache-Control": "no-store",
    }
    kind = _XLSX if what == "workbook" else "application/octet-stream"
    return Stream(read_pieces(pool, upload.id, what), media_type=kind, headers=headers)


file_reading_routes = [show_problems, download_file, download_workbook]
