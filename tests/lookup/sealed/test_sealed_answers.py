"""Whatever an exam is like: a sealed file says of each candidate just what PostgreSQL says, and no more."""

import itertools
from datetime import date, timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kit.cache import Cache
from kit.keys import KeyRing
from kit.redis_servers import RedisServer
from lookup.exam_kinds import exam_kind, exam_kinds
from lookup.exams import find_exam
from lookup.marks import MARKS
from lookup.pins import derive_pin, hash_imported_pin
from lookup.releases import release
from lookup.scores import Question, ResultNotFound, ScoreDesk
from lookup.sealed.record import unpack
from tests.exams import Paper, given_exam, given_results
from tests.lookup.sealed.built import Built
from tests.people import MORNING

_serial = itertools.count(1)
HOUR = timedelta(hours=1)
NUMBERS = ("99000001", "99000002", "990003", "AB1004", "1", "99000006")
PINS = ("Q7W8E9R0T1", "abc", "1234567890")
_in_session = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)

names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20)
dates = st.dates(date(1980, 1, 1), date(2020, 12, 31))


@st.composite
def papers(draw, kind: str):
    """A row as any import could have stored it, with more decimals than the paper shows, or none."""
    scores, marks = {}, {}
    for subject in draw(st.lists(st.sampled_from(exam_kind(kind).subjects), max_size=6, unique=True)):
        name = f"{subject.code}/{subject.variant}".rstrip("/")
        known = [code for code, mark in MARKS.items() if subject.type in mark.types]
        if subject.type == "score" and draw(st.booleans()):
            scores[name] = draw(st.decimals(subject.lowest, subject.highest, places=draw(st.integers(0, 3))))
        else:
            marks[name] = draw(st.sampled_from(known))
    return {
        "scores": scores,
        "marks": marks,
        "total": draw(st.none() | st.decimals(0, 100, places=draw(st.integers(0, 3)))),
        "name": draw(st.none() | names),
        "birth_date": draw(st.none() | dates),
        "pin": draw(st.none() | st.sampled_from(PINS)),
    }


@st.composite
def stories(draw):
    """An exam's life: its kind and policy, and generation after generation of batches with a reason or none."""
    kind = draw(st.sampled_from(sorted(exam_kinds())))
    policy = draw(st.sampled_from(("public", "birth-date", "pin")))
    batch = st.tuples(
        st.none() | st.sampled_from(("Phúc khảo", "Nhập lại")),
        st.dictionaries(st.sampled_from(NUMBERS), papers(kind), min_size=1),
    )
    generations = st.lists(st.lists(batch, min_size=1, max_size=2), min_size=1, max_size=3)
    return kind, policy, policy != "public" and draw(st.booleans()), draw(generations)


@pytest.fixture
async def desk(pool, valkey, tmp_path):
    redis = RedisServer(valkey.url)
    yield ScoreDesk(pool, Cache(redis, key=b"k" * 32, version="sealed answers"), KeyRing(tmp_path / "keys"))
    await redis.close()


@pytest.fixture
def built(pool, database, tmp_path, monkeypatch):
    return Built.in_this_process(pool, database, tmp_path, monkeypatch)


@_in_session
@given(stories())
async def test_a_sealed_file_answers_as_postgresql_does(connection, built, desk, story):
    kind, policy, show_name, generations = story
    exam = await given_exam(connection, f"exam-{next(_serial)}", kind=kind, policy=policy, show_name=show_name)
    key = built.keys.current("pin").value
    for generation, batches in enumerate(generations, start=1):
        for reason, rows in batches:
            await given_results(connection, exam, [paper(key, exam.code, *row) for row in rows.items()], reason=reason)
        now = MORNING + generation * HOUR
        await release(connection, exam.code, opens_at=now, now=now)
    born = {row["birth_date"] for _, rows in itertools.chain(*generations) for row in rows.values()}
    exam = await find_exam(connection, exam.code)
    for generation in range(1, len(generations) + 1):
        opened = await built.open(exam.code, generation)
        for question in questions(key, exam.code, born):
            told = await told_by(desk, exam, question, MORNING + generation * HOUR)
            record = opened.find(question)
            # As bytes: 8.5 and 8.50 are equal, and would not look it.
            assert (record and msgspec.json.encode(unpack(record, opened.facts, exam))) == told, question


def paper(key, exam_code, number, row):
    facts = dict(row)
    pin = facts.pop("pin")
    return Paper(number, pin_hash=pin and hash_imported_pin(key, exam_code, number, pin), **facts)


def questions(key, exam_code, born):
    """Everybody, with whatever they may have in hand: their own fact, another's, none."""
    for number in (*NUMBERS, "99999999"):
        yield Question(number)
        for day in born - {None}:
            yield Question(number, birth_date=day)
        for pin in (*PINS, derive_pin(key, exam_code, number), derive_pin(key, exam_code, NUMBERS[0])):
            yield Question(number, pin=pin)


async def told_by(desk, exam, question, now):
    try:
        return msgspec.json.encode(await desk.find(exam, question, now))
    except ResultNotFound:
        return None


async def test_codes_of_every_key_count_also_once_a_newer_one_derives_them(connection, built, desk):
    exam = await given_exam(connection, policy="pin")
    old = built.keys.current("pin").value
    imported = hash_imported_pin(old, exam.code, "99000002", "Q7W8E9R0T1")
    rows = [Paper("99000001", {"toan": Decimal(8)}), Paper("99000002", {"toan": Decimal(7)}, pin_hash=imported)]
    await given_results(connection, exam, rows)
    await release(connection, exam.code, opens_at=MORNING, now=MORNING)
    new = built.keys.rotate("pin").value
    opened = await built.open(exam.code, 1)
    assert (opened.bundle.header.results, opened.bundle.header.records) == (2, 3)
    for key in (old, new):
        assert opened.find(Question("99000001", pin=derive_pin(key, exam.code, "99000001")))
        assert not opened.find(Question("99000002", pin=derive_pin(key, exam.code, "99000002")))
    assert opened.find(Question("99000002", pin="q7w8e-9r0t1"))
    assert old not in opened.facts.pin_keys, "what is in a file derives no code"
    assert new not in opened.facts.pin_keys
