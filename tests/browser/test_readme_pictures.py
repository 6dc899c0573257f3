"""The README shows the pages as they are: its pictures can be taken anew, and are not heavy."""

from tests.browser.exams import given_an_open_exam
from tests.browser.readme_pictures import FOLDER, SHOTS, take_readme_pictures

HEAVIEST = 120_000


async def test_the_readmes_pictures_are_those_that_the_browser_takes(browser, connection, service):
    await given_an_open_exam(connection, service, "demo-thpt")
    taken = await take_readme_pictures(browser, service.url)
    assert taken.keys() == {path.name for path in FOLDER.iterdir()}
    for name, picture in taken.items():
        kept = (FOLDER / name).read_bytes()
        assert width_of(kept) == width_of(picture) == SHOTS[name].width * SHOTS[name].sharpness
        assert len(kept) < HEAVIEST


def width_of(png: bytes) -> int:
    assert png.startswith(b"\x89PNG")
    return int.from_bytes(png[16:20], "big")
