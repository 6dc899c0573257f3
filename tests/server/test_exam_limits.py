"""The operator sets limits of an exam by command, whatever they are, and gives them back."""

from lookup.exams import RATES, find_exam
from tests.exams import given_exam


async def rates_of(connection, code) -> list[str | None]:
    exam = await find_exam(connection, code)
    return [getattr(exam, name) for name in RATES]


async def test_a_command_sets_limits_and_gives_them_back(connection, baodanh):
    await given_exam(connection, "thi")
    assert (await baodanh("exam", "describe", "thi", "--wrong-factor-rate", "20/15minute"))[0] == 0
    assert (await baodanh("exam", "describe", "thi", "--lookup-rate", "300/minute", "--name", "Thi thử"))[0] == 0
    assert await rates_of(connection, "thi") == ["300/minute", "20/15minute", None]
    assert (await baodanh("exam", "describe", "thi", "--lookup-rate", "service"))[0] == 0
    assert await rates_of(connection, "thi") == [None, "20/15minute", None]
    code, _, complained = await baodanh("exam", "describe", "thi", "--foreign-origin-rate", "fast")
    assert (code, "--foreign-origin-rate 'fast' is no rate" in complained) == (1, True)
    assert (await find_exam(connection, "thi")).name == "Thi thử"
