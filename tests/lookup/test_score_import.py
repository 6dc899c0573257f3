"""What an import stores, for every kind of exam, and what it does the second time."""

import asyncio
from datetime import date
from decimal import Decimal

import asyncpg
import msgspec
import pytest

from kit.errors import DomainError
from lookup.pins import hash_imported_pin
from lookup.releases import release
from lookup.score_import import ReasonNeeded
from lookup.totals import TotalRule
from server.commands.import_report import print_summary
from tests.exams import given_exam
from tests.lookup.result_files import Files, told

D = Decimal


@pytest.fixture
def files(connection, tmp_path):
    return Files(connection, tmp_path)


async def test_a_graduation_file_is_stored_as_it_stands(connection, files):
    exam = await given_exam(connection)
    summary = await files.send(
        exam,
        "Số báo danh,Toán,Ngữ văn,Ngoại ngữ,Lịch sử,Vật lí,Mã môn ngoại ngữ\n"
        "06000001,8.25,7.5,6,,9,N1\n"
        "06000002,0,,,5.75,,\n"
        "06000003,KT,6,7,,,N4\n",
    )
    assert (summary.rows, summary.new, summary.error_count, summary.warning_count) == (3, 3, 0, 0)
    assert await files.stored(exam) == {
        "06000001": {"toan": D("8.25"), "ngu_van": D("7.5"), "ngoai_ngu/N1": D(6), "vat_li": D(9)},
        "06000002": {"toan": D(0), "lich_su": D("5.75")},
        "06000003": {"toan": "absent", "ngu_van": D(6), "ngoai_ngu/N4": D(7)},
    }


async def test_nothing_becomes_public_by_an_import(connection, files):
    exam = await given_exam(connection)
    await files.send(exam, "SBD,Toán\n06000001,8\n")
    assert await connection.fetchval("select generation from lookup.batches") is None
    assert await connection.fetchval("select count(*) from lookup.releases") == 0


async def test_grade_ten_has_a_specialised_paper_and_the_total_that_its_rule_names(connection, files):
    exam = await given_exam(connection, kind="lop-10")
    summary = await files.send(
        exam,
        "STT;SBD;Họ và tên;Toán;Văn;Anh;Điểm chuyên;Môn chuyên;Tổng điểm;Điểm xét tuyển\n"
        "1;000123;Nguyễn Hoàng Minh;8,25;7,5;9;7,25;Toán;32;41,50\n"
        "2;000124;Trần Thị Hoài An;6;5;4;;;15;15\n",
    )
    assert [(p.code, p.heading) for p in summary.problems] == [("column_not_kept", "Tổng điểm")]
    stored = await files.stored(exam)
    assert stored["000123"] == {
        "toan": D("8.25"), "ngu_van": D("7.5"), "ngoai_ngu/N1": D(9), "chuyen/toan": D("7.25"), "total": D("41.50"),
        "name": "Nguyễn Hoàng Minh",
    }  # fmt: skip
    assert stored["000124"]["total"] == 15


async def test_a_survey_has_its_own_scale(connection, files):
    exam = await given_exam(connection, kind="khao-sat-lop-6")
    summary = await files.send(exam, "SBD,Trắc nghiệm,Tự luận,Tổng điểm\n000001,55.5,32,87.5\n000002,101,32,40\n")
    assert told(summary) == [(3, "score_out_of_range", "")]
    await files.send(exam, "SBD,Trắc nghiệm,Tự luận,Tổng điểm\n000001,55.5,32,87.5\n")
    assert await files.stored(exam) == {"000001": {"trac_nghiem": D("55.5"), "tu_luan": D(32), "total": D("87.5")}}


async def test_a_competition_has_one_paper_a_row_and_a_prize(connection, files):
    exam = await given_exam(connection, kind="hoc-sinh-gioi")
    summary = await files.send(
        exam,
        "STT,SBD,Họ tên,Môn thi,Điểm,Giải\n"
        "1,HSG001,Nguyễn Hoàng Minh,Toán,17.5,Nhất\n"
        "2,HSG002,Trần Thị Hoài An,Hoá,14,KK\n"
        "3,HSG003,Lê Văn Bình,Tiếng Anh,9,\n",
    )
    assert summary.error_count == 0
    assert await files.stored(exam) == {
        "HSG001": {"toan": D("17.5"), "giai": "first_prize", "name": "Nguyễn Hoàng Minh"},
        "HSG002": {"hoa_hoc": D(14), "giai": "consolation_prize", "name": "Trần Thị Hoài An"},
        "HSG003": {"ngoai_ngu/N1": D(9), "name": "Lê Văn Bình"},
    }


async def test_a_vocational_exam_has_grades(connection, files):
    exam = await given_exam(connection, kind="nghe-pho-thong")
    await files.send(exam, "SBD,Lý thuyết,Thực hành,Điểm TB,Xếp loại\n000001,8,9.5,9.1,Giỏi\n000002,V,V,,\n")
    assert await files.stored(exam) == {
        "000001": {"ly_thuyet": D(8), "thuc_hanh": D("9.5"), "total": D("9.1"), "xep_loai": "excellent"},
        "000002": {"ly_thuyet": "absent", "thuc_hanh": "absent"},
    }


async def test_a_dash_for_a_prize_says_that_there_is_none(connection, files):
    exam = await given_exam(connection, kind="hoc-sinh-gioi")
    await files.send(
        exam, "SBD,Môn thi,Điểm,Giải\nHSG001,Toán,9,-\nHSG002,Toán,8,-1\nHSG003,Toán,7,—\nHSG004,Toán,V,Vắng\n"
    )
    assert await files.stored(exam) == {
        "HSG001": {"toan": D(9)},
        "HSG002": {"toan": D(8)},
        "HSG003": {"toan": D(7)},
        "HSG004": {"toan": "absent", "giai": "absent"},
    }


async def test_dashes_for_scores_are_absence_and_told_once_for_each_column(connection, files):
    exam = await given_exam(connection)
    rows = ["06000001,-,8,N1,7", "06000002, - ,-,,-", "06000003,8,—,N2,---", "06000004,-1,KT,,Vắng"]
    summary = await files.send(exam, "SBD,Toán,Ngoại ngữ,Mã ngoại ngữ,Văn\n" + "\n".join(rows) + "\n")
    assert [(p.row, p.sentence()) for p in summary.problems] == [
        (1, "2 cells “-” in Toán were read as absent (Vắng thi)."),
        (1, "2 cells “-” in Ngoại ngữ were read as absent (Vắng thi)."),
        (1, "1 cell “-” in Văn was read as absent (Vắng thi)."),
    ]
    assert (await files.stored(exam))["06000002"] == {"toan": "absent", "ngoai_ngu": "absent", "ngu_van": "absent"}


async def test_a_candidate_without_any_score_is_told(connection, files):
    exam = await given_exam(connection, kind="lop-10")
    summary = await files.send(
        exam, "SBD,Toán,Văn,Điểm xét tuyển\n000001,8,7,15\n000002,,,\n000003,KT,,\n000004,,,9\n000005,abc,,\n"
    )
    assert told(summary) == [(3, "row_without_scores", ""), (6, "score_not_understood", "")]
    summary = await files.send(exam, "SBD,Môn thi,Điểm\n000001,Toán,8\n000002,,\n", reason="x", dry_run=True)
    assert (3, "row_without_scores", "") in told(summary)


async def test_graduation_is_an_outcome(connection, files):
    exam = await given_exam(connection, kind="tot-nghiep")
    await files.send(exam, "SBD,Kết quả,Xếp loại,ĐXTN\n000001,Đỗ,Khá,7.25\n000002,CĐ,,4\n")
    assert await files.stored(exam) == {
        "000001": {"ket_qua": "pass", "xep_loai": "good", "total": D("7.25")},
        "000002": {"ket_qua": "fail", "total": D(4)},
    }


async def test_free_papers_stand_in_one_column(connection, files):
    exam = await given_exam(connection)
    summary = await files.send(
        exam,
        "sbd,toan,extra\n06000001,8,Ngữ văn=7.5; Lý=9\n06000002,,Anh=6;Sử: KT\n06000003,5,\n",
    )
    assert summary.error_count == 0
    assert await files.stored(exam) == {
        "06000001": {"toan": D(8), "ngu_van": D("7.5"), "vat_li": D(9)},
        "06000002": {"ngoai_ngu/N1": D(6), "lich_su": "absent"},
        "06000003": {"toan": D(5)},
    }


async def test_the_same_file_again_changes_nothing(connection, files):
    exam = await given_exam(connection)
    text = "SBD,Toán,Văn\n06000001,8,7\n06000002,KT,5\n"
    await files.send(exam, text)
    again = await files.send(exam, text)
    assert (again.new, again.changed, again.unchanged, again.batch_id) == (0, 0, 2, None)
    assert await connection.fetchval("select count(*) from lookup.batches") == 1


async def test_a_corrected_file_makes_a_new_version_of_just_the_changed_results(connection, files):
    exam = await given_exam(connection)
    await files.send(exam, "SBD,Toán\n06000001,8\n06000002,5\n")
    summary = await files.send(exam, "SBD,Toán\n06000001,8\n06000002,5.5\n06000003,9\n", reason="Phúc khảo")
    assert (summary.new, summary.changed, summary.unchanged) == (1, 1, 1)
    assert await files.versions(exam) == [
        ("06000001", 1, None),
        ("06000002", 1, None),
        ("06000002", 2, "Phúc khảo"),
        ("06000003", 1, "Phúc khảo"),
    ]
    assert (await files.stored(exam))["06000002"] == {"toan": D("5.5")}


async def test_a_change_of_what_is_on_record_needs_a_reason(connection, files):
    exam = await given_exam(connection)
    await files.send(exam, "SBD,Toán\n06000001,8\n")
    with pytest.raises(ReasonNeeded) as refused:
        await files.send(exam, "SBD,Toán\n06000001,9\n", reason="  ")
    assert isinstance(refused.value, DomainError)
    assert refused.value.facts == {"exam": exam.code, "new": 0, "changed": 1}
    assert await files.stored(exam) == {"06000001": {"toan": D(8)}}


async def test_adding_candidates_needs_a_reason_only_when_results_were_released(connection, files):
    exam = await given_exam(connection)
    await files.send(exam, "SBD,Toán\n06000001,8\n")
    assert (await files.send(exam, "SBD,Toán\n06000002,9\n")).new == 1
    await release(connection, exam.code)
    assert (await files.send(exam, "SBD,Toán\n06000003,9\n", dry_run=True)).needs_reason
    with pytest.raises(ReasonNeeded):
        await files.send(exam, "SBD,Toán\n06000003,9\n")
    assert (await files.send(exam, "SBD,Toán\n06000003,9\n", reason="Bổ sung")).new == 1


async def test_a_dry_run_tells_that_the_real_import_needs_a_reason(connection, files, capsys):
    exam = await given_exam(connection)
    await files.send(exam, "SBD,Toán\n06000001,8\n")
    for text, reason, expected in [
        ("SBD,Toán\n06000001,9\n", None, True),
        ("SBD,Toán\n06000001,9\n", "Phúc khảo", False),
        ("SBD,Toán\n06000001,8\n", None, False),
    ]:
        print_summary(await files.send(exam, text, dry_run=True, reason=reason))
        assert ("The real import needs --reason." in capsys.readouterr().out) == expected


async def test_a_file_that_changes_most_results_may_be_shifted(connection, files):
    exam = await given_exam(connection)
    text = "SBD,Toán\n" + "".join(f"060000{i:02d},{i % 10}\n" for i in range(30))
    await files.send(exam, text)
    shifted = "SBD,Toán\n" + "".join(f"060000{i:02d},{(i + 1) % 10}\n" for i in range(30))
    summary = await files.send(exam, shifted, dry_run=True)
    assert [p.sentence() for p in summary.problems] == [
        "30 of 30 results on record would change: are the rows shifted?"
    ]
    a_few = "SBD,Toán\n" + "".join(f"060000{i:02d},{(i + 1) % 10}\n" for i in range(15))
    assert told(await files.send(exam, a_few, dry_run=True)) == []


async def test_a_dry_run_tells_all_and_stores_nothing(connection, files):
    exam = await given_exam(connection)
    summary = await files.send(exam, "SBD,Toán\n06000001,8\n", dry_run=True)
    assert (summary.new, summary.batch_id) == (1, None)
    await files.send(exam, "SBD,Toán\n06000001,8\n")
    summary = await files.send(exam, "SBD,Toán\n06000001,9\n06000002,1\n", dry_run=True)
    assert (summary.new, summary.changed) == (1, 1)
    assert await files.stored(exam) == {"06000001": {"toan": D(8)}}


async def test_any_error_keeps_the_whole_file_out(connection, files):
    exam = await given_exam(connection)
    summary = await files.send(exam, "SBD,Toán\n06000001,8\n06000002,11\n")
    assert summary.error_count == 1
    assert await files.stored(exam) == {}
    assert await connection.fetchval("select count(*) from lookup.batches") == 0


async def test_candidates_whom_a_file_does_not_name_stay(connection, files):
    exam = await given_exam(connection)
    await files.send(exam, "SBD,Toán\n06000001,8\n06000002,5\n")
    await files.send(exam, "SBD,Toán\n06000002,6\n", reason="Phúc khảo")
    assert await files.stored(exam) == {"06000001": {"toan": D(8)}, "06000002": {"toan": D(6)}}


async def test_a_file_without_a_column_never_takes_scores_away(connection, files):
    exam = await given_exam(connection, kind="lop-10")
    await files.send(exam, "SBD,Toán,Văn,Điểm xét tuyển\n000001,8,7,15\n000002,8,,\n")
    summary = await files.send(exam, "SBD,Toán\n000001,9\n", reason="Phúc khảo")
    assert [(p.code, p.fault.facts) for p in summary.problems] == [
        ("columns_missing", {"subject": "Ngữ văn", "count": 1}),
        ("columns_missing", {"subject": "Điểm xét tuyển", "count": 1}),
    ]
    assert (await files.stored(exam))["000001"]["toan"] == 8
    # An empty cell says that the score is to go; a candidate who has none loses none.
    assert (await files.send(exam, "SBD,Toán\n000002,9\n", reason="Phúc khảo")).changed == 1


async def test_names_birth_dates_and_pins_stay_when_a_file_has_scores_only(connection, files):
    exam = await given_exam(connection, policy="pin")
    await files.send(exam, "SBD,Họ tên,Ngày sinh,PIN,Toán\n06000001,Lê An,1/2/2008,ABCDE12345,8\n")
    await files.send(exam, "SBD,Toán\n06000001,9\n", reason="Phúc khảo")
    assert await files.stored(exam) == {"06000001": {"toan": D(9), "name": "Lê An", "birth_date": date(2008, 2, 1)}}
    assert await connection.fetchval("select count(*) from lookup.results where pin_hash is null") == 0


async def test_a_total_is_compared_with_what_the_papers_add_up_to(connection, files):
    exam = await given_exam(connection, kind="lop-10")
    rule = TotalRule("Điểm xét tuyển", "Admission score", 2, {"toan": D(2), "ngu_van": D(2), "ngoai_ngu": D(1)})
    exam = msgspec.structs.replace(exam, total_rule=rule)
    summary = await files.send(
        exam, "SBD,Toán,Văn,Anh,Điểm xét tuyển\n000001,8,7,9,39\n000002,8,7,9,40\n000003,8,7,9,\n000004,8,KT,9,\n"
    )
    assert told(summary) == [(3, "total_differs", "")]
    totals = {number: result.get("total") for number, result in (await files.stored(exam)).items()}
    assert totals == {"000001": 39, "000002": 40, "000003": 39, "000004": None}
    await files.send(exam, "SBD,Toán,Văn,Anh\n000001,9,7,9\n", reason="Phúc khảo")
    assert (await files.stored(exam))["000001"]["total"] == 41


async def test_a_birth_date_exam_needs_the_birth_date_of_everybody(connection, files):
    exam = await given_exam(connection, policy="birth-date")
    assert told(await files.send(exam, "SBD,Toán\n06000001,8\n")) == [(1, "birth_date_column_missing", "")]
    summary = await files.send(exam, "SBD,Ngày sinh,Toán\n06000001,1/2/2008,8\n06000002,,8\n06000003,2008,8\n")
    assert told(summary) == [(3, "birth_date_missing", ""), (4, "birth_date_incomplete", "")]


async def test_elsewhere_a_bad_birth_date_is_told_and_left_out(connection, files):
    exam = await given_exam(connection)
    summary = await files.send(exam, "SBD,Ngày sinh,Toán\n06000001,2008,8\n06000002,1/2/2008,8\n")
    assert (told(summary), summary.error_count) == ([(2, "birth_date_not_kept", "")], 0)
    assert (await files.stored(exam))["06000002"]["birth_date"] == date(2008, 2, 1)


async def test_imported_pins_are_kept_as_keyed_hashes_only(connection, files):
    exam = await given_exam(connection, policy="pin")
    await files.send(exam, "SBD,Mã tra cứu,Toán\n06000001,abcde-12345,8\n06000002,,7\n")
    hashes = dict(await connection.fetch("select candidate_number, pin_hash from lookup.results"))
    assert hashes == {
        "06000001": hash_imported_pin(b"k" * 32, exam.code, "06000001", "ABCDE12345"),
        "06000002": None,
    }


async def test_a_short_pin_is_worth_no_more_than_a_birth_date_and_refused_unless_told(connection, files):
    exam = await given_exam(connection, policy="pin")
    text = "SBD,PIN,Toán\n06000001,1234,8\n"
    assert told(await files.send(exam, text)) == [(2, "pin_weak", "")]
    assert (await files.send(exam, text, weak_pins=True)).new == 1


async def test_pins_of_an_exam_that_needs_none_are_not_kept(connection, files):
    exam = await given_exam(connection)
    summary = await files.send(exam, "SBD,PIN,Toán\n06000001,1234,8\n")
    assert [(p.code, p.heading) for p in summary.problems] == [("column_not_kept", "PIN")]
    assert await connection.fetchval("select pin_hash from lookup.results") is None


async def test_two_imports_of_one_exam_come_one_after_the_other(connection, database, tmp_path):
    exam = await given_exam(connection)
    other = await asyncpg.connect(database.url)
    folders = [tmp_path / name for name in ("a", "b")]
    for folder in folders:
        folder.mkdir()
    text = "SBD,Toán\n" + "".join(f"{i:08d},8\n" for i in range(1, 3000))
    try:
        summaries = await asyncio.gather(
            Files(connection, folders[0]).send(exam, text), Files(other, folders[1]).send(exam, text)
        )
    finally:
        await other.close()
    assert sorted(summary.new for summary in summaries) == [0, 2999]
    assert await connection.fetchval("select max(version) from lookup.results") == 1


async def test_the_progress_of_a_long_file_is_told(connection, files, tmp_path):
    exam = await given_exam(connection)
    path = tmp_path / "big.csv"
    path.write_text("SBD,Toán\n" + "".join(f"{i:08d},8\n" for i in range(12_000)))
    steps = []
    await files.send_path(exam, path, progress=lambda *step: steps.append(step))
    assert steps[-1] == (path.stat().st_size, path.stat().st_size, 12_000)
    assert len(steps) > 1
    assert steps == sorted(steps)
