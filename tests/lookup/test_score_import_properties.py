"""Whatever a department's program writes: valid rows come back as they were, anything else is told, never a crash."""

import csv
import io
import itertools
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kit.errors import UsageError
from kit.tables import Chunk
from lookup.exam_kinds import exam_kind
from lookup.exams import Exam
from lookup.marks import MARKS
from lookup.score_columns import lay_out
from lookup.score_headings import Headings
from lookup.score_problems import Problems
from lookup.score_rows import RowReader, RowRules
from tests.exams import given_exam
from tests.lookup.result_files import Files, own_database

_numbers = itertools.count(1)
_in_session = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)

HEADINGS = {
    "toan": ("Toán", "Điểm Toán", "TOAN", "toan"),
    "ngu_van": ("Ngữ văn", "Văn", "ngu_van"),
    "vat_li": ("Vật lí", "Vật lý", "Lý", "Lí"),
    "hoa_hoc": ("Hóa học", "Hoá", "Hóa"),
    "ngoai_ngu/N1": ("Tiếng Anh", "Anh", "T.Anh"),
    "gdktpl": ("GDKTPL", "GD kinh tế và pháp luật"),
}
steps = {"toan": 20, "ngu_van": 4, "vat_li": 20, "hoa_hoc": 20, "ngoai_ngu/N1": 20, "gdktpl": 20}
absences = tuple(text for text in MARKS["absent"].spelled("absent", "score") if text not in {"-", "–", "—"})


@st.composite
def results(draw):
    """What stands in the department's books: results by candidate number, score or mark by paper."""
    numbers = draw(st.lists(st.integers(0, 99_999_999), min_size=1, max_size=30, unique=True))
    papers = draw(st.lists(st.sampled_from(sorted(HEADINGS)), min_size=1, unique=True))

    def cell(paper):
        scores = st.integers(0, 10 * steps[paper]).map(lambda i: Decimal(i) / steps[paper])
        return draw(st.one_of(st.none(), scores, st.just("absent")))

    return papers, {f"{number:08d}": {paper: cell(paper) for paper in papers} for number in numbers}


@st.composite
def written(draw, books):
    """The same as a file: any encoding, delimiter, decimal sign, title rows, blank rows, spellings, running number."""
    papers, rows = books
    comma = draw(st.booleans())
    running = draw(st.booleans())

    def text(value):
        if value is None:
            return draw(st.sampled_from(("", " ")))
        if value == "absent":
            return draw(st.sampled_from(absences))
        plain = draw(st.sampled_from((f"{value.normalize():f}", f"{value:.2f}")))
        return plain.replace(".", ",") if comma else plain

    header = [draw(st.sampled_from(("SBD", "Số báo danh", "so_bao_danh")))]
    header += [draw(st.sampled_from(HEADINGS[paper])) for paper in papers]
    table = [header] + [[number, *(text(row[paper]) for paper in papers)] for number, row in rows.items()]
    if running:
        table = [[str(i) if i else "STT", *row] for i, row in enumerate(table)]
    titles = [["KẾT QUẢ KỲ THI"], [], ["Năm 2026"]][: draw(st.integers(0, 3))]
    out = io.StringIO()
    csv.writer(out, delimiter=draw(st.sampled_from(",;\t"))).writerows([*titles, *table])
    return out.getvalue().encode(draw(st.sampled_from(("utf-8", "utf-8-sig", "utf-16"))))


@pytest.fixture(scope="module")
async def connection(postgres, template):
    async with own_database(postgres, template, "properties") as opened:
        yield opened


@pytest.fixture
def files(connection, tmp_path):
    return Files(connection, tmp_path)


@_in_session
@given(data=st.data())
async def test_valid_rows_are_stored_as_they_were_however_the_file_is_written(connection, files, data):
    books = data.draw(results())
    exam = await given_exam(connection, f"valid-{next(_numbers)}")
    summary = await files.send(exam, data.draw(written(books)))
    assert not set(summary.counts) - {"row_without_scores"}, [p.sentence() for p in summary.problems]
    expected = {
        number: {paper: value for paper, value in row.items() if value is not None} for number, row in books[1].items()
    }
    assert await files.stored(exam) == expected


CELLS = (
    "", "8", "8,25", "825", "-1", "KT", "Vắng", "06000001", "6000001", "1.23E+07", "N1", "1/2/2008", "2008", "'",
    "\\N", "\\", "&#xE1;", "&#x1F600;", "\x01", "NULL", "Null", "null", "{", "}", '"', "Toán=8; Văn", "=1+1",
    "\u0301", "٣", "½",
)  # fmt: skip
HEADS = (
    "SBD", "Toán", "Văn", "Ngoại ngữ", "Mã môn ngoại ngữ", "Anh", "Họ tên", "Họ", "Tên", "Ngày sinh", "PIN", "STT",
    "extra", "Môn thi", "Điểm", "Điểm xét tuyển", "Tổng điểm", "Môn chuyên", "Điểm chuyên", "Giải", "Xếp loại",
    "", "Trường",
)  # fmt: skip
cells = st.one_of(st.text(max_size=12), st.sampled_from(CELLS))
heads = st.one_of(st.text(max_size=8), st.sampled_from(HEADS))


@_in_session
@given(
    header=st.lists(heads, max_size=8),
    rows=st.lists(st.lists(cells, max_size=9), max_size=6),
    kind=st.sampled_from(("thpt", "lop-10", "hoc-sinh-gioi", "nghe-pho-thong")),
    policy=st.sampled_from(("public", "birth-date", "pin")),
)
async def test_any_table_is_stored_or_refused_in_words(connection, files, header, rows, kind, policy):
    exam = await given_exam(connection, f"any-{next(_numbers)}", kind=kind, policy=policy)
    out = io.StringIO()
    csv.writer(out).writerows([["SBD", "Toán", *header], *rows])
    # A sentence says why a file is no table; that and nothing else may be raised.
    with suppress(UsageError):
        summary = await files.send(exam, out.getvalue())
        assert (summary.batch_id is None) == bool(summary.error_count)
        assert all(problem.sentence("vi") and problem.sentence("en") for problem in summary.problems)


@_in_session
@given(noise=st.binary(max_size=400))
async def test_any_bytes_are_stored_or_refused_in_words(connection, files, noise):
    exam = await given_exam(connection, f"bytes-{next(_numbers)}")
    with suppress(UsageError):
        await files.send(exam, "SBD,Toán\n06000001,8\n".encode() + noise)


@settings(max_examples=150, deadline=None)
@given(rows=st.lists(st.tuples(*[cells] * 8), min_size=1, max_size=8))
def test_whole_columns_and_a_closer_look_at_each_row_say_the_same(rows):
    header = ["SBD", "Toán", "Văn", "Ngoại ngữ", "Mã môn ngoại ngữ", "Họ tên", "Ngày sinh", "Điểm xét tuyển"]
    kind = exam_kind("lop-10")
    known = {"kind": kind.code, "year": 2026, "policy": "public", "number_format": "99999999"}
    known |= {"subjects": kind.subjects, "total_rule": kind.total_rule}
    exam = Exam(**(dict.fromkeys(Exam.__struct_fields__) | known))
    headings = Headings(exam)
    chunk = Chunk(rows=rows, numbers=range(2, len(rows) + 2), overlong=[], numeric={})
    found = []
    for by_row in (False, True):
        layout, _ = lay_out(header, exam, headings)
        problems = Problems()
        reader = RowReader(exam, layout, headings, RowRules(), problems)
        lines = "".join(reader._looked_at(chunk, i) for i in range(len(rows))) if by_row else reader.lines(chunk)
        found.append((lines, problems.listed))
    assert found[0] == found[1]
