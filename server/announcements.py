"""What `baodanh run` tells the person at the terminal."""

import contextlib
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from server.demo import DemoExample

_console = Console(highlight=False, soft_wrap=True)


def say(sentence: str) -> None:
    """One line. A terminal that has gone away is no reason to stop serving."""
    with contextlib.suppress(OSError):
        _console.print(sentence, markup=False)


@contextlib.contextmanager
def counting(what: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar while the block runs; the block calls it with (done, total)."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=_console) as bar:
        task = bar.add_task(f"{what} ...", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def show_where_to_look(url: str, examples: list[DemoExample]) -> None:
    """The address, what to try first, and how to stop."""
    say("")
    say(f"Báo Danh is running   {url}")
    for example in examples:
        if example.factor is None and example.shows == "result":
            say(f"Look up a score       {url}/tra-cuu/diem-thi/{example.exam}")
            say(f"  with the number     {example.candidate_number}")
            say(f"  as JSON             {url}/api/v1/exams/{example.exam}/results/{example.candidate_number}")
            break
    say("Stop                  Ctrl-C")
