"""What the documents say is so: links lead somewhere, commands exist, words are explained."""

import asyncio
import json
import os
import re
import shlex
import sys
import tempfile
import tomllib
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import yaml

from kit.clock import VIETNAM, utc_now
from kit.keys import KeyRing
from server.app import create_app
from server.commands.main import app
from server.demo.department import load_demo
from server.settings import SETTINGS, load_settings

ROOT = Path(__file__).parents[1]
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("**/*.md")])
READMES = ("README.md", "README.vi.md")
PACKAGES = ("kit", "units", "lookup", "server", "templates", "tests", "docs")
# Birth dates in the documents stand for the exams of 2026.
DEMO_DAY = datetime(2026, 11, 20, 23, 30, tzinfo=VIETNAM)
# Names in capitals that are not ours to set.
FOREIGN_NAMES = {"PR_SET_PDEATHSIG", "LC_CTYPE"}


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def without_code(text: str) -> str:
    return re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)


def commands_in(path: Path) -> list[str]:
    """The lines of the shell examples, without what is only fed to a program (a here-document)."""
    blocks = "\n".join(re.findall(r"^```sh\n(.*?)^```", text_of(path), re.DOTALL | re.MULTILINE))
    blocks = re.sub(r"(<<'END')\n.*?^END$", r"\1", blocks, flags=re.DOTALL | re.MULTILINE)
    return [line for line in blocks.splitlines() if line.strip()]


def code_spans(path: Path) -> list[str]:
    return re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text_of(path), flags=re.DOTALL))


def anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def anchors_of(path: Path) -> set[str]:
    return {anchor(heading) for heading in re.findall(r"^#+ (.+)$", without_code(text_of(path)), re.MULTILINE)}


each_document = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


@each_document
def test_every_link_leads_somewhere(path):
    text = without_code(text_of(path))
    links = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|href)="([^"]+)"', text)
    for link in links:
        parts = urlsplit(link)
        if parts.scheme:
            assert parts.scheme in ("http", "https"), link
            continue
        target = (path.parent / parts.path) if parts.path else path
        assert target.exists(), f"{link} leads nowhere"
        if parts.fragment:
            assert parts.fragment in anchors_of(target), f"{link}: no such heading"


@each_document
def test_every_path_that_is_named_exists(path):
    # A document may name what the reader is to add (`NNNN_verb_noun.sql`, `<subject>.sql`).
    named = [span for span in code_spans(path) if span.split("/")[0] in PACKAGES and "/" in span]
    for span in named:
        if not re.search(r"NNNN|<|\s", span):
            assert list(ROOT.glob(span.rstrip("/"))), f"`{span}` does not exist"


@each_document
def test_every_command_is_understood(path):
    targets = set(re.findall(r"^([a-z-]+):.*## ", text_of(ROOT / "Makefile"), re.MULTILINE))
    inline = [span for span in code_spans(path) if span.startswith(("make ", "baodanh "))]
    for line in commands_in(path):
        for command in line.split(" && "):
            understand(command, targets)
    for span in inline:
        understand_mention(span, targets)


def understand(command: str, targets: set[str]) -> None:
    """A whole command, with all its options."""
    words = shlex.split(command, comments=True)
    match words:
        case ["make", *wanted]:
            assert set(wanted) <= targets, command
        case ["baodanh", *arguments]:
            app.parse_args(arguments, exit_on_error=False, print_error=False)
        case ["curl", *arguments]:
            address = next(word for word in arguments if word.startswith("http"))
            assert is_served(urlsplit(address).path), command


def understand_mention(span: str, targets: set[str]) -> None:
    """`baodanh scores import` in a sentence: the command exists; its options may be left out."""
    program, *words = shlex.split(span.replace("...", ""))
    if program == "make":
        assert {word for word in words if "=" not in word} <= targets, span
        return
    known = app
    for word in words:
        commands = {name for name in known if not name.startswith("-")}
        if not commands or word.startswith("-"):
            break
        assert word in commands, f"`{span}` is no command"
        known = known[word]
    for option in (word for word in words if word.startswith("--") and word != "--help"):
        assert option.partition("=")[0] in options_of(known), f"`{span}` has no {option}"


def options_of(command) -> set[str]:
    return {name for argument in command.assemble_argument_collection() for name in argument.names}


@cache
def served_paths() -> list[re.Pattern[str]]:
    with tempfile.TemporaryDirectory() as state:
        settings = load_settings({"STATE_DIR": state, "REDIS_URL": "unix:///nobody.sock"})
        doorway: Any = create_app(settings, caught_mail=Path(state), has_front=False)
    paths = {route.path for route in doorway.app.app.routes} | {"/schema"}
    return [re.compile(re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path))) for path in sorted(paths)]


def is_served(path: str) -> bool:
    return any(pattern.fullmatch(path or "/") for pattern in served_paths())


@each_document
def test_every_page_that_is_named_is_served(path):
    local = re.findall(r"<http://127\.0\.0\.1:8000([^>]*)>", text_of(path))
    for address in local:
        assert is_served(address), address


@each_document
def test_every_setting_that_is_named_exists(path):
    known = {name.upper() for name in SETTINGS} | {f"{name.upper()}_FILE" for name in SETTINGS} | FOREIGN_NAMES
    named = {span for span in code_spans(path) if re.fullmatch(r"[A-Z]+(_[A-Z]+)+", span)}
    assert named <= known


@each_document
def test_no_document_names_a_machine_or_a_place_to_download_from(path):
    assert not re.search(r"(?<![\w.])/(work|root|home|tmp|usr|opt)/\w", text_of(path))
    assert not re.search(r"pypi\.|pythonhosted|index-url (?!`)|registry\.|/simple/", text_of(path))


def test_both_readmes_show_the_same():
    english, vietnamese = (
        re.findall(r"^```.*?^```", text_of(ROOT / name), re.DOTALL | re.MULTILINE) for name in READMES
    )
    assert english == vietnamese


async def test_a_newcomer_gets_through_the_readme(connection, pin_key, service, clock, settings, tmp_path):
    # With its officers: the readme must get by in a department where a second person has to approve.
    await load_demo(connection, pin_key=pin_key, now=DEMO_DAY, keys=KeyRing(settings.keys_folder))
    clock.now = max(DEMO_DAY, utc_now()) + timedelta(minutes=5)
    await service.hears_all_changes()
    readme = text_of(ROOT / "README.md")
    file_name, content = re.search(r"cat > (\S+) <<'END'\n(.*?)^END$", readme, re.DOTALL | re.MULTILINE).groups()
    (tmp_path / file_name).write_text(content, encoding="utf-8")
    answers = {}
    for line in commands_in(ROOT / "README.md"):
        program, *arguments = shlex.split(line, comments=True)
        if program == "baodanh":
            await run_command(arguments, settings, tmp_path)
        elif program == "curl":
            answers[line] = await fetch(service, arguments)
    shown = json.loads(re.search(r"^```json\n(.*?)^```", readme, re.DOTALL | re.MULTILINE)[1])
    assert shown in answers.values()


async def run_command(arguments: list[str], settings, folder: Path) -> None:
    environ = os.environ | {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "STATE_DIR": str(settings.state_dir),
        "PYTHONPATH": str(ROOT),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "server", *arguments,
        cwd=folder, env=environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    told, _ = await process.communicate()
    assert process.returncode == 0, told.decode()


async def fetch(service, arguments: list[str]):
    address = next(word for word in arguments if word.startswith("http"))
    fields = [field for option, field in pairwise(arguments) if option == "-d"]
    data = dict(parse_qsl("&".join(fields))) or None
    await service.hears_all_changes()
    answer = await service.visitor().request("POST" if data else "GET", urlsplit(address).path, data=data)
    assert answer.status_code == 200, (address, answer.text)
    return answer.json()


def test_nobody_is_called_ban():
    assert not re.search(r"\bbạn\b", text_of(ROOT / "README.vi.md"), re.IGNORECASE)


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_tells_context_decision_and_consequences(path):
    text = text_of(path)
    assert text.startswith(f"# {path.stem[:4]}. ")
    parts = [text.find(part) for part in ("**Context.**", "**Decision.**", "**Consequences.**")]
    assert -1 not in parts
    assert parts == sorted(parts)


def test_every_decision_has_its_number_and_its_line_in_the_list():
    listed = re.findall(
        r"^\| \[(\d{4})\]\((\S+)\) \| (.+) \|$", text_of(ROOT / "docs/decisions/README.md"), re.MULTILINE
    )
    titles = [text_of(path).splitlines()[0].partition(". ")[2] for path in DECISIONS]
    assert listed == [(path.stem[:4], path.name, title) for path, title in zip(DECISIONS, titles, strict=True)]
    assert [int(number) for number, _, _ in listed] == list(range(1, len(DECISIONS) + 1))


def test_the_glossary_explains_the_words_of_the_code():
    words = {
        word.strip(" `")
        for row in re.findall(r"^\| ([^|]+) \|", text_of(ROOT / "GLOSSARY.md"), re.MULTILINE)
        for word in re.split(r"[,;(]", row)
    }
    assert words >= {
        "generation", "batch", "release", "policy", "factor", "component", "mark", "candidate number",
        "candidate number format", "distribution", "spread", "node", "change", "catalogue", "unit", "kind", "variant",
    }  # fmt: skip


def test_the_changelog_has_a_place_for_what_is_not_released():
    assert re.search(r"^## Unreleased$", text_of(ROOT / "CHANGELOG.md"), re.MULTILINE)


def test_the_description_for_catalogues_is_complete():
    told = yaml.safe_load(text_of(ROOT / "publiccode.yml"))
    project = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]
    assert told["publiccodeYmlVersion"] == "0.4"
    assert {"name", "url", "softwareType", "developmentStatus", "platforms", "categories"} <= told.keys()
    assert told["legal"]["license"] == project["license"]
    assert told["maintenance"]["type"] in ("internal", "contract", "community", "none")
    assert told["localisation"] == {"localisationReady": True, "availableLanguages": ["vi", "en"]}
    assert told["description"].keys() == {"vi", "en"}
    for description in told["description"].values():
        assert len(description["shortDescription"]) <= 150
        assert 150 <= len(description["longDescription"]) <= 10_000
        assert description["features"]
    assert len({len(description["features"]) for description in told["description"].values()}) == 1


def test_the_licence_is_the_one_that_is_named():
    assert "Apache License\n                           Version 2.0" in text_of(ROOT / "LICENSE")
    assert tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]["license"] == "Apache-2.0"
