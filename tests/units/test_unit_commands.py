"""`baodanh unit` as an operator meets it."""

import pytest

from tests.officers import given_unit
from tests.server.test_commands import baodanh  # noqa: F401
from units.units import list_units

BY = ("--decision", "12/QĐ-UBND", "--on", "2026-06-01")


def school(code, **facts):
    facts = {"kind": "primary", "name": f"Trường {code}"} | facts
    return (
        "unit",
        "add",
        code,
        *(part for name, value in facts.items() for part in (f"--{name.replace('_', '-')}", value)),
    )


@pytest.fixture
async def two_schools(baodanh):  # noqa: F811
    for code in ("th-a", "th-b"):
        assert (await baodanh(*school(code)))[0] == 0


@pytest.fixture
async def two_schools_already(connection):
    """The same two without the command line, which takes half a second for each."""
    for code in ("th-a", "th-b"):
        await given_unit(connection, code, kind="primary", short_name=f"Trường {code}")


async def test_units_change_by_decision_and_their_history_can_be_read(baodanh, two_schools):  # noqa: F811
    for arguments in (
        ("rename", "th-a", "Trường Lê Quý Đôn", "--short-name", "TH", *BY),
        ("move", "th-a", "--commune-code", "99001", *BY),
        ("merge", "th-a", "--into", "th-b", *BY),
        ("close", "th-b", *BY),
    ):
        code, _, complained = await baodanh("unit", *arguments)
        assert code == 0, complained
    _, told, _ = await baodanh("unit", "history", "th-a")
    assert told.splitlines() == [
        "-\t-\tth-a\tadded\tTrường th-a",
        "2026-06-01\t12/QĐ-UBND\tth-a\trenamed\tname: Trường th-a -> Trường Lê Quý Đôn; short_name: Trường th-a -> TH",
        "2026-06-01\t12/QĐ-UBND\tth-a\tmoved\tcommune_code: - -> 99001; province_code: - -> 99",
        "2026-06-01\t12/QĐ-UBND\tth-a\tmerged\tinto th-b",
    ]
    _, found, _ = await baodanh("unit", "find", "truong", "th-a")
    assert found == "th-a\tth-b\tTrường Lê Quý Đôn\tformerly Trường th-a; closed 2026-06-01\n"
    _, listed, _ = await baodanh("unit", "list")
    assert [line.split("\t")[0] for line in listed.splitlines()] == ["so"]
    _, listed, _ = await baodanh("unit", "list", "--closed")
    assert [line.split("\t")[0] for line in listed.splitlines()] == ["so", "th-a", "th-b"]


async def test_what_is_done_on_the_command_line_stands_on_the_record(baodanh, two_schools, connection):  # noqa: F811
    assert (await baodanh("unit", "describe", "th-a", "--hotline", "1900 0000"))[0] == 0
    rows = await connection.fetch("select through, action, object_id from units.record_entries order by id")
    assert [tuple(row) for row in rows] == [
        ("command", "unit.added", "th-a"), ("command", "unit.added", "th-b"), ("command", "unit.described", "th-a")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("rename", "nobody", "X", *BY), "There is no unit 'nobody'"),
        (("rename", "th-a", "Trường th-a", *BY), "nothing would change"),
        (("rename", "th-a", "X", "--decision", "1/QĐ", "--on", "2999-01-01"), "lies in the future"),
        (("rename", "th-a", "X", "--decision", "", "--on", "2026-06-01"), "needs the number of the decision"),
        (("move", "th-a", "--managed-by", "th-a", *BY), "come below itself"),
        (("move", "th-a", "--commune-code", "99999", *BY), "There is no province or commune '99999'"),
        (("move", "th-a", "--province-code", "79", "--commune-code", "00070", *BY), "does not lie in province '79'"),
        (("merge", "so", "--into", "th-a", *BY), "the root unit has no manager"),
        (("merge", "--into", "th-a", *BY), "a merger needs units that end"),
        (("close", "so", *BY), "neither merged nor closed"),
        (("describe", "th-a", "--name", "X"), "baodanh unit rename"),
        (("describe", "th-a", "--website", "javascript:alert(1)"), "a website begins with https://"),
        (("history", "nobody"), "There is no unit 'nobody'"),
        (("add", "x", "--kind", "primary", "--name", "X", "--decision", "1/QĐ"), "give --decision and --on"),
        (("import", "missing.csv"), "There is no file missing.csv"),
    ],
)
async def test_what_cannot_be_done_is_said_in_one_sentence(baodanh, two_schools_already, arguments, sentence):  # noqa: F811
    code, _, complained = await baodanh("unit", *arguments)
    assert code == 1
    assert sentence in " ".join(complained.split())


async def test_a_file_of_units_is_told_row_by_row_and_cannot_command_the_terminal(baodanh, connection, tmp_path):  # noqa: F811
    file = tmp_path / "don-vi.csv"
    file.write_text("Mã,Loại,Tên,Trực thuộc\nx,THPT,X\x1b]0;hacked\x07,so\ny,Đại\x1b học,Y,so\n", encoding="utf-8")
    code, said, _ = await baodanh("unit", "import", str(file))
    assert code == 1
    assert "error: row 3, Loại:" in said
    assert said.endswith("don-vi.csv: 2 rows read, 1 errors. Nothing was stored.\n")
    file.write_text("Mã,Loại,Tên,Trực thuộc\nx,THPT,X\x1b]0;hacked\x07,so\n", encoding="utf-8")
    assert (await baodanh("unit", "import", str(file), "--dry-run"))[1].endswith("Dry run: nothing was stored.\n")
    code, said, _ = await baodanh("unit", "import", str(file))
    assert (code, len(await list_units(connection))) == (0, 2)
    assert said.endswith("1 rows read, 1 new, 0 changed, 0 unchanged. Stored.\n")
    for arguments in (("list",), ("find", "x"), ("history", "x")):
        _, said, _ = await baodanh("unit", *arguments)
        assert "X" in said
        assert "\x1b" not in said
