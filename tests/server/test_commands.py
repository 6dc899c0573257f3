"""The command line as an operator meets it: what it does, what it says, and that it never ends in a traceback."""

import asyncio
import os
import sys

import pytest

from lookup.exam_kinds import exam_kinds
from lookup.exams import find_exam, list_exams
from tests.exams import given_exam, given_results, paper_of
from tests.officers import given_officer
from tests.people import MINH


@pytest.fixture
def baodanh(settings):
    """Runs `baodanh ...` against the test's database: (exit code, what it said, what it complained of)."""
    environ = os.environ | {
        "STATE_DIR": str(settings.state_dir),
        "DATABASE_URL": settings.database_url,
        "DATABASE_OWNER_URL": settings.database_owner_url,
        "REDIS_URL": settings.redis_url,
    }

    async def run(*arguments: str) -> tuple[int, str, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "server", *arguments, env=environ, stdout=-1, stderr=-1
        )
        said, complained = await process.communicate()
        assert b"Traceback" not in complained
        return process.returncode, said.decode(), complained.decode()

    return run


ADD = ("exam", "add", "thi-thu", "--name", "Kỳ thi thử", "--year", "2026", "--policy", "public")


async def test_an_exam_of_every_kind_can_be_set_up_by_its_code_alone(baodanh, connection):
    for kind in exam_kinds():
        code, _, complained = await baodanh("exam", "add", kind, *ADD[3:], "--kind", kind)
        assert code == 0, complained
    assert {exam.kind for exam in await list_exams(connection)} == set(exam_kinds())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("exam", "add", "Thi Thử", *ADD[3:]), "small letters, digits and hyphens"),
        ((*ADD[:4], " ", *ADD[5:]), "it has a name"),
        ((*ADD, "--show-name"), "policy public never shows"),
        ((*ADD, "--kind", "lop-11"), "There is no kind of exam 'lop-11'"),
        ((*ADD, "--unit", "nobody"), "There is no unit 'nobody'"),
        ((*ADD, "--number-format", "[0-9]+"), "is not a number format"),
        ((*ADD, "--announced", "tomorrow"), "is not a time"),
        ((*ADD, "--regrade-from", "2026-07-11", "--regrade-to", "2026-07-02"), "cannot end on 2026-07-02"),
        (("scores", "release", "nowhere"), "There is no exam 'nowhere'"),
        (("scores", "release", "nowhere", "--at", "2020-01-01"), "is past"),
        (("scores", "import", "missing.csv", "--exam", "nowhere"), "There is no exam 'nowhere'"),
        (("exam", "remove", "nowhere"), "There is no exam 'nowhere'"),
        (("unit", "add", "x", "--kind", "school", "--name", "X"), "its kind is one of"),
        (
            ("unit", "add", "so", "--kind", "department", "--name", "X", "--managed-by", "none"),
            "There is a unit 'so' already",
        ),
        (("unit", "add", "x", "--kind", "commune", "--name", "X", "--commune-code", "1"), "five digits"),
        (("unit", "describe", "nobody", "--name", "X"), "There is no unit 'nobody'"),
    ],
)
async def test_what_cannot_be_done_is_said_in_one_sentence(baodanh, arguments, sentence):
    code, _, complained = await baodanh(*arguments)
    assert code == 1
    assert sentence in " ".join(complained.split())


async def test_an_exam_set_up_by_mistake_can_be_described_anew_or_removed(baodanh, connection):
    assert (await baodanh(*ADD))[0] == 0
    assert (await baodanh("exam", "describe", "thi-thu", "--name", "Kỳ thi thử lớp 12", "--regrade-fee", "0"))[0] == 0
    exam = await find_exam(connection, "thi-thu")
    assert (exam.name, exam.regrade.fee) == ("Kỳ thi thử lớp 12", "0")
    await given_results(connection, exam, [paper_of(MINH)])
    assert (await baodanh("exam", "remove", "thi-thu"))[0] == 0
    assert await list_exams(connection) == []


async def test_an_exam_that_was_public_is_withdrawn_and_not_removed(baodanh, connection):
    exam = await given_exam(connection)
    await given_results(connection, exam, [paper_of(MINH)])
    assert (await baodanh("scores", "release", exam.code))[0] == 0
    code, _, complained = await baodanh("exam", "remove", exam.code)
    assert code == 1
    assert "scores withdraw" in complained


async def test_a_node_that_fell_silent_is_named_and_not_taken_for_gone(baodanh, connection):
    exam = await given_exam(connection)
    await given_results(connection, exam, [paper_of(MINH)])
    await connection.execute(
        "insert into units.nodes (name, applied_change, seen_at)"
        " values ('tinh-2/1', 0, clock_timestamp() - interval '60 s')"
    )
    for command in ("release", "withdraw"):
        code, _, complained = await baodanh("scores", command, exam.code)
        assert code == 1
        assert "tinh-2/1" in complained


async def test_a_file_cannot_command_the_terminal(baodanh, connection, tmp_path):
    await given_exam(connection)
    file = tmp_path / "diem.csv"
    file.write_text("SBD,Toán\n99000001,8\x1b]0;hacked\x07\n", encoding="utf-8")
    code, said, _ = await baodanh("scores", "import", str(file), "--exam", "thpt-2026")
    assert code == 1
    assert "row 2, Toán" in said
    assert "\x1b" not in said
    assert "\x07" not in said


async def test_lookup_codes_are_written_for_us_alone_and_over_nothing(baodanh, connection, tmp_path):
    exam = await given_exam(connection, policy="pin")
    await given_results(connection, exam, [paper_of(MINH)])
    out = tmp_path / "ma-tra-cuu.csv"
    assert (await baodanh("scores", "pins", exam.code, str(out)))[0] == 0
    assert out.stat().st_mode & 0o077 == 0
    assert MINH.number in out.read_text(encoding="utf-8-sig")
    told = "select unit_code, object_id, details->>'rows' from units.record_entries where action = 'exam.pins_exported'"
    assert tuple(await connection.fetchrow(told)) == (exam.unit.code, exam.code, "1")
    assert (await baodanh("scores", "pins", exam.code, str(out)))[0] == 1


async def test_lists_are_one_item_a_line_with_the_code_first(baodanh, connection):
    await given_exam(connection, "b")
    await given_exam(connection, "a")
    _, exams, _ = await baodanh("exam", "list")
    assert [line.split("\t")[0] for line in exams.splitlines()] == ["a", "b"]
    _, units, _ = await baodanh("unit", "list")
    assert [line.split("\t")[0] for line in units.splitlines()] == ["so"]


async def test_only_keys_that_exist_are_rotated(baodanh, settings):
    assert (await baodanh("key", "rotate", "pin"))[0] == 0
    assert (await baodanh("key", "rotate", "nope"))[0] != 0
    assert not list(settings.keys_folder.glob("nope*"))


async def given_results_to_release(connection):
    exam = await given_exam(connection)
    await given_results(connection, exam, [paper_of(MINH)])
    return exam


async def test_without_officers_a_release_says_that_nobody_approved_it(baodanh, connection):
    exam = await given_results_to_release(connection)
    code, said, _ = await baodanh("scores", "release", exam.code)
    assert (code, "No officers are set up" in said) == (0, True)


async def test_with_officers_a_release_waits_for_one_and_names_who_and_where(baodanh, connection):
    exam = await given_results_to_release(connection)
    approver = await given_officer(connection, "hung", ("so", "approver"))
    code, said, _ = await baodanh("scores", "release", exam.code, "--at", "2099-07-01T08:00")
    approval = await connection.fetchrow("select id::text, handed_in_by, takes_effect_at from units.approvals")
    assert (code, approver.email in said, f"/can-bo/phe-duyet/{approval['id']}" in said) == (0, True, True)
    assert (approval["handed_in_by"], approval["takes_effect_at"].year) == (None, 2099)
    assert await connection.fetchval("select count(*) from lookup.releases") == 0
    again, _, complained = await baodanh("scores", "release", exam.code)
    assert (again, "waits for approval already" in complained) == (1, True)


async def test_an_emergency_waits_for_nobody_stays_on_the_record_and_is_told(baodanh, connection):
    exam = await given_results_to_release(connection)
    approver = await given_officer(connection, "hung", ("so", "approver"))
    code, said, _ = await baodanh("scores", "release", exam.code, "--emergency", "Máy chủ của trường hỏng")
    assert (code, "approvers told by mail: 1" in said) == (0, True)
    assert await connection.fetchval("select emergency_reason from lookup.releases") == "Máy chủ của trường hỏng"
    told = await connection.fetchval("select details from units.record_entries where action = 'exam.released'")
    assert "Máy chủ của trường hỏng" in told
    assert await connection.fetchval("select recipient from kit.mails") == approver.email


async def test_what_the_command_line_does_stands_on_the_record(baodanh, connection, tmp_path):
    file = tmp_path / "diem.csv"
    file.write_text("SBD,Toán\n99000001,8\n", encoding="utf-8")
    for arguments in (
        ADD,
        ("exam", "describe", "thi-thu", "--name", "Kỳ thi thử lớp 12"),
        ("scores", "import", str(file), "--exam", "thi-thu"),
        ("scores", "release", "thi-thu"),
        ("scores", "withdraw", "thi-thu"),
        (*ADD[:2], "nham", *ADD[3:]),
        ("exam", "remove", "nham"),
    ):
        assert (await baodanh(*arguments))[0] == 0, arguments
    entries = "select action, through from units.record_entries where object_kind = 'exam' order by id"
    told = await connection.fetch(entries)
    assert {row["through"] for row in told} == {"command"}
    assert [row["action"] for row in told] == [
        "exam.added", "exam.described", "exam.uploaded", "exam.released", "exam.withdrawn", "exam.added",
        "exam.removed",
    ]  # fmt: skip
