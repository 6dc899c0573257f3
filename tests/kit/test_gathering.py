"""Questions asked in the same moment travel together, and each gets its own answer."""

import asyncio
import contextlib

import pytest

from kit.gathering import Gatherer


class Post:
    """Carries letters when told to, and remembers them."""

    def __init__(self):
        self.letters = []
        self.under_way = self.most_under_way = 0
        self.goes = asyncio.Event()
        self.goes.set()

    async def send(self, questions):
        self.letters.append(questions)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        await self.goes.wait()
        await asyncio.sleep(0)
        self.under_way -= 1
        return [question * 10 for question in questions]


async def test_questions_of_one_moment_make_one_letter():
    post = Post()
    gatherer = Gatherer(post.send)
    assert await asyncio.gather(*(gatherer.ask(i) for i in range(100))) == [i * 10 for i in range(100)]
    assert len(post.letters) == 1


async def test_while_two_letters_are_under_way_the_rest_gathers():
    post = Post()
    post.goes.clear()
    gatherer = Gatherer(post.send)
    asked = []
    for i in range(10):
        asked.append(gatherer.ask(i))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert post.letters == [[0], [1]]
    post.goes.set()
    assert await asyncio.gather(*asked) == [i * 10 for i in range(10)]
    assert post.letters[2] == list(range(2, 10))


async def test_a_crowd_makes_letters_of_bounded_length_two_at_a_time():
    post = Post()
    gatherer = Gatherer(post.send)
    assert await asyncio.gather(*(gatherer.ask(i) for i in range(1000))) == [i * 10 for i in range(1000)]
    assert max(map(len, post.letters)) == 128
    assert post.most_under_way == 2


async def test_who_leaves_does_not_disturb_the_order():
    post = Post()
    post.goes.clear()
    gatherer = Gatherer(post.send)
    asked = [gatherer.ask(i) for i in range(6)]
    await asyncio.sleep(0.01)
    asked[2].cancel()
    post.goes.set()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(*asked)
    assert [a.result() for i, a in enumerate(asked) if i != 2] == [0, 10, 30, 40, 50]


async def test_when_nobody_can_be_asked_everybody_hears_so():
    async def nobody(_questions):
        return None

    gatherer = Gatherer(nobody)
    assert await asyncio.gather(*(gatherer.ask(i) for i in range(3))) == [None] * 3


async def test_behind_a_full_backlog_nobody_waits():
    post = Post()
    post.goes.clear()
    gatherer = Gatherer(post.send, backlog=3)
    waiting = [gatherer.ask(i) for i in range(3)]
    assert await gatherer.ask(3) is None
    post.goes.set()
    assert await asyncio.gather(*waiting) == [0, 10, 20]


async def test_a_broken_post_is_told_to_everybody_and_does_not_stop_the_next_letter():
    async def breaks(questions):
        if 0 in questions:
            raise RuntimeError("torn")
        return questions

    gatherer = Gatherer(breaks)
    torn = [gatherer.ask(0), gatherer.ask(1)]
    for future in torn:
        with pytest.raises(RuntimeError):
            await future
    assert await gatherer.ask(2) == 2
