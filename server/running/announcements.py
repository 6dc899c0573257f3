"""What `baodanh run` tells the person at the terminal."""

import contextlib
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from server.demo.department import DemoExample
from server.demo.officers import DemoSignIn

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


def show_where_to_look(
    url: str, examples: list[DemoExample], sign_ins: list[DemoSignIn], *, catches_mail: bool = False
) -> None:
    """The address, whom to look up in each exam of the demo, how to sign in, where letters end, and how to stop."""
    say("")
    say(f"Báo Danh is running   {url}")
    show_examples(examples, url)
    show_sign_ins([each for each in sign_ins if each.shown], url)
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


def show_sign_ins(sign_ins: list[DemoSignIn], url: str = "") -> None:
    """Where officers sign in, and as whom in the demo: address, password, a code that works once."""
    if not sign_ins:
        return
    say(f"Sign in               {url}/can-bo/dang-nhap")
    widest, roles = max(len(each.email) for each in sign_ins), max(19, *(len(each.roles) for each in sign_ins))
    for each in sign_ins:
        say(f"  {each.roles:<{roles}} {each.email:<{widest}}  {each.password}  {each.code}")
    say("  A fresh code        baodanh officer demo-code")
