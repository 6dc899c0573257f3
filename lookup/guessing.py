"""Nobody guesses a birth date or a lookup code by trying: wrong ones are counted per number and neighbourhood."""

from datetime import datetime

from litestar import Request

from kit.client_address import address_prefix
from kit.errors import TooManyRequests
from kit.rate_limit import RateLimiter
from lookup.exams import Exam
from lookup.scores import Question, Result, ScoreDesk


class TooManyLookups(TooManyRequests):
    """Too many wrong second facts for one number from one neighbourhood of addresses."""

    code = "too_many_lookups"


async def find_guarded(
    desk: ScoreDesk, limiter: RateLimiter, request: Request, exam: Exam, question: Question, now: datetime
) -> Result:
    """Ask the desk, counting the attempt first so that attempts at the same instant count too.

    A right answer clears the count: who knows the fact is not guessing. The neighbourhood (IPv4 /24, IPv6 /48) is part
    of the key, so a stranger elsewhere cannot lock a candidate out. Raises TooManyLookups, ResultNotFound.
    """
    if exam.policy == "public":
        return await desk.find(exam, question, now)
    key = (exam.code, question.candidate_number, address_prefix(request.client.host if request.client else ""))
    verdict = await limiter.hit("wrong_factor", *key)
    if not verdict.allowed:
        raise TooManyLookups(verdict.retry_after)
    result = await desk.find(exam, question, now)
    await limiter.clear("wrong_factor", *key)
    return result
