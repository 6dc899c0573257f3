"""Words through Redis are heard on every kind of address, and again after any loss."""

import asyncio
import contextlib
import time

import pytest

from kit.redis_listening import listen

CHANNEL = "bd:words"


@contextlib.asynccontextmanager
async def listening(server):
    heard = []
    task = asyncio.create_task(listen(server.url, CHANNEL, heard.append, pause=0.05))
    try:
        yield heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def is_heard(server, heard, word: str) -> None:
    """Said until somebody hears it: nobody knows when a listener is there."""
    deadline = time.monotonic() + 15
    while word.encode() not in heard:
        assert time.monotonic() < deadline, "nobody hears it"
        with contextlib.suppress(OSError, AssertionError):
            await asyncio.to_thread(server.command, "PUBLISH", CHANNEL, word)
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("kind", ["stoppable_valkey", "valkey_cluster", "valkey_behind_sentinel"])
async def test_a_word_is_heard_and_heard_again_after_a_restart(kind, request):
    server = request.getfixturevalue(kind)
    async with listening(server) as heard:
        await is_heard(server, heard, "one")
        server.kill()
        await asyncio.sleep(0.1)
        server.start()
        await is_heard(server, heard, "two")


async def test_who_listens_before_the_server_is_there_hears_it_once_it_comes(stoppable_valkey):
    stoppable_valkey.kill()
    async with listening(stoppable_valkey) as heard:
        await asyncio.sleep(0.1)
        stoppable_valkey.start()
        await is_heard(stoppable_valkey, heard, "one")


async def test_a_line_that_died_in_silence_is_left_and_another_opened(stoppable_valkey, monkeypatch):
    """As when a firewall forgets it: it looks open, and nothing comes."""
    monkeypatch.setattr("kit.redis_listening._PULSE_SECONDS", 0.05)
    monkeypatch.setattr("kit.redis_listening._SILENCE_SECONDS", 0.2)
    async with listening(stoppable_valkey) as heard:
        await is_heard(stoppable_valkey, heard, "one")
        stoppable_valkey.freeze()
        await asyncio.sleep(0.5)
        stoppable_valkey.thaw()
        await is_heard(stoppable_valkey, heard, "two")
        # The old line is gone, and nothing is heard twice.
        await asyncio.sleep(0.1)
        before = len(heard)
        stoppable_valkey.command("PUBLISH", CHANNEL, "three")
        await asyncio.sleep(0.2)
        assert heard[before:] == [b"three"]
