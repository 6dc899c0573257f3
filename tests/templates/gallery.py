"""Every page with invented people and exams, so that it can be looked at, measured and tested without a database."""

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from litestar import Litestar
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from playwright.async_api import BrowserContext, Route

from kit import locale as languages
from kit.errors import FieldError
from kit.locale import Locale
from kit.pages import Pages
from lookup.candidate_number import CandidateNumberFormat
from lookup.distributions import Bar, Spread
from lookup.exams import Exam, Regrade, Release
from lookup.gate.challenge import Challenge, Wait
from lookup.openapi import DecimalIsNumber
from lookup.score_api import api_routes
from lookup.score_card import Card, CardLine, Total
from server.api_reference import Reader, words_for
from server.doorway import SECURITY_HEADERS
from server.legal_basis import laws_in_force
from units.units import Unit

TEMPLATES = Path(__file__).parents[2] / "templates"
NOW = datetime(2026, 7, 1, 1, 5, tzinfo=UTC)

VAN_GIANG = Unit(
    code="so-van-giang",
    kind="department",
    name="Sở Giáo dục và Đào tạo tỉnh Vân Giang",
    short_name="Sở GDĐT Vân Giang",
    name_en="Vân Giang Department of Education and Training",
    managed_by=None,
    province_code=None,
    commune_code=None,
    governing_body="Ủy ban nhân dân tỉnh Vân Giang",
    responsible_person="Ông Lê Quang Hải, Phó Giám đốc Sở",
    address="12 đường Hoa Sữa, phường Trung Tâm, tỉnh Vân Giang",
    hotline="1900 0000",
    email="tracuu@so-van-giang.example",
    website=None,
)
REGRADE = Regrade(
    from_=date(2026, 7, 2),
    to=date(2026, 7, 10),
    where="Trường THPT nơi thí sinh đăng ký dự thi, hoặc trực tuyến trên hệ thống của Hội đồng thi",
    fee="Không thu",
)


def exam(code: str, name: str, name_en: str, **changes: Any) -> Exam:
    """An open public exam of the department, with whatever a test wants otherwise."""
    facts: dict[str, Any] = {
        "unit": VAN_GIANG,
        "year": 2026,
        "kind": "thpt",
        "policy": "public",
        "number_format": "99999999",
        "subjects": (),
        "total_rule": None,
        "regrade": None,
        "show_name": False,
        "withdrawn_generation": 0,
        "releases": (Release(1, datetime(2026, 7, 1, 1, tzinfo=UTC), {}),),
    }
    return Exam(code=code, name=name, name_en=name_en, **(facts | changes))


def opening(moment: datetime) -> tuple[Release]:
    return (Release(1, moment, {}),)


THPT = exam("thpt-2026", "Điểm thi tốt nghiệp THPT năm 2026", "Upper secondary graduation exam 2026", regrade=REGRADE)
LOP_10 = exam(
    "lop10-2026",
    "Điểm thi tuyển sinh lớp 10 năm học 2026-2027",
    "Grade 10 entrance exam, school year 2026-2027",
    policy="birth-date",
    number_format="999999",
    regrade=REGRADE,
)
SEALED = exam(
    "hsg-2026",
    "Điểm thi học sinh giỏi cấp tỉnh lớp 9 năm học 2025-2026",
    "",
    policy="pin",
    number_format="HSG9999",
    releases=opening(NOW + timedelta(hours=26, minutes=14)),
)
UNDATED = exam("nghe-2026", "Kết quả thi nghề phổ thông năm 2026", "Vocational exam 2026", releases=())
WITHDRAWN = exam(
    "lop6-2026", "Kết quả khảo sát vào lớp 6 năm 2026", "Grade 6 entry survey 2026", withdrawn_generation=9
)
EXAMS = [THPT, LOP_10, SEALED, UNDATED, WITHDRAWN]

HEIGHTS = [1, 1, 1, 3, 8, 16, 25, 33, 40, 44, 44, 39, 34, 32, 32, 33, 29, 23, 14, 5]


def spread(mine: int, higher_than: int | None) -> Spread:
    bars = [Bar(place * 10, 44 - height, 8, height, place == mine) for place, height in enumerate(HEIGHTS)]
    return Spread(bars, higher_than, 19_874)


def line(name: str, score: str | None, mark: str | None = None, shown: Spread | None = None) -> CardLine:
    return CardLine(name, "", None if score is None else Decimal(score), 2, mark, shown)


def card(*components: CardLine, **changes: Any) -> Card:
    """A card as it was first published, with whatever a page wants otherwise."""
    facts: dict[str, Any] = {
        "candidate_number": "99004512",
        "name": None,
        "released_at": THPT.opens_at,
        "corrected_at": None,
        "correction_reason": None,
        "components": list(components),
        "total": None,
    }
    return Card(**facts | changes)


FOUR_PAPERS = card(
    line("Toán", "8.25", shown=spread(16, 88)),
    line("Ngữ văn", "7.50", shown=spread(15, 72)),
    line("Vật lí", "9.00", shown=spread(18, 98)),
    line("Tiếng Anh", "5.75", shown=spread(11, None)),
)
WITH_TOTAL = card(
    line("Ngữ văn", "8.25", shown=spread(16, 88)),
    line("Ngoại ngữ (Tiếng Anh)", "10.00", shown=spread(19, 99)),
    line("Toán", "7.00", shown=spread(14, 61)),
    line("Tiếng Anh chuyên", "6.10"),
    candidate_number="012345",
    name="Nguyễn Hoàng Minh Khuê",
    corrected_at=datetime(2026, 7, 20, 7, tzinfo=UTC),
    correction_reason="phúc khảo bài thi Ngữ văn",
    total=Total("Điểm xét tuyển", "", Decimal("38.25"), 2),
)
MARKS = card(
    line("Giáo dục kinh tế và pháp luật", "0.00", shown=spread(0, None)),
    line("Công nghệ (nông nghiệp)", None, "Vắng thi"),
    line("Xếp loại", None, "Giỏi"),
    line("Giải", None, "Giải Khuyến khích"),
)
NO_PAPERS = card()

EMPTY: dict[str, Any] = {"values": {}, "errors": []}
MISTAKEN: dict[str, Any] = {
    "values": {"candidate_number": "12345", "birth_date": "31/02/2008"},
    "errors": [
        FieldError("candidate_number", "number_malformed", example="012345"),
        FieldError("birth_date", "birth_date_impossible"),
    ],
}
TYPED: dict[str, Any] = {"values": {"candidate_number": "012346", "birth_date": "01/02/2011"}, "errors": []}


@dataclass
class Page:
    """One page as a person meets it: where it stands, which template, with what."""

    path: str
    template: str
    context: dict[str, Any] = field(default_factory=dict)
    unit: Unit = VAN_GIANG


def lookup_page(name: str, template: str, shown: Exam, **context: Any) -> Page:
    facts = {
        "exam": shown,
        "number_example": CandidateNumberFormat(shown.number_format).example,
        "form": EMPTY,
    } | context
    return Page(f"/{name}", f"lookup/{template}.html", facts)


def is_for_officers(code: str) -> bool:
    """Whether this problem's page stands in the frame of the officers' area, directly or through another."""
    text = (TEMPLATES / "problems" / f"{code}.html").read_text(encoding="utf-8")
    parent = re.search(r'{% extends "(?:layouts|problems)/(\w+)\.html" %}', text)
    return parent is not None and (
        parent[1] == "officer" or (parent[1] not in (code, "page") and is_for_officers(parent[1]))
    )


ALL_PROBLEMS = sorted(path.stem for path in (TEMPLATES / "problems").glob("*.html") if path.stem != "field_sentence")
OFFICERS_PROBLEMS = [code for code in ALL_PROBLEMS if is_for_officers(code)]
PROBLEMS = [code for code in ALL_PROBLEMS if code not in OFFICERS_PROBLEMS]
# A problem whose page is a form.
MORE_FACTS = {
    "challenge": {
        "exam": LOP_10,
        "asked": {"candidate_number": "990001", "birth_date": "2011-03-25"},
        "challenge": Challenge("A" * 40, 13, 0),
        "wait_for": Wait("B" * 40, 10),
        "count": 8,
    }
}
GALLERY = [
    Page("/", "server/home.html", {"exams": EXAMS}),
    Page("/empty-home", "server/home.html", {"exams": []}),
    Page("/tra-cuu/diem-thi", "lookup/exam_list.html", {"exams": EXAMS}),
    Page("/empty-list", "lookup/exam_list.html", {"exams": []}),
    lookup_page("form", "score_form", THPT),
    lookup_page("form-birth-date", "score_form", LOP_10),
    lookup_page("form-pin", "score_form", SEALED),
    lookup_page("form-mistaken", "score_form", LOP_10, form=MISTAKEN),
    lookup_page("not-found", "score_not_found", LOP_10, form=TYPED),
    lookup_page("countdown", "countdown", SEALED),
    lookup_page("countdown-undated", "countdown", UNDATED),
    lookup_page("withdrawn", "withdrawn", WITHDRAWN),
    lookup_page("result", "score_result", THPT, card=FOUR_PAPERS),
    lookup_page("result-total", "score_result", LOP_10, card=WITH_TOTAL),
    lookup_page("result-marks", "score_result", UNDATED, card=MARKS),
    lookup_page("result-without-papers", "score_result", THPT, card=NO_PAPERS),
    Page("/huong-dan", "server/guides.html"),
    Page("/huong-dan/tra-cuu-diem-thi", "server/score_lookup_guide.html"),
    Page("/quyen-rieng-tu", "server/privacy.html", {"legal_basis": laws_in_force(NOW.date())}),
    Page("/tai-lieu/api", "server/api_reference.html"),
    *(
        Page(f"/problem-{code}", f"problems/{code}.html", {"retry_after": 40} | MORE_FACTS.get(code, {}))
        for code in PROBLEMS
    ),
]


@cache
def openapi_document() -> dict[str, Any]:
    """What the API says about itself, without anything behind it."""
    names = ("catalogue", "desk", "gate", "limiter", "now")
    absent = {name: Provide(lambda: None, sync_to_thread=False) for name in names}
    app = Litestar(
        api_routes,
        dependencies=absent,
        openapi_config=OpenAPIConfig("Báo Danh", "1", use_handler_docstrings=True),
        plugins=[DecimalIsNumber()],
    )
    return app.openapi_schema.to_schema()


def html(pages: Pages, locale: Locale, page: Page) -> str:
    context = page.context
    if page.template == "server/api_reference.html":
        reader = Reader(openapi_document(), words_for(locale))
        base = "https://tracuu.vangiang.example"
        context = {"base": base, "operations": reader.operations(base, EXAMS[:2]), "shapes": reader.shapes()}
    return pages.html(locale, page.template, path=page.path, unit=page.unit, now=NOW, **context)


HOST = "http://bao-danh.test"


async def hang(context: BrowserContext, pages: Pages) -> None:
    """Show the gallery in a browser: pages and their files come from memory, under the service's own policy."""

    async def answer(route: Route) -> None:
        path = route.request.url.removeprefix(HOST).partition("#")[0]
        file = pages.static_files.find(path.removeprefix("/static/").partition("/")[2])
        if file:
            await route.fulfill(body=file.content, content_type=file.media_type)
            return
        page = next((each for each in GALLERY if each.path == languages.without_locale(path)), None)
        if page is None:
            await route.fulfill(status=404)
            return
        await route.fulfill(**as_answer(html(pages, languages.locale_of(path), page)))

    await context.route(f"{HOST}/**", answer)


def as_answer(text: str) -> dict[str, Any]:
    """What a browser gets: a page with the headers that every answer leaves with."""
    return {"body": text, "headers": SECURITY_HEADERS | {"Content-Type": "text/html; charset=utf-8"}}
