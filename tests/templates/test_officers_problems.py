"""What an officer reads when something cannot be done: whole pages, in Vietnamese, each with words of its own."""

import re

import pytest
from jinja2 import meta

from kit.pages import Pages
from tests.templates.gallery import NOW, OFFICERS_PROBLEMS, TEMPLATES, VAN_GIANG

# Frames that others extend, not answers by themselves.
ANSWERS = [code for code in OFFICERS_PROBLEMS if code not in ("officer_problem", "approval_problem")]


def facts_of(pages: Pages, code: str) -> dict:
    environment = pages._environments["vi"]
    wanted = meta.find_undeclared_variables(
        environment.parse((TEMPLATES / "problems" / f"{code}.html").read_text(encoding="utf-8"))
    )
    known = set(environment.globals)
    return dict.fromkeys(wanted - known, "vi-du") | {"retry_after": 40, "unit": VAN_GIANG, "now": NOW}


@pytest.mark.parametrize("code", ANSWERS)
def test_a_problem_tells_an_officer_in_its_own_words(pages, code):
    facts = facts_of(pages, code) | {"session": None, "path": "/can-bo"}
    page = pages.html("vi", f"problems/{code}.html", **facts)
    assert len(re.findall("<h1", page)) == 1
    assert "style=" not in page
    general = pages.sentence("vi", "officer_problem")
    assert pages.sentence("vi", code, **facts) != general


def test_only_officers_problems_stand_in_their_frame():
    assert "sign_in_first" in ANSWERS
    assert "not_found" not in OFFICERS_PROBLEMS
