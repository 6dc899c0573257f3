"""Every page below /can-bo, on a phone and a wide screen, by light and by dark: usable by everyone, and on its own."""

import os
import re
from pathlib import Path

import pytest
from playwright.async_api import Page

from tests.browser.department import given_department
from tests.browser.test_accessibility import WIDTHS, then_axe_finds_nothing
from tests.browser.watch import look_at
from tests.units.officers.test_officer_routes import all_routes
from units.officers.sessions import COOKIE

# Where somebody looks at them: PICTURES=/some/folder.
PICTURES = os.environ.get("PICTURES", "")
# What is no page but a file, a picture, or a way on.
NO_PAGES = {
    "/don-vi/{unit_code:str}/hinh/{name:str}",
    "/ky-thi/{exam_code:str}/tep/{upload_id:str}/bang-loi",
    "/ky-thi/{exam_code:str}/tep/{upload_id:str}/tep-goc",
}
# By route below /can-bo: who looks, and at what; words in braces are things of the department. A `guest` is not signed
# in, and `invitation`, `password`, `set_up` and `reset` are steps on the way in.
VISITS = {
    "/": ["hung /", "hien /", "nam /"],
    "/huong-dan": ["hien /huong-dan"],
    # The way in
    "/dang-nhap": ["guest /dang-nhap"],
    "/xac-thuc": ["password /xac-thuc"],
    "/quen-mat-khau": ["guest /quen-mat-khau"],
    "/dat-lai-mat-khau": ["reset /dat-lai-mat-khau"],
    "/dat-lai-mat-khau/{secret:str}": ["guest /dat-lai-mat-khau/{password_reset}"],
    "/danh-thuc/{secret:str}": ["guest /danh-thuc/{waking}"],
    "/thiet-lap": ["invitation /thiet-lap"],
    "/thiet-lap/{secret:str}": ["guest /thiet-lap/{invitation}"],
    "/thiet-lap/xac-thuc": ["set_up /thiet-lap/xac-thuc"],
    "/thu-da-gui": ["guest /thu-da-gui"],
    "/thu-da-gui/{name:str}": ["guest /thu-da-gui/{letter}"],
    # Oneself
    "/tai-khoan": ["hien /tai-khoan"],
    "/tai-khoan/the": ["hien /tai-khoan/the"],
    "/tai-khoan/mat-khau": ["hien /tai-khoan/mat-khau"],
    "/tai-khoan/ma-du-phong": ["hien /tai-khoan/ma-du-phong"],
    "/tai-khoan/ung-dung-xac-thuc": ["hien /tai-khoan/ung-dung-xac-thuc"],
    "/tai-khoan/ung-dung-xac-thuc/moi": ["renewing /tai-khoan/ung-dung-xac-thuc/moi"],
    # Exams
    "/ky-thi": ["hien /ky-thi"],
    "/ky-thi/tao": ["hien /ky-thi/tao"],
    "/ky-thi/{exam_code:str}": [
        "hien /ky-thi/{open}", "hien /ky-thi/{draft}", "hien /ky-thi/{waits}", "hung /ky-thi/{down}",
    ],
    "/ky-thi/{exam_code:str}/sua": ["hien /ky-thi/{draft}/sua", "hien /ky-thi/{open}/sua"],
    "/ky-thi/{exam_code:str}/xoa": ["hien /ky-thi/{draft}/xoa"],
    "/ky-thi/{exam_code:str}/tep": ["hien /ky-thi/{draft}/tep"],
    "/ky-thi/{exam_code:str}/tep/{upload_id:str}": [
        "hien /ky-thi/{draft}/tep/{wrong}", "hien /ky-thi/{draft}/tep/{ready}",
        "hien /ky-thi/{waits}/tep/{imported}",
    ],
    "/ky-thi/{exam_code:str}/tep/{upload_id:str}/loi": ["hien /ky-thi/{draft}/tep/{wrong}/loi"],
    "/ky-thi/{exam_code:str}/dot/{batch_id:int}/hoan-tac": ["hien /ky-thi/{open}/dot/{batch}/hoan-tac"],
    "/ky-thi/{exam_code:str}/trinh-cong-bo": ["hien /ky-thi/{open}/trinh-cong-bo"],
    "/ky-thi/{exam_code:str}/trinh-thong-tin": ["hien /ky-thi/{draft}/trinh-thong-tin"],
    "/ky-thi/{exam_code:str}/go-bo": ["hung /ky-thi/{open}/go-bo"],
    "/ky-thi/{exam_code:str}/go-bo/{change:int}": ["hung /ky-thi/{down}/go-bo/{change}"],
    "/ky-thi/{exam_code:str}/may-chu": ["hung /ky-thi/{open}/may-chu", "hung /ky-thi/{draft}/may-chu"],
    "/ky-thi/{exam_code:str}/ma-mo-du-phong": ["hung /ky-thi/{open}/ma-mo-du-phong"],
    "/may-chu": ["hung /may-chu"],
    "/dau-hieu-do-tim": ["hung /dau-hieu-do-tim"],
    "/ky-thi/{exam_code:str}/dau-hieu-do-tim": ["hung /ky-thi/{open}/dau-hieu-do-tim"],
    # Approvals
    "/phe-duyet": ["hung /phe-duyet", "hung /phe-duyet?muc=da-xong", "hien /phe-duyet?muc=toi-trinh"],
    "/phe-duyet/uy-quyen": ["hung /phe-duyet/uy-quyen"],
    "/phe-duyet/{approval_id:str}": [
        "hung /phe-duyet/{release}", "hung /phe-duyet/{page}", "hung /phe-duyet/{renaming}",
        "thu /phe-duyet/{returned}",
    ],
    "/phe-duyet/{approval_id:str}/{act:str}": [
        "hung /phe-duyet/{release}/phe-duyet", "hung /phe-duyet/{release}/tra-lai",
        "hien /phe-duyet/{release}/rut-lai",
    ],
    # Units
    "/don-vi": ["hung /don-vi"],
    "/don-vi/{unit_code:str}": ["hung /don-vi/so", "hung /don-vi/{unit}", "hung /don-vi/{closed}"],
    "/don-vi/{unit_code:str}/sua": ["thu /don-vi/{unit}/sua"],
    "/don-vi/{unit_code:str}/nhap-danh-sach": ["hung /don-vi/so/nhap-danh-sach"],
    "/don-vi/{unit_code:str}/{act:str}": [
        "hung /don-vi/so/them-don-vi", "hung /don-vi/{unit}/doi-ten", "hung /don-vi/{unit}/dieu-chuyen",
        "hung /don-vi/{unit}/sap-nhap", "hung /don-vi/{unit}/giai-the",
    ],
    # Staff
    "/nhan-su": ["hung /nhan-su"],
    "/nhan-su/moi": ["hung /nhan-su/moi"],
    "/nhan-su/ten-mien/{unit_code:str}": ["hung /nhan-su/ten-mien/{unit}"],
    "/nhan-su/{officer_id:str}": ["hung /nhan-su/{officer}"],
    "/nhan-su/{officer_id:str}/ban-giao": ["hung /nhan-su/{officer}/ban-giao"],
    "/nhan-su/{officer_id:str}/ngung": ["hung /nhan-su/{officer}/ngung"],
    "/nhan-su/{officer_id:str}/the": ["hung /nhan-su/{officer}/the"],
    "/nhan-su/{officer_id:str}/thu-hoi/{unit_code:str}/{role:str}": ["hung /nhan-su/{officer}/thu-hoi/{unit}/editor"],
    "/nhan-su/{officer_id:str}/xac-thuc-hai-lop": ["hung /nhan-su/{officer}/xac-thuc-hai-lop"],
    # The record
    "/nhat-ky": ["nam /nhat-ky"],
}  # fmt: skip
# What a template says when it was given something else than it expected, and words that only programs use.
_NOT_WORDS = re.compile(r"None|undefined|\{\{|\{%|<class|\b[a-z]+_[a-z_]+\b|\b(True|False)\b")
# What the page says, codes left out.
_WORDS = """() => {
  const copy = document.querySelector("main").cloneNode(true);
  copy.querySelectorAll("code, option").forEach(code => code.remove());
  return copy.innerText;
}"""


@pytest.fixture
def width() -> int:
    """Each page is looked at in all widths without being fetched again."""
    return WIDTHS[0]


@pytest.fixture
def caught_mail(tmp_path) -> Path:
    folder = tmp_path / "mail"
    folder.mkdir()
    return folder


@pytest.fixture
async def department(connection, service, pool, tmp_path, pin_key, caught_mail):
    return await given_department(connection, service, pool, tmp_path, pin_key, caught_mail)


def test_every_page_is_visited():
    pages = {path.removeprefix("/can-bo") or "/" for method, path, _ in all_routes() if method == "GET"}
    assert pages - NO_PAGES == set(VISITS), "A new page wants an example in VISITS."


async def test_every_page_is_clean_everywhere(department, service, page):
    troubles = []
    for who, path in (each.split() for visits in VISITS.values() for each in visits):
        await become(page, service, department.secrets.get(who))
        troubles += [f"{path} ({who}): {trouble}" for trouble in await visit(page, path, department.there)]
    assert not troubles, "\n".join(troubles)


async def become(page: Page, service, secret: str | None) -> None:
    """Sit at the desk of somebody who has come in already."""
    await page.context.clear_cookies()
    if secret:
        home = service.url.replace("http:", "https:")
        cookie = {"name": COOKIE, "value": secret, "url": home, "secure": True, "httpOnly": True}
        await page.context.add_cookies([cookie])  # type: ignore[list-item]  # one of its shapes


async def visit(page: Page, path: str, there: dict[str, str]) -> list[str]:
    """What is wrong with the page."""
    address = f"/can-bo{path.format_map(there)}".rstrip("/")
    answer = await page.goto(address)
    assert answer
    if answer.status != 200 or not page.url.endswith(address):
        return [f"answers {answer.status} at {page.url}"]
    for more in await page.locator("main details > summary").all():
        await more.click()
    troubles = []
    try:
        await then_axe_finds_nothing(page)
    except AssertionError as found:
        troubles.append(str(found))
    for width in WIDTHS:
        await page.set_viewport_size({"width": width, "height": 740})
        troubles += [f"{width}: {trouble}" for trouble in await look_at(page)]
        await take_picture(page, path, width)
    words = await page.evaluate(_WORDS)
    troubles += [f"says {found[0]!r}" for found in _NOT_WORDS.finditer(words)]
    names = await page.locator("main dt").all_inner_texts()
    return troubles + [f"has no word for {name!r}" for name in names if not name[:1].isupper()]


async def take_picture(page: Page, path: str, width: int) -> None:
    """For whoever wants to look."""
    if not PICTURES:
        return
    name = re.sub(r"[^a-z0-9-]+", ".", path).strip(".") or "home"
    for scheme in ("dark", "light") if width == WIDTHS[-1] else ("light",):
        await page.emulate_media(color_scheme=scheme)
        await page.screenshot(path=Path(PICTURES) / f"{name}-{width}-{scheme}.png", full_page=True)
