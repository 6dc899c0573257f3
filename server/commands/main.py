"""The command line: run the service, set exams up, bring results in, open them and take them down."""

import asyncio
import os
import sys
from importlib.metadata import version

from cyclopts import App
from rich.console import Console

from kit.errors import DomainError, UsageError
from server.settings import load_settings

app = App(
    name="baodanh",
    version=lambda: version("baodanh"),
    help="The service in which candidates look up their exam results. Settings: docs/settings.md.",
)
# Named, not imported: each command loads only what it needs.
app.command("server.commands.exam:app", name="exam", help="Exams whose results can be looked up.")
app.command("server.commands.score:app", name="scores", help="Results: import, release, withdraw, lookup codes.")
app.command("server.commands.unit:app", name="unit", help="Departments, communes and schools.")
app.command("server.commands.audit:app", name="audit", help="The record: check it, drop its old months.")
app.command("server.commands.officer:app", name="officer", help="Officers: invite, list, disable, two factors anew.")
app.command("server.commands.key:app", name="key", help="Secret keys, and newer ones.")

# What a person at the terminal reads when a rule says no.
_SENTENCES = {
    "exam_not_found": "There is no exam '{exam}'. `baodanh exam list` shows them all.",
    "exam_code_taken": "There is an exam '{exam}' already. Choose another code.",
    "exam_refused": "The exam cannot be set up like this: {rule}.",
    "exam_is_public": "Results of '{exam}' are or were public: `baodanh scores withdraw {exam}` takes them down.",
    "unit_not_found": "There is no unit '{unit}'. `baodanh unit list` shows them all.",
    "unit_refused": "This is not possible for unit '{unit}': {rule}.",
    "unit_code_taken": "There is a unit '{unit}' already. Choose another code.",
    "place_not_found": "There is no province or commune '{place}'; the state's codes have two or five digits.",
    "commune_elsewhere": "The commune '{place}' does not lie in province '{province}'.",
    "reason_needed": (
        "'{exam}' has results on record, and the file changes them ({changed} changed, {new} new): "
        'say why with --reason "...".'
    ),
    "segment_refused": "The month cannot be dropped: {rule}.",
    "no_pins": "'{exam}' asks for no lookup codes: its policy is another.",
    "roles_kept_apart": (
        "An auditor or operator holds no other role in the same unit, and operators belong to the root unit: "
        "choose another person or another unit."
    ),
    "last_administrator": (
        "Nobody else could administer '{unit}': add another first, with `baodanh officer add E-MAIL --unit {unit} "
        "--role administrator`."
    ),
    "officer_has_left": "This account has ended: `baodanh officer add` invites its owner anew.",
    "successor_unfit": "In '{unit}' this colleague cannot take the open work over: it wants an active officer in the "
    "same role.",
    "already_waiting": "It waits for approval already, at /can-bo/phe-duyet.",
    "nothing_to_release": "'{exam}' has nothing new to release: import results first.",
}

# The rules of the database, by the names of its constraints; those about units stand in units/data/unit_rules.toml.
_RULES = {
    "exam_code_is_a_slug": "its code has small letters, digits and hyphens only",
    "exam_year_is_plausible": "its year lies between 1990 and 2100",
    "exam_has_a_name": "it has a name",
    "a_public_exam_shows_no_name": "policy public never shows a candidate's name",
    "subject_stands_once_in_an_exam": "a subject stands in it once",
}


@app.command
def run(
    *,
    node: str | None = None,
    port: int | None = None,
    attached: bool = False,
    demo: bool = True,
    workers: int | None = None,
) -> int:
    """Start everything and serve until Ctrl-C.

    Parameters
    ----------
    node
        The name of this node, instead of NODE. Where a service runs in STATE_DIR already, this becomes another node on
        its servers, with files of its own in STATE_DIR/nodes/NAME; choose another port for it.
    port
        The port to listen on, instead of PORT.
    attached
        Stop when the program that started this one ends (`make run` wants that).
    demo
        Fill an empty embedded database with the fictional demo department.
    workers
        Web processes, instead of WORKERS.
    """
    from server.running.supervisor import run as supervise

    told = {"node": node, "port": port}
    settings = load_settings(
        os.environ | {name.upper(): str(value) for name, value in told.items() if value is not None}
    )
    return supervise(settings, attached=attached, demo=demo, workers=workers, may_join=node is not None)


@app.command
def worker() -> None:
    """Send mail and do what is scheduled, until Ctrl-C. `baodanh run` does so itself; several share the work."""
    import msgspec

    from server.running.service import find_database, find_redis
    from server.running.worker import run as work

    settings = load_settings(os.environ)
    work(msgspec.structs.replace(settings, database_url=find_database(settings), redis_url=find_redis(settings)))


@app.command
def migrate() -> None:
    """Bring the database to what this version of the program expects."""
    from server.migrate import bring_up_to_date
    from server.running.service import find_database

    settings = load_settings(os.environ)
    applied = asyncio.run(bring_up_to_date(find_database(settings, owner=True), find_database(settings)))
    print("\n".join(f"{migration.package}/{migration.name}" for migration in applied) or "Nothing to do.")


@app.command
def demo() -> None:
    """Fill an empty database with the fictional demo department."""
    from server.demo.department import load_demo
    from server.demo.officers import demo_sign_ins
    from server.running.announcements import show_examples, show_sign_ins
    from server.running.service import connect

    settings = load_settings(os.environ)

    async def load() -> None:
        from kit.clock import utc_now
        from kit.keys import KeyRing

        async with connect(settings) as connection:
            keys = KeyRing(settings.keys_folder, may_create=settings.keys_dir is None)
            summary = await load_demo(connection, pin_key=keys.current("pin").value, now=utc_now(), keys=keys)
            sign_ins = await demo_sign_ins(connection, keys, utc_now())
        show_examples(summary.examples)
        show_sign_ins(sign_ins)

    asyncio.run(load())
    print("The demo department is there.")


def main() -> None:
    """The program's entry: what goes wrong in a way that has a word ends in one sentence and exit code 1."""
    try:
        sys.exit(app(result_action="return_value"))
    except UsageError as problem:
        _fail(str(problem))
    except DomainError as problem:
        facts = {name: _in_words(fact) for name, fact in problem.facts.items()}
        _fail(_SENTENCES.get(problem.code, problem.code).format(**facts))
    except KeyboardInterrupt:
        # What a command has not finished is rolled back.
        print("Stopped; nothing was changed.", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        # Somebody read only the first lines (`| head`); that is no mistake.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


def _in_words(fact: object) -> object:
    if str(fact) in _RULES:
        return _RULES[str(fact)]
    from units.rule_words import rule_in_words

    return rule_in_words(str(fact), "en")


def _fail(sentence: str) -> None:
    Console(stderr=True, highlight=False, soft_wrap=True).print(sentence, style="red", markup=False)
    sys.exit(1)
