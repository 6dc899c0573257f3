"""The processes we start: apart from our terminal, never outliving us, ended by their own process id."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from kit.account import Account

_CAN_TELL = sys.platform.startswith("linux")
_PR_SET_PDEATHSIG = 1
_LARGEST_LOG = 10_000_000
_LOOK_SECONDS = 1.0


def start(
    command: Sequence[str | Path],
    *,
    when_we_die: signal.Signals,
    account: Account | None = None,
    environ: Mapping[str, str] | None = None,
    log: Path | None = None,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own: Ctrl-C reaches us, and we end it in order.

    `when_we_die` is the signal it gets when we are gone (Linux; elsewhere the next start finds the leftover). To be
    called from the main thread: the kernel watches the thread that started the child. Without `log` it writes where
    we write.
    """
    output = log.open("ab") if log else None
    try:
        return subprocess.Popen[bytes](
            command,
            cwd="/" if account else None,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            pass_fds=pass_fds,
            preexec_fn=_told_when_we_die(when_we_die),
            **(account.popen if account else {}),
        )
    finally:
        if output:
            output.close()


def end_with_parent(wanted: signal.Signals) -> None:
    """Ask the kernel to send us `wanted` when our own parent dies; does nothing where the system cannot."""
    if _CAN_TELL:
        _prctl()(_PR_SET_PDEATHSIG, int(wanted), 0, 0, 0)


def follow_parent() -> None:
    """End when our parent is gone, also where the kernel does not see to it: an orphan would hold ports and locks."""
    threading.Thread(target=_look_for, args=(os.getppid(),), daemon=True).start()


def _look_for(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)


def _told_when_we_die(wanted: signal.Signals) -> Callable[[], None] | None:
    """What a child runs, after it changed its user and before its program, to get `wanted` when we die."""
    if not _CAN_TELL:
        return None
    prctl, parent = _prctl(), os.getpid()

    def ask_the_kernel() -> None:
        prctl(_PR_SET_PDEATHSIG, int(wanted), 0, 0, 0)
        # We may have died between fork and here.
        if os.getppid() != parent:
            os._exit(1)

    return ask_the_kernel


def _prctl() -> Callable[..., int]:
    return ctypes.CDLL(None, use_errno=True).prctl


def ask_to_end(process: subprocess.Popen[bytes], wanted: signal.Signals) -> None:
    """Send the signal; a process that was stopped is woken to hear it."""
    if process.poll() is None:
        process.send_signal(wanted)
        process.send_signal(signal.SIGCONT)


def end(process: subprocess.Popen[bytes], *signals: tuple[signal.Signals, float]) -> None:
    """End a process by the first of `signals` (each with the seconds to wait for it) that it obeys."""
    for wanted, seconds in signals:
        ask_to_end(process, wanted)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
        return


def fresh_log(path: Path) -> Path:
    """The log file, set aside once it has grown large: what a server says for months must not fill the disk."""
    if path.exists() and path.stat().st_size > _LARGEST_LOG:
        path.replace(path.with_name(f"{path.name}.old"))
    path.touch(mode=0o600)
    return path
