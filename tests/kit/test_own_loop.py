"""Work that must be on time is, whatever keeps the others busy."""

import asyncio
import time

import pytest

from kit.own_loop import in_a_loop_of_its_own


async def test_a_busy_loop_delays_nothing_in_the_other():
    moments = []

    async def tick():
        for _ in range(10):
            await asyncio.sleep(0.02)
            moments.append(time.monotonic())

    running = asyncio.create_task(in_a_loop_of_its_own(tick, "ticking"))
    await asyncio.sleep(0.01)
    started = time.monotonic()
    while time.monotonic() - started < 1:
        sum(range(1000))
    assert len(moments) == 10
    await running


async def test_what_goes_wrong_there_is_told_here():
    async def fail():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await in_a_loop_of_its_own(fail, "failing")


async def test_whoever_is_cancelled_here_ends_the_work_there():
    ended = []

    async def wait():
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    running = asyncio.create_task(in_a_loop_of_its_own(wait, "waiting"))
    await asyncio.sleep(0.05)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert ended == [True]
