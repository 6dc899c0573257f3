"""What `baodanh run` tells the person at the terminal."""

import contextlib
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from server.demo.department import DemoExample

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


def show_where_to_look(url: str, examples: list[DemoExample], *, catches_mail: bool = False) -> None:
    """The address, whom to look up in each exam of the demo, where letters end, and how to stop."""
    say("")
    say(f"Báo Danh is running   {url}")
    show_examples(examples, url)
    if catches_mail:
        say(f"Letters it wrote      {url}/can-bo/thu-da-gui")
    say("Stop                  Ctrl-C")


def show_examples(examples: list[DemoExample], url: str = "") -> None:
    """One candidate of each open exam in the demo: where to look, and what to type."""
    whole = [example for example in examples if example.shows == "result"]
    for label, example in zip(["Look up a score", *[""] * len(whole)], whole, strict=False):
        typed = f"{example.candidate_number}  {example.factor or ''}".rstrip()
        say(f"{label:<21} {url}/tra-cuu/diem-thi/{example.exam}  {typed}")
    for example in whole[:1]:
        say(f"As JSON               {url}/api/v1/exams/{example.exam}/results/{example.candidate_number}")
