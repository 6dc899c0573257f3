"""Releases as sealed files for tests: made straight from the rows, put in place as if sealed and delivered in time."""

import hashlib
import secrets
from collections.abc import Iterator
from datetime import timedelta

import asyncpg
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kit.keys import KeyRing
from lookup.exams import Exam, find_exam
from lookup.marks import MARKS
from lookup.pins import derive_pin, hash_imported_pin, pin_hash_key
from lookup.sealed.bundle_writer import Entry, Facts, write_bundle
from lookup.sealed.record import FACTS, Edition, SharedFacts, encode_facts, encode_record, pack
from lookup.sealed.release_folder import bundle_path, keep_key
from server.settings import Settings
from units.changes import Change, announce

SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SIGNED_BY = SIGNER.public_key().public_bytes_raw()


class Sealed(msgspec.Struct, frozen=True):
    """A release as a file: its id in PostgreSQL, its generation and the key that opens it."""

    bundle_id: int
    generation: int
    key: bytes


async def given_open_bundle(connection: asyncpg.Connection, settings: Settings, exam_code: str) -> Sealed:
    """The newest generation of an exam as a file in this node's folder, with its key: sealed in time, open when due."""
    sealed = await given_sealed_bundle(connection, settings, exam_code)
    keep_key(settings.releases_folder, sealed.bundle_id, sealed.key)
    return sealed


async def given_sealed_bundle(
    connection: asyncpg.Connection, settings: Settings, exam_code: str, *, in_time: bool = True
) -> Sealed:
    """The same, and nobody here has the key yet."""
    exam = await find_exam(connection, exam_code)
    release = exam.releases[-1]
    async with connection.transaction():
        bundle_id = await _add_bundle(connection, exam)
        sealed = Sealed(bundle_id, release.generation, secrets.token_bytes(32))
        await _write(connection, settings, exam, sealed)
        content = bundle_path(settings.releases_folder, bundle_id).read_bytes()
        await connection.execute(
            "update lookup.bundles set state = 'stored', stored_at = clock_timestamp(), size = $2, sha256 = $3,"
            " signed_by = $4, wrapped_key = '' where id = $1",
            bundle_id, len(content), hashlib.sha256(content).digest(), SIGNED_BY,
        )  # fmt: skip
        await connection.execute(
            "update lookup.releases set sealed_at = coalesce(sealed_at, $3) where exam_code = $1 and generation = $2",
            exam_code, release.generation, release.opens_at + timedelta(minutes=-1 if in_time else 1),
        )  # fmt: skip
        await announce(connection, Change("exam", exam_code, "sealed"), release.opens_at)
    return sealed


async def _add_bundle(connection: asyncpg.Connection, exam: Exam) -> int:
    return await connection.fetchval(
        "insert into lookup.bundles (exam_code, generation, state, begun_at, result_count)"
        " values ($1, $2, 'building', clock_timestamp(), 0) returning id",
        exam.code, exam.releases[-1].generation,
    )  # fmt: skip


async def _write(connection: asyncpg.Connection, settings: Settings, exam: Exam, sealed: Sealed) -> None:
    folder = settings.releases_folder
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    rows = await connection.fetch(_VISIBLE, exam.code, sealed.generation)
    editions = sorted({(row["released_at"], row["reason"]) for row in rows}, key=str)
    pin_keys = [key.value for key in KeyRing(settings.keys_folder).all("pin")] if exam.policy == "pin" else []
    release = exam.releases[-1]
    write_bundle(
        bundle_path(folder, sealed.bundle_id),
        Facts(exam.code, sealed.generation, exam.policy, release.opens_at, release.opens_at, len(rows)),
        list(_entries(exam, rows, [tuple(edition) for edition in editions], pin_keys)),
        {FACTS: encode_facts(await _facts(connection, exam, sealed, editions, pin_keys))},
        generation_key=sealed.key,
        signer=SIGNER,
    )


async def _facts(connection, exam: Exam, sealed: Sealed, editions, pin_keys: list[bytes]) -> SharedFacts:
    distributions = await connection.fetchval(
        "select distributions from lookup.releases where exam_code = $1 and generation = $2",
        exam.code, sealed.generation,
    )  # fmt: skip
    return SharedFacts(
        editions=[Edition(*edition) for edition in editions],
        marks=list(MARKS),
        distributions=msgspec.json.decode(distributions, type=SharedFacts.__annotations__["distributions"]),
        pin_keys=[pin_hash_key(key) for key in pin_keys],
    )


def _entries(exam: Exam, rows, editions, pin_keys: list[bytes]) -> Iterator[Entry]:
    places = {mark: place for place, mark in enumerate(MARKS)}
    for row in rows:
        record = pack(
            row["candidate_number"], row["scores"], row["marks"], row["total"], row["version"],
            editions.index((row["released_at"], row["reason"])), row["name"] if exam.show_name else None,
            exam=exam, mark_places=places,
        )  # fmt: skip
        for factor in _factors(exam, row, pin_keys):
            yield Entry(row["candidate_number"], factor, encode_record(record))


def _factors(exam: Exam, row, pin_keys: list[bytes]) -> list[str]:
    number = row["candidate_number"]
    match exam.policy:
        case "birth-date":
            return [row["birth_date"].isoformat()] if row["birth_date"] else []
        case "pin" if row["pin_hash"]:
            return [row["pin_hash"].hex()]
        case "pin":
            codes = [derive_pin(key, exam.code, number) for key in pin_keys]
            return [hash_imported_pin(pin_keys[0], exam.code, number, code).hex() for code in codes]
        case _:
            return [""]


# As `find_result` in lookup/sql/scores.sql finds one.
_VISIBLE = """
select distinct on (r.candidate_number) r.candidate_number, r.scores, r.marks, r.total, r.name, r.birth_date,
       r.pin_hash, b.reason, shown.opens_at as released_at,
       (select count(distinct earlier.generation)
        from lookup.results e join lookup.batches earlier on earlier.id = e.batch_id
        where e.exam_code = r.exam_code and e.candidate_number = r.candidate_number
          and earlier.generation <= b.generation) as version
from lookup.results r
join lookup.batches b on b.id = r.batch_id
join lookup.releases shown on shown.exam_code = b.exam_code and shown.generation = b.generation
where r.exam_code = $1 and b.generation <= $2
order by r.candidate_number, r.version desc
"""
