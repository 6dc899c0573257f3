"""On the morning when everyone comes, questions asked in the same moment travel together."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")

# A longer letter holds up everyone in it; a shorter one wastes the journey.
_AT_MOST = 128
# Two letters under way: while one is answered, the next is already being read.
_UNDER_WAY = 2
_BACKLOG = 20_000


class Gatherer(Generic[Question, Answer]):
    """Questions of one turn of the event loop become one call of `send`; while two are under way, the rest gathers.

    `send` takes a list of questions and returns their answers in the same order, or None when nobody can be asked.
    With `backlog` questions waiting, whoever comes next is better served without an answer.
    """

    def __init__(
        self, send: Callable[[list[Question]], Awaitable[Sequence[Answer] | None]], *, backlog: int = _BACKLOG
    ) -> None:
        self._send, self._backlog = send, backlog
        self._waiting: list[tuple[Question, asyncio.Future[Answer | None]]] = []
        self._under_way: set[asyncio.Task[None]] = set()
        self._leaves_this_turn = False

    def ask(self, question: Question) -> asyncio.Future[Answer | None]:
        """A future of the answer; None when nobody could be asked. Needs a running event loop."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer | None] = loop.create_future()
        if len(self._waiting) >= self._backlog:
            future.set_result(None)
            return future
        self._waiting.append((question, future))
        if not self._leaves_this_turn and len(self._under_way) < _UNDER_WAY:
            self._leaves_this_turn = True
            loop.call_soon(self._leave)
        return future

    def _leave(self) -> None:
        self._leaves_this_turn = False
        while self._waiting and len(self._under_way) < _UNDER_WAY:
            letter, self._waiting = self._waiting[:_AT_MOST], self._waiting[_AT_MOST:]
            task = asyncio.get_running_loop().create_task(self._carry(letter))
            self._under_way.add(task)
            task.add_done_callback(self._arrived)

    def _arrived(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._leave()

    async def _carry(self, letter: list[tuple[Question, asyncio.Future[Answer | None]]]) -> None:
        try:
            answers = await self._send([question for question, _ in letter])
            for (_, future), answer in zip(letter, answers or [None] * len(letter), strict=True):
                # A caller who left has cancelled its future.
                if not future.done():
                    future.set_result(answer)
        except Exception as error:  # noqa: BLE001 -- whatever went wrong belongs to those who wait, not to this task
            for _, future in letter:
                if not future.done():
                    future.set_exception(error)
