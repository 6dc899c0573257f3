"""The reference tells the whole API, in both languages, and its examples run."""

import html
import re
import shlex
from pathlib import Path

from babel.messages.pofile import read_po

from lookup.releases import release
from server.api_reference import Reader
from tests.exams import given_exam, given_results, paper_of
from tests.people import MINH, MORNING
from tests.templates.gallery import EXAMS, openapi_document

VIETNAMESE = Path(__file__).parents[2] / "server" / "data" / "api.vi.po"


def test_every_sentence_of_the_document_stands_in_vietnamese_too():
    told: set[str] = set()
    reader = Reader(openapi_document(), lambda text: told.add(text) or text)
    reader.operations("", [])
    reader.shapes()
    with VIETNAMESE.open("rb") as file:
        translated = {message.id for message in read_po(file) if message.id and message.string}
    assert told - {""} == translated


def test_every_operation_is_told_with_its_answers():
    operations = Reader(openapi_document(), str).operations("https://x", EXAMS[:2])
    assert [(each.method, each.address) for each in operations] == [
        ("GET", "/api/v1/exams"),
        ("GET", "/api/v1/exams/{exam_code}"),
        ("GET", "/api/v1/exams/{exam_code}/results/{candidate_number}"),
        ("POST", "/api/v1/exams/{exam_code}/results"),
    ]
    posted = operations[-1]
    assert [field.name for field in posted.fields] == ["candidate_number", "birth_date", "pin", "challenge", "solution"]
    assert [answer.status for answer in posted.answers] == [
        "200",
        "400",
        "403",
        "404",
        "413",
        "415",
        "422",
        "429",
        "503",
    ]
    assert posted.answers[0].shape == "ResultAnswer"


def test_a_field_says_whether_it_may_be_null():
    shapes = {
        name: {field.name: field for field in fields} for name, fields in Reader(openapi_document(), str).shapes()
    }
    nullable = {field.name for fields in shapes.values() for field in fields.values() if field.nullable}
    assert nullable == {"opens_at", "factor", "variant", "distribution", "total", "outcome", "cutoff"}
    assert not shapes["ScoredComponent"]["score"].nullable, "what a paper has not is left out"


def test_every_field_of_an_exam_and_a_result_is_explained():
    shapes = dict(Reader(openapi_document(), str).shapes())
    silent = [
        f"{name}.{field.name}"
        for name in (
            "ExamSummary",
            "ExamDetails",
            "SubjectDetails",
            "SubjectBin",
            "ResultAnswer",
            "ScoredComponent",
            "Outcome",
        )
        for field in shapes[name]
        if not field.description
    ]
    assert not silent


async def test_the_examples_run_against_this_server(connection, service, visitor):
    exam = await given_exam(connection, "demo-thpt")
    await given_results(connection, exam, [paper_of(MINH)])
    await release(connection, exam.code, opens_at=MORNING)
    await service.hears_all_changes()
    commands = await examples_on("/tai-lieu/api", visitor)
    assert len(commands) == 4
    for command in commands:
        answer = await run(command, visitor)
        assert answer.status_code == 200, command
    assert answer.json()["candidate_number"] == MINH.number


async def test_without_a_public_exam_the_examples_name_what_they_would_need(visitor):
    assert "demo-thpt" in " ".join(await examples_on("/en/tai-lieu/api", visitor))


async def examples_on(address, visitor) -> list[str]:
    page = (await visitor.get(address)).text
    return [html.unescape(code) for code in re.findall(r'<pre class="command"><code>(.+?)</code>', page, re.DOTALL)]


async def run(command: str, visitor):
    """What curl would do, as far as our examples go."""
    curl, url, *options = shlex.split(command)
    assert curl == "curl"
    given = dict(zip(options[::2], options[1::2], strict=True))
    if "-d" not in given:
        return await visitor.get(url)
    name, _, value = given["-H"].partition(": ")
    return await visitor.post(url, content=given["-d"], headers={name: value})
