"""`baodanh officer`: invite people, see who there is, end accounts, set two factors up anew; each on the record."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import msgspec
from cyclopts import App

from kit.clock import utc_now
from kit.errors import FieldError, InvalidForm, UsageError
from kit.keys import KeyRing
from kit.mail.post import Post
from kit.pages import Pages
from server.commands.import_report import say
from server.demo.officers import demo_sign_ins
from server.open_work import OPEN_WORK
from server.running.announcements import show_sign_ins
from server.running.service import connect, find_home
from server.settings import Settings, load_settings
from units.officers.allowed_domains import find_domains, normal_address, set_domains
from units.officers.handover import SuccessorNeeded, find_piles
from units.officers.invitations import invite
from units.officers.officers import Officer, find_all_officers
from units.officers.staffing import disable, find_by_address, read_role, reset_two_factor
from units.record.entries import COMMAND
from units.unit_tree import UnitTree
from units.units import list_units

app = App(name="officer", help="Officers: who they are, for which unit, in which role.")

Result = TypeVar("Result")

_TEMPLATES = Path(__file__).parents[2] / "templates"

# What a person at the terminal reads about a mistake in what was typed.
_MISTAKES = {
    "email_malformed": "This is no mail address: write one like ten@tendonvi.edu.vn.",
    "email_not_official": (
        "The unit's officers have addresses of {domains}. `baodanh officer domains CODE DOMAIN ...` sets others."
    ),
    "role_unknown": "A role is one of reviewer, editor, approver, administrator, auditor, operator.",
    "domain_malformed": "'{domain}' is no domain: write one like tendonvi.edu.vn or *.edu.vn.",
    "domain_is_everybodys": "Anybody gets an address at '{domain}': it is no unit's own.",
    "domain_too_wide": "'{domain}' is too wide: name the unit's own domain.",
    "too_many_domains": "Name at most {most} domains.",
    "too_long": "Shorter, please.",
    "required": "'{field}' is missing.",
}


class _Desk(msgspec.Struct, frozen=True):
    """What every change needs: the connection in its transaction, the units, and a way to write letters."""

    connection: asyncpg.Connection
    tree: UnitTree
    post: Post
    keys: KeyRing
    settings: Settings

    @property
    def change(self) -> dict[str, Any]:
        return {"by": None, "tree": self.tree, "actor": COMMAND, "post": self.post, "now": utc_now()}

    async def find(self, email: str) -> Officer:
        """Who has this address. Raises UsageError."""
        try:
            officer = await find_by_address(self.connection, normal_address(email))
        except ValueError:
            officer = None
        if officer is None:
            raise UsageError(f"There is no officer '{email}'. `baodanh officer list` shows them all.")
        return officer


@app.command
def add(email: str, *, unit: str, role: str, name: str = "", show_link: bool = False) -> None:
    """Invite somebody to a role of a unit by mail, or give the role to whoever has the address already.

    Parameters
    ----------
    unit
        The unit's code; the root unit is `so`.
    role
        reviewer, editor, approver, administrator, auditor or operator.
    name
        Her full name, as her card will show it.
    show_link
        Print the link of the letter, which works once: where no mail server is set. Whoever has it is the officer.
    """

    async def work(desk: _Desk) -> str:
        card = {"full_name": name}
        invited = await invite(desk.connection, email, unit, read_role(role), card, **desk.change)
        if invited.link is None:
            return f"{email} has an account already and was given the role; a letter says so."
        if show_link:
            return desk.post.link(invited.link)
        waits = "" if desk.settings.smtp_url else " No mail server is set: --show-link prints the link instead."
        return f"A letter to {email} waits to be sent.{waits}"

    say(_do(work))


@app.command(name="list")
def list_all() -> None:
    """One officer a line: address, state, roles as unit:role."""

    async def work(desk: _Desk) -> list[Officer]:
        return await find_all_officers(desk.connection)

    for officer in _do(work):
        say("\t".join((officer.email, officer.state, _roles(officer) or "-", officer.full_name or "-")))


@app.command(name="disable")
def disable_account(email: str, *, reason: str, hand_over_to: str | None = None) -> None:
    """End an account at once: sessions end, open work goes to a colleague, a letter says so.

    Parameters
    ----------
    reason
        Why; it stands on the record and in the letter.
    hand_over_to
        The address of the colleague who takes the open work over.
    """

    async def work(desk: _Desk) -> str:
        officer = await desk.find(email)
        successor = await desk.find(hand_over_to) if hand_over_to else None
        units = {held.unit_code for held in officer.roles}
        piles = await find_piles(desk.connection, OPEN_WORK, officer.id, units, desk.tree, utc_now())
        choices = {pile.field: successor.id for pile in piles if pile.successors} if successor else {}
        await disable(desk.connection, officer.id, reason, works=OPEN_WORK, choices=choices, **desk.change)
        return f"The account of {officer.email} has ended."

    _confirm(_do(work))


@app.command(name="reset-two-factor")
def forget_two_factor(email: str, *, reason: str) -> None:
    """Forget the second factor of an officer who has lost hers; she sets up another after her password.

    Parameters
    ----------
    reason
        Why, and how you know that it is her; it stands on the record.
    """

    async def work(desk: _Desk) -> str:
        officer = await desk.find(email)
        await reset_two_factor(desk.connection, officer.id, reason, **desk.change)
        return f"{officer.email} sets up another second factor at the next sign-in."

    _confirm(_do(work))


@app.command
def domains(unit: str, *names: str, usual: bool = False) -> None:
    """Show or set the mail domains that count as official in a unit.

    Parameters
    ----------
    unit
        The unit's code.
    names
        The domains from now on: tendonvi.edu.vn, or *.edu.vn for all below edu.vn. None: show them.
    usual
        Back to the usual ones.
    """

    async def work(desk: _Desk) -> tuple[str, ...]:
        code = desk.tree.current(unit).code
        if not names and not usual:
            return await find_domains(desk.connection, code)
        return await set_domains(desk.connection, code, names, by=None, tree=desk.tree, actor=COMMAND)

    for domain in _do(work):
        say(domain)


@app.command(name="demo-code")
def show_demo_codes() -> None:
    """How to sign in to the demo, with the codes of this moment: each works once, within a minute."""

    async def work(desk: _Desk) -> None:
        sign_ins = await demo_sign_ins(desk.connection, desk.keys, utc_now())
        if not sign_ins:
            raise UsageError("There are no demo officers here whose password this machine knows.")
        show_sign_ins(sign_ins, desk.post.home)

    _do(work)


def _do(work: Callable[[_Desk], Awaitable[Result]]) -> Result:
    """Do it in one transaction; mistakes in what was typed become sentences."""
    settings = load_settings(os.environ)

    async def run() -> Result:
        async with connect(settings) as connection, connection.transaction():
            keys = KeyRing(settings.keys_folder, may_create=settings.keys_dir is None)
            post = Post(Pages(_TEMPLATES), keys, home=find_home(settings), sender=settings.mail_from)
            return await work(_Desk(connection, UnitTree(await list_units(connection)), post, keys, settings))

    try:
        return asyncio.run(run())
    except InvalidForm as refused:
        raise UsageError("\n".join(_sentence(error) for error in refused.errors)) from None
    except SuccessorNeeded as refused:
        raise UsageError(
            f"{refused.facts['count']} pieces of work in '{refused.facts['unit']}' are open: "
            "name who takes them over with --hand-over-to E-MAIL."
        ) from None


def _sentence(error: FieldError) -> str:
    return _MISTAKES.get(error.code, error.code).format(field=error.field, **error.facts)


def _roles(officer: Officer) -> str:
    return ",".join(f"{held.unit_code}:{held.role}" for held in officer.roles)


def _confirm(sentence: str) -> None:
    if sys.stdout.isatty():
        say(sentence)
