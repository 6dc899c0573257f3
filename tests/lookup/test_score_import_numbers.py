"""How candidate numbers arrive, and which of them can be put right."""

from decimal import Decimal

from lookup.candidate_number import CandidateNumberFormat
from tests.lookup.result_files import told

D = Decimal


async def test_numbers_that_lost_their_zeros_are_refused_with_the_fix_named(exam, files):
    text = "SBD,Toán\n6000001,8\n36000001,7\n"
    summary = await files.send(exam, text)
    assert told(summary) == [(2, "number_lost_zeros", "06000001")]
    assert "--pad-number 8" in summary.problems[0].sentence()
    summary = await files.send(exam, text, pad_number=8)
    assert (summary.error_count, summary.padded_numbers) == (0, 1)
    assert set(await files.stored(exam)) == {"06000001", "36000001"}


async def test_a_workbook_that_took_numbers_for_numbers_is_recognised_too(exam, files):
    rows = [["SBD", "Toán", "Văn"], [6000001, 8.25, "7,5"], ["06000002", 8, -1]]
    assert told(await files.send_workbook(exam, rows)) == [(2, "number_lost_zeros", "06000001")]
    await files.send_workbook(exam, rows, pad_number=8)
    assert await files.stored(exam) == {
        "06000001": {"toan": D("8.25"), "ngu_van": D("7.5")},
        "06000002": {"toan": D(8), "ngu_van": "absent"},
    }


async def test_a_number_in_scientific_notation_cannot_be_repaired(exam, files):
    for number in ("1.23E+07", '"1,23E+07"', "6E+06"):
        summary = await files.send(exam, f"SBD,Toán\n{number},8\n", pad_number=8)
        assert told(summary) == [(2, "number_scientific", "")]
        assert "Format the column as text" in summary.problems[0].sentence()


async def test_harmless_signs_in_a_number_are_forgiven(exam, files):
    await files.send(exam, "SBD,Toán\n 06 000 001 ,8\n06.000.002,7\n'06000003,6\n06000004.0,5\n０６０００００５,4\n")
    assert sorted(await files.stored(exam)) == ["06000001", "06000002", "06000003", "06000004", "06000005"]


async def test_a_number_of_another_form_is_told_with_an_example(exam, files):
    summary = await files.send(exam, "SBD,Toán\nABC,8\n123456789,8\n,8\n")
    assert told(summary) == [(2, "number_malformed", ""), (3, "number_malformed", ""), (4, "number_missing", "")]
    assert CandidateNumberFormat(exam.number_format).example in summary.problems[0].sentence()


async def test_a_number_that_still_begins_with_zero_has_lost_something_else(exam, files):
    text = "SBD,Toán\n0600001,8\n123456,8\n06000003,7\n"
    for options in ({}, {"pad_number": 8}):
        summary = await files.send(exam, text, **options)
        assert (2, "digits_missing", "") in told(summary)
        assert "--pad-number" not in " ".join(problem.sentence() for problem in summary.problems)
    assert await files.stored(exam) == {}


async def test_the_file_of_another_exam_is_recognised_by_its_numbers(exam, files):
    summary = await files.send(exam, "SBD,Toán\n" + "".join(f"{i},8\n" for i in range(990001, 990031)))
    first = summary.problems[0]
    assert (first.row, first.code) == (None, "numbers_of_other_length")
    assert first.sentence() == ("30 of 30 candidate numbers have 6 digits, this exam's have 8: is this the right exam?")
    assert "--pad-number" not in " ".join(problem.sentence() for problem in summary.problems)
    nearly = "SBD,Toán\n06000001,8\n" + "".join(f"HSG{i},8\n" for i in range(101, 131))
    assert (await files.send(exam, nearly)).problems[0].sentence() == (
        "30 of 31 candidate numbers look like “HSG101”, this exam's like 01234567: is this the right exam?"
    )
    half = "SBD,Toán\n" + "".join(f"{i},8\n060000{i % 100:02d},8\n" for i in range(990001, 990031))
    assert (await files.send(exam, half)).problems[0].code == "digits_missing"


async def test_numbers_that_all_lost_a_zero_are_not_another_exam(exam, files):
    summary = await files.send(exam, "SBD,Toán\n" + "".join(f"{i},8\n" for i in range(6000001, 6000031)))
    assert summary.counts == {"number_lost_zeros": 30}


async def test_a_candidate_who_stands_there_twice_is_named_with_every_row(exam, files):
    summary = await files.send(exam, "SBD,Toán\n06000001,8\n06000002,7\n06 000001,8\n06000001,99\n")
    twins = [problem for problem in summary.problems if problem.code == "number_twice"]
    assert [(problem.row, problem.heading, problem.cell) for problem in twins] == [(2, "SBD", "06000001")]
    assert "rows 2, 4, 5. Keep one" in twins[0].sentence()
    assert summary.error_count == 2
