"""The guide for officers leads to pages that are there, and names buttons as they are named."""

import re
from pathlib import Path

from tests.officers import given_officer, signed_in

TEMPLATES = Path(__file__).parents[3] / "templates"
GUIDE = "/can-bo/huong-dan"


async def test_every_link_of_the_guide_leads_somewhere(connection, service):
    hung = await given_officer(connection, "hung", ("so", "approver"), ("so", "administrator"))
    desk = await signed_in(service, hung)
    page = await desk.get(GUIDE)
    main = page.text[page.text.index("<main") : page.text.index("</main>")]
    links = set(re.findall(r'href="([^"]+)"', main))
    assert len(links) > 5
    for link in links:
        assert f'id="{link[1:]}"' in main if link[0] == "#" else (await desk.get(link)).status_code == 200
    assert "sau 5 phút" in main


async def test_the_first_page_leads_to_the_guide_and_strangers_sign_in_first(connection, service):
    desk = await signed_in(service, await given_officer(connection, "lan", ("so", "editor")))
    assert GUIDE in (await desk.get("/can-bo")).text
    assert (await service.visitor().get(GUIDE)).status_code == 303


def test_what_the_guide_puts_in_quotes_stands_on_a_page():
    guide = TEMPLATES / "officers" / "guide.html"
    others = "".join(file.read_text(encoding="utf-8") for file in TEMPLATES.rglob("*.html") if file != guide)
    named = re.findall(r"“([^”]+)”", guide.read_text(encoding="utf-8"))
    assert named
    assert not [words for words in named if words not in others]
