"""The card keeps two moments apart: when the exam was announced, and when this result was corrected."""

from datetime import timedelta
from decimal import Decimal

from kit.cache import Cache
from kit.keys import KeyRing
from kit.redis_servers import RedisServer
from lookup.exams import find_exam
from lookup.releases import release
from lookup.score_card import write_card
from lookup.scores import Question, ScoreDesk
from tests.exams import Paper, given_exam, given_results, paper_of
from tests.people import AN, MINH, MORNING


async def test_a_corrected_card_tells_both_moments_and_the_reason(connection, pool, valkey, tmp_path):
    exam = await given_exam(connection)
    await given_results(connection, exam, [paper_of(MINH), paper_of(AN)])
    await release(connection, exam.code, opens_at=MORNING)
    better = dict(MINH.scores) | {"toan": Decimal("8.75")}
    await given_results(connection, exam, [Paper(MINH.number, better)], reason="Phúc khảo")
    await release(connection, exam.code, opens_at=MORNING + timedelta(days=20))
    now = MORNING + timedelta(days=21)
    exam = await find_exam(connection, exam.code)
    async with RedisServer(valkey.url) as redis:
        desk = ScoreDesk(pool, Cache(redis, key=b"k" * 32, version="test"), KeyRing(tmp_path))
        cards = [write_card(exam, await desk.find(exam, Question(who.number), now), "vi", now) for who in (MINH, AN)]
    minh, an = cards
    assert (minh.released_at, minh.corrected_at) == (MORNING, MORNING + timedelta(days=20))
    assert minh.correction_reason == "Phúc khảo"
    assert (an.released_at, an.corrected_at, an.correction_reason) == (MORNING, None, None)
