"""`baodanh audit` as an operator meets it."""

import asyncio
import os
import sys

import asyncpg
import msgspec
import pytest

from tests.units.record.writing import given_entries, sealed, superuser
from units.record.heads import ExportedHead, export_head


@pytest.fixture
def baodanh(settings):
    """Runs `baodanh audit ...` against the test's database: (exit code, what it said, what it complained of)."""
    environ = os.environ | {
        "STATE_DIR": str(settings.state_dir),
        "DATABASE_URL": settings.database_url,
        "DATABASE_OWNER_URL": settings.database_owner_url,
        "REDIS_URL": settings.redis_url,
    }

    async def run(*arguments: str, **other: str) -> tuple[int, str, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "server", "audit", *arguments, env=environ | other, stdout=-1, stderr=-1
        )
        said, complained = await process.communicate()
        assert b"Traceback" not in complained, complained
        return process.returncode or 0, said.decode(), complained.decode()

    return run


async def test_a_record_that_is_well_says_how_much_and_where_it_ends(baodanh, connection, settings):
    await given_entries(connection, 3)
    await sealed(connection)
    head = await export_head(connection, settings.state_dir)
    code, said, _ = await baodanh("verify")
    assert code == 0, said
    assert "3 entries in 1 batches" in said
    assert head
    assert f"number 3, root {head.root}; 1 exported heads met" in said
    assert await connection.fetchval("select finding_count from units.record_checks") == 0
    assert (await baodanh("heads"))[1] == msgspec.json.encode(head).decode() + "\n"


async def test_one_changed_byte_is_named_and_ends_with_1(baodanh, connection, postgres, database):
    await given_entries(connection, 3)
    await sealed(connection)
    tamperer = await superuser(postgres, database)
    await tamperer.execute("update units.record_entries set object_id = 'thi-2' where object_id = 'thi-1'")
    await tamperer.close()
    code, said, _ = await baodanh("verify")
    assert code == 1
    assert said.startswith("Number 2 (20")
    assert "is not as it was written" in said
    assert await connection.fetchval("select first_number from units.record_checks") == 2


async def test_a_record_that_was_cut_off_is_found_by_a_file_of_heads(baodanh, connection, postgres, database, tmp_path):
    await given_entries(connection, 2)
    await sealed(connection)
    (tmp_path / "elsewhere").mkdir()
    await export_head(connection, tmp_path / "elsewhere")
    tamperer = await superuser(postgres, database)
    await tamperer.execute("truncate units.record_entries, units.record_chain, units.record_batches")
    await tamperer.close()
    assert (await baodanh("verify"))[0] == 0
    code, said, _ = await baodanh("verify", "--heads", str(tmp_path / "elsewhere" / "record-heads.jsonl"))
    assert code == 1
    assert said.startswith("Number 2")
    assert "cut off" in said


async def test_a_forgotten_transaction_is_named(baodanh, connection, database):
    other = await asyncpg.connect(database.url)
    transaction = other.transaction()
    await transaction.start()
    await given_entries(other, 1)
    await given_entries(connection, 1)
    code, said, _ = await baodanh("verify")
    assert code == 0
    assert "entries wait for transactions that have not ended" in said
    assert f"process {other.get_server_pid()} in the database" in said
    await transaction.rollback()
    await other.close()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("verify", "--since", "gestern"), "write a day or a moment"),
        (("verify", "--heads", "/nowhere"), "There is no file /nowhere"),
        (("drop-segment", "2025-1", "--reason", "x"), "write the month as 2026-01"),
        (("drop-segment", "2025-01", "--reason", "x"), "no entries of that month"),
    ],
)
async def test_what_cannot_be_done_is_said_in_one_sentence(baodanh, arguments, sentence):
    code, _, complained = await baodanh(*arguments)
    assert code == 1
    assert sentence in complained


async def test_a_heads_file_that_was_changed_is_named(baodanh, settings):
    (settings.state_dir / "record-heads.jsonl").write_text("{}\n")
    code, _, complained = await baodanh("verify")
    assert (code, "line 1 is no head" in complained) == (1, True)


async def test_an_old_month_is_dropped_by_the_owner_alone_and_from_a_record_that_is_well(
    baodanh, connection, settings, postgres, database
):
    await connection.execute(
        "insert into units.record_entries (at, through, action, object_kind, object_id, details)"
        " values ('2020-02-10', 'web', 'exam.added', 'exam', 'thi', '{}')"
    )
    await sealed(connection)
    drop = ("drop-segment", "2020-02", "--reason", "hết hạn lưu")
    code, _, complained = await baodanh(*drop, DATABASE_OWNER_URL=settings.database_url)
    assert (code, "set DATABASE_OWNER_URL" in complained) == (1, True)
    tamperer = await superuser(postgres, database)
    await tamperer.execute("update units.record_entries set action = 'x'")
    assert "Nothing was dropped" in (await baodanh(*drop))[2]
    await tamperer.execute("update units.record_entries set action = 'exam.added'")
    await tamperer.close()
    code, said, complained = await baodanh(*drop)
    assert code == 0, complained
    assert "1 entries of 2020-02 are in" in said
    assert (settings.state_dir / "record-2020-02.jsonl.gz").exists()
    await sealed(connection)
    code, said, _ = await baodanh("verify")
    assert (code, "2 entries in 2 batches, 1 of them in months that were dropped" in said) == (0, True)
    assert msgspec.json.decode((await baodanh("heads"))[1], type=ExportedHead).number == 2
