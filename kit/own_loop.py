"""Work that must be on time, away from an event loop that others keep busy."""

import asyncio
import threading
from collections.abc import Callable, Coroutine


async def in_a_loop_of_its_own(work: Callable[[], Coroutine[None, None, None]], name: str) -> None:
    """Run `work()` in a thread with an event loop of its own; ends with it, raises what it raises.

    Cancelled, it cancels the work and waits for its end. Pools and connections belong to the loop they were made in:
    `work` makes its own.
    """
    here, ended = asyncio.get_running_loop(), asyncio.Event()
    there, task = asyncio.new_event_loop(), None

    def run() -> None:
        nonlocal task
        try:
            asyncio.set_event_loop(there)
            task = there.create_task(work())
            there.run_until_complete(asyncio.wait({task}))
            there.run_until_complete(there.shutdown_asyncgens())
        finally:
            there.close()
            here.call_soon_threadsafe(ended.set)

    threading.Thread(target=run, name=name, daemon=True).start()
    try:
        await ended.wait()
    except asyncio.CancelledError:
        there.call_soon_threadsafe(lambda: task and task.cancel())
        await ended.wait()
        raise
    assert task
    if not task.cancelled():
        task.result()
