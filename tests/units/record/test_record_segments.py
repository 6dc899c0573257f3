"""Months of the record: there before they are needed, dropped as a whole, and the rest can still be checked."""

import gzip
import hashlib
import struct
from datetime import UTC, datetime

import asyncpg
import msgspec
import pytest

from tests.units.record.writing import given_entries, problems, sealed, superuser
from units.record.chores import make_room
from units.record.entries import COMMAND
from units.record.heads import export_head, read_heads
from units.record.segments import SegmentRefused, drop_segment, make_segments, month_bounds

NOW = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.fixture
async def owner(database):
    connection = await asyncpg.connect(database.owner_url)
    yield connection
    await connection.close()


@pytest.fixture
async def old(owner, connection):
    """Entries of three months of long ago and of now, all chained: numbers 3 to 6 are of February 2025."""
    await owner.execute(
        "create table units.record_entries_2025_02 partition of units.record_entries"
        " for values from ('2025-02-01 00:00+07') to ('2025-03-01 00:00+07')"
    )
    for at in (
        "2025-01-31 23:59:58+07", "2025-01-31 23:59:59.999999+07", "2025-02-01 00:00+07", "2025-02-14 10:00+07",
        "2025-02-14 10:00+07", "2025-02-28 23:59:59.999999+07", "2025-03-01 00:00+07",
    ):  # fmt: skip
        await connection.execute(
            "insert into units.record_entries (at, through, unit_code, action, object_kind, object_id, details)"
            " values ($1::text::timestamptz, 'web', 'so', 'exam.added', 'exam', 'thi', '{}')", at
        )  # fmt: skip
    await given_entries(connection, 2)
    await sealed(connection)
    return connection


async def drop(owner, folder, month="2025-02", *, reason="hết hạn lưu", now=NOW):
    return await drop_segment(owner, month, reason=reason, actor=COMMAND, folder=folder, now=now)


async def test_a_month_is_written_to_a_file_dropped_and_the_rest_still_verifies(old, owner, database, tmp_path):
    await export_head(old, tmp_path)
    dropped = await drop(owner, tmp_path)
    assert (dropped.entries, dropped.file.name) == (4, "record-2025-02.jsonl.gz")
    assert await old.fetchval("select count(*) from units.record_entries where at < now() - interval '1 year'") == 3
    assert await owner.fetchval("select to_regclass('units.record_entries_2025_02')") is None
    assert await sealed(old) == 10
    heads = read_heads(tmp_path / "record-heads.jsonl")
    assert await problems(database, heads) == []
    entry = await old.fetchrow("select * from units.record_entries where action = 'record.segment_dropped'")
    facts = msgspec.json.decode(entry["details"])
    assert facts["reason"] == "hết hạn lưu"
    assert (facts["entries"], facts["first_number"], facts["last_number"]) == (4, 3, 6)
    assert facts["export_sha256"] == dropped.sha256 == hashlib.sha256(dropped.file.read_bytes()).hexdigest()


async def test_the_file_of_a_dropped_month_holds_what_the_chain_covers(old, owner, tmp_path):
    dropped = await drop(owner, tmp_path)
    rows = [msgspec.json.decode(line) for line in gzip.decompress(dropped.file.read_bytes()).splitlines()]
    assert [row["number"] for row in rows] == [3, 4, 5, 6]
    for row in rows:
        texts = (
            row[name]
            for name in (
                "officer_id", "through", "unit_code", "action", "object_kind", "object_id", "address", "request_id",
                "details",
            )
        )  # fmt: skip
        told = ";".join("-" if text is None else f"{len(text)}:{text}" for text in texts)
        told = f"1;{row['number']};{row['xid']};{row['id']};{row['at']};{told};"
        assert hashlib.sha256(told.encode()).hexdigest() == row["hash"]
        kept = await old.fetchval("select hash from units.record_chain where number = $1", row["number"])
        assert kept.hex() == row["hash"]
    assert rows[0]["at"] == struct.pack(">q", month_bounds("2025-02")[0]).hex()


async def test_tampering_still_shows_after_a_month_was_dropped(old, owner, postgres, database, tmp_path):
    await drop(owner, tmp_path)
    await sealed(old)
    tamperer = await superuser(postgres, database)
    for statement, undo, finding in (
        ("update units.record_entries set action = 'x' where at < '2025-02-01+07'",
         "update units.record_entries set action = 'exam.added' where action = 'x'", ("entry_changed", 1)),
        ("update units.record_chain set hash = sha256('x') where number = 4", None, ("places_changed", 1)),
    ):  # fmt: skip
        await tamperer.execute(statement)
        assert (await problems(database))[0] == finding
        if undo:
            await tamperer.execute(undo)
            assert not await problems(database)
    await tamperer.close()


async def test_entries_that_are_gone_without_a_word_are_missed(old, owner, database):
    await owner.execute("drop table units.record_entries_2025_02")
    assert (await problems(database))[0] == ("entry_missing", 3)


@pytest.mark.parametrize("told", ['["this month"]', '["2025-02"]', '["2025-13", 7]', '"all"', "{}", '["thang"]'])
async def test_what_only_says_that_a_month_was_dropped_hides_nothing(old, owner, postgres, database, told):
    """Whoever holds the run-time role can write any entry; whoever is a superuser can remove some of a month."""
    tamperer = await superuser(postgres, database)
    this_month = await tamperer.fetchval("select to_char(now() at time zone 'Asia/Ho_Chi_Minh', 'YYYY-MM')")
    await tamperer.execute(
        "delete from units.record_entries where (xid, id, at) in ("
        " select xid, id, at from units.record_chain where number in (4, 8))"
    )
    await tamperer.close()
    await old.execute(
        "insert into units.record_entries (at, through, action, object_kind, object_id, details) values"
        " (clock_timestamp() + interval '1 hour', 'command', 'record.segment_dropped', 'record_segment', '2025-02',"
        " jsonb_build_object('dropped_so_far', $1::text::jsonb))",
        told.replace("this month", this_month),
    )
    await sealed(old)
    assert await problems(database) == [("entry_missing", 4), ("entry_missing", 8)]


async def test_entries_outside_any_segment_are_dropped_with_their_month(old, owner, database, tmp_path):
    assert (await drop(owner, tmp_path, "2025-01")).entries == 2
    await sealed(old)
    assert (await drop(owner, tmp_path, "2025-02")).entries == 4
    await sealed(old)
    assert not await problems(database)
    last = await old.fetchval(
        "select details from units.record_entries where action ~ 'dropped' order by id desc limit 1"
    )
    assert msgspec.json.decode(last)["dropped_so_far"] == ["2025-01", "2025-02"]


@pytest.mark.parametrize(
    ("month", "reason", "rule"),
    [
        ("2025-2", "hết hạn", "write the month as 2026-01"),
        ("2025-02", "  ", "say why"),
        ("2025-11", "hết hạn", "kept for 12 months"),
        ("2026-11", "hết hạn", "kept for 12 months"),
        ("2024-02", "hết hạn", "no entries of that month"),
        ("2025-03", "hết hạn", "some of its entries are not in the chain"),
    ],
)
async def test_what_must_not_be_dropped_is_not(old, owner, tmp_path, month, reason, rule):
    await old.execute(
        "insert into units.record_entries (at, through, action, object_kind, object_id, details)"
        " values ('2025-03-02', 'web', 'exam.added', 'exam', 'thi', '{}')"
    )
    before = await old.fetchval("select count(*) from units.record_entries")
    with pytest.raises(SegmentRefused) as refused:
        await drop(owner, tmp_path, month, reason=reason)
    assert rule in refused.value.facts["rule"]
    assert await old.fetchval("select count(*) from units.record_entries") == before
    assert not list(tmp_path.iterdir())


async def test_a_file_that_is_there_is_not_written_over(old, owner, tmp_path):
    (tmp_path / "record-2025-02.jsonl.gz").write_text("of somebody else")
    with pytest.raises(SegmentRefused):
        await drop(owner, tmp_path)
    assert (tmp_path / "record-2025-02.jsonl.gz").read_text() == "of somebody else"


async def test_a_disk_that_refuses_drops_nothing(old, owner, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SegmentRefused) as refused:
        await drop(owner, tmp_path / "file")
    assert "cannot be written" in refused.value.facts["rule"]
    assert await owner.fetchval("select count(*) from units.record_entries_2025_02") == 4


async def test_the_run_time_role_cannot_drop_a_month(old, tmp_path):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await drop(old, tmp_path)


async def test_segments_are_there_for_this_month_and_the_next_three(connection, owner, pool):
    here = "select count(*) from pg_inherits where inhparent = 'units.record_entries'::regclass"
    assert await connection.fetchval(here) == 5
    assert await make_segments(connection) == 0
    last = await owner.fetchval(
        "select max(inhrelid::regclass::text) from pg_inherits where inhrelid::regclass::text ~ '_\\d\\d$'"
    )
    await owner.execute(f"drop table {last}")
    await make_room(pool)
    assert await connection.fetchval(here) == 5


async def test_the_run_time_role_makes_no_segments_but_those_soon_needed(connection):
    for month in ("2020-01-01", "2039-01-01"):
        assert not await connection.fetchval("select units.make_record_segment($1::text::date)", month)


async def test_entries_that_came_before_their_segment_stay_where_they_are(connection, owner, database):
    name = await connection.fetchval("select 'units.record_entries_' || to_char(now(), 'YYYY_MM')")
    await owner.execute(f"drop table {name}")
    await given_entries(connection, 1)
    assert await make_segments(connection) == 0
    await sealed(connection)
    assert not await problems(database)


def test_months_are_those_of_viet_nam():
    first, following = month_bounds("2024-02")
    assert (following - first) == 29 * 24 * 3600 * 1_000_000
    assert first == (datetime(2024, 1, 31, 17, tzinfo=UTC) - datetime(2000, 1, 1, tzinfo=UTC)).total_seconds() * 1e6
