"""The pages around a lookup, served by the whole application."""

import gzip
import re
from datetime import date

import pytest

from server.legal_basis import laws_in_force

ADDRESSES = ["/", "/huong-dan", "/huong-dan/tra-cuu-diem-thi", "/quyen-rieng-tu", "/tai-lieu/api", "/tra-cuu/diem-thi"]


@pytest.mark.parametrize("address", ADDRESSES)
async def test_a_page_answers_in_both_languages(visitor, address):
    vietnamese = await visitor.get(address)
    english = await visitor.get(("/en" + address).rstrip("/"))
    assert (vietnamese.status_code, english.status_code) == (200, 200)
    assert vietnamese.headers["content-language"] == "vi"
    assert english.headers["content-language"] == "en"
    assert '<html lang="en">' in english.text


@pytest.mark.parametrize("address", ADDRESSES)
async def test_a_page_sets_no_cookie_and_keeps_to_its_own_house(visitor, address):
    answer = await visitor.get(address)
    assert "set-cookie" not in answer.headers
    assert "unsafe-inline" not in answer.headers["content-security-policy"]
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", answer.text)


async def test_what_a_page_is_dressed_in_is_kept_for_good(visitor):
    page = (await visitor.get("/")).text
    addresses = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page))
    assert {address.rpartition("/")[2] for address in addresses} == {"baodanh.css", "baodanh.js", "favicon.svg"}
    for address in addresses:
        answer = await visitor.get(address)
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_browser_that_takes_no_gzip_gets_the_same_bytes_plain(visitor):
    address = re.search(r'href="(/static/[^"]+\.css)"', (await visitor.get("/")).text)[1]
    plain = await visitor.get(address, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == (await visitor.get(address)).content
    assert len(gzip.compress(plain.content)) < len(plain.content)


async def test_a_page_of_another_version_is_dressed_too_but_not_for_good(visitor):
    answer = await visitor.get("/static/000000000000/baodanh.css")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "address",
    [
        "/static/000000000000/gone.css",
        "/static/0/../../pyproject.toml",
        "/static/0/%2e%2e/%2e%2e/etc/passwd",
        "/static/",
        "/static/0",
    ],
)
async def test_a_file_that_is_none_of_ours_is_not_found(visitor, address):
    assert (await visitor.get(address)).status_code == 404


async def test_every_picture_of_the_guide_is_there_in_both_languages(visitor):
    for address in ("/huong-dan/tra-cuu-diem-thi", "/en/huong-dan/tra-cuu-diem-thi"):
        pictures = re.findall(r'<img src="([^"]+)"', (await visitor.get(address)).text)
        assert len(pictures) == 4
        for picture in pictures:
            answer = await visitor.get(picture)
            assert answer.headers["content-type"] == "image/webp"
            assert answer.content[:4] == b"RIFF"


async def test_browsers_and_search_engines_find_what_they_ask_for_unasked(visitor):
    favicon = await visitor.get("/favicon.ico")
    assert favicon.headers["content-type"] == "image/x-icon"
    robots = await visitor.get("/robots.txt")
    assert "Disallow: /api/" in robots.text


async def test_an_unknown_page_is_kind_and_leads_on(visitor):
    answer = await visitor.get("/khong-co-trang-nay")
    assert answer.status_code == 404
    assert "Không có trang này" in answer.text
    assert 'href="/tra-cuu/diem-thi"' in answer.text


def test_the_privacy_page_cites_the_law_of_the_day():
    numbers = [law.number for law in laws_in_force(date(2026, 7, 1))]
    assert numbers == ["Luật số 91/2025/QH15", "Nghị định số 356/2025/NĐ-CP", "Thông tư số 37/2020/TT-BGDĐT"]
    assert "Luật số 91/2025/QH15" not in [law.number for law in laws_in_force(date(2025, 12, 31))]
