"""A department sends a small file for each kind of exam; each candidate finds on the page what the file said."""

from textwrap import dedent

import pytest

from kit.clock import utc_now
from lookup.pins import derive_pin
from lookup.releases import release
from lookup.score_import import ImportOptions, import_scores
from tests.exams import given_exam
from tests.people import MORNING

KINDS = {
    # Kind: policy, the file as it came, and what is typed and seen.
    "lop-10": (
        "public",
        """
        SỞ GIÁO DỤC VÀ ĐÀO TẠO,,,,,,
        STT,SBD,Ngữ văn,Toán,Tiếng Anh,Chuyên Toán,Điểm xét tuyển
        1,000123,"7,75","8,5","9,2","6,75","45,70"
        2,000124,V,"3,25",5,,
        """,
        "000123",
        None,
        ["Điểm xét tuyển", "45,70", "8,50", "9,20", "6,75", "Toán chuyên"],
    ),
    "khao-sat-lop-6": (
        "birth-date",
        """
        Số báo danh;Họ và tên;Ngày sinh;Trắc nghiệm;Tự luận;Tổng điểm
        990001;Lê Gia Hân;05/9/2015;22,5;54;76,5
        """,
        "990001",
        {"birth_date": "5-9-2015"},
        ["22,50", "54,00", "76,50"],
    ),
    "chuyen": (
        "birth-date",
        """
        SBD,Họ tên,Ngày sinh,Toán,Văn,Anh,Chuyên Tin,Điểm XT
        990002,Phạm Anh Thư,1/2/2011,9.25,7.5,8.8,10,45.55
        """,
        "990002",
        {"birth_date": "01/02/2011"},
        ["9,25", "10,00", "45,55"],
    ),
    "hoc-sinh-gioi": (
        "pin",
        """
        SBD\tVật lí\tGiải
        HSG012\t16,25\tNhì
        HSG013\t9\tKhông đạt giải
        """,
        "HSG012",
        "pin",
        ["16,25", "Giải Nhì"],
    ),
    "nghe-pho-thong": (
        "public",
        """
        SBD,Lý thuyết,Thực hành,Xếp loại,Điểm trung bình
        990003,8,"9,5",Giỏi,"9,13"
        """,
        "990003",
        None,
        ["8,00", "9,50", "Giỏi", "9,13"],
    ),
    "tot-nghiep": (
        "birth-date",
        """
        SBD,Ngày sinh,Kết quả,Xếp loại,Điểm xét tốt nghiệp
        990004,20/11/2008,Đỗ,Khá,"7,42"
        990005,21/11/2008,Hỏng,,
        """,
        "990004",
        {"birth_date": "20.11.2008"},
        ["7,42", "Khá"],
    ),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_what_the_file_said_stands_on_the_page(connection, service, visitor, tmp_path, pin_key, kind):
    policy, file, number, factor, shown = KINDS[kind]
    exam = await given_exam(connection, "small", kind=kind, policy=policy)
    await when_the_department_imports(connection, exam, tmp_path, file, pin_key)
    await release(connection, exam.code, opens_at=MORNING)
    await service.hears_all_changes()
    typed = {"pin": derive_pin(pin_key, "small", number)} if factor == "pin" else factor or {}
    page = await visitor.post("/tra-cuu/diem-thi/small", data={"candidate_number": number} | typed)
    assert page.status_code == 200, page.text
    for text in shown:
        assert text in page.text, text
    answer = await visitor.post("/api/v1/exams/small/results", json={"candidate_number": number} | typed)
    assert answer.status_code == 200


async def when_the_department_imports(connection, exam, folder, file, pin_key):
    path = folder / "ket-qua.csv"
    path.write_text(dedent(file).lstrip(), encoding="utf-8-sig")
    summary = await import_scores(connection, exam, path, options=ImportOptions(), now=utc_now(), pin_key=pin_key)
    assert not summary.error_count, [problem.sentence() for problem in summary.problems]
