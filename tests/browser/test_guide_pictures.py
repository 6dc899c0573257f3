"""The guide shows the pages as they are: its pictures can be taken anew, and fit where they stand."""

import re
from datetime import timedelta

from lookup.releases import release
from tests.browser.guide_pictures import FOLDER, PHONE_WIDTH, PICTURES, take_guide_pictures
from tests.exams import given_exam, given_results, paper_of
from tests.people import AN, MINH, MORNING

GUIDE = FOLDER.parents[1] / "server" / "score_lookup_guide.html"


async def test_the_guides_pictures_are_those_that_the_browser_takes(browser, connection, service):
    await given_the_exams_of_the_guide(connection, service)
    taken = await take_guide_pictures(browser, service.url)
    kept = {path.relative_to(FOLDER).as_posix(): path.read_bytes() for path in FOLDER.rglob("*.webp")}
    assert {name: size(picture) for name, picture in taken.items()} == {
        name: size(picture) for name, picture in kept.items()
    }
    assert max(map(len, kept.values())) < 60_000


def test_each_picture_stands_in_the_guide_in_its_own_size():
    places = re.findall(r'picture\("(\w+)", .+, (\d+), (\d+)\)', GUIDE.read_text(encoding="utf-8"))
    assert [(name, int(width), int(height)) for name, width, height in places] == [
        (picture.name, PHONE_WIDTH, picture.height) for picture in PICTURES
    ]


async def given_the_exams_of_the_guide(connection, service) -> None:
    for code, opens_at in (("demo-thpt", MORNING), ("demo-sap-cong-bo", MORNING + timedelta(hours=24))):
        exam = await given_exam(connection, code)
        await given_results(connection, exam, [paper_of(MINH), paper_of(AN)])
        await release(connection, exam.code, opens_at=opens_at)
    await service.hears_all_changes()


def size(webp: bytes) -> tuple[int, int]:
    """Width and height in pixels, as an extended WebP says in its first chunk."""
    assert webp[12:16] == b"VP8X"
    return 1 + int.from_bytes(webp[24:27], "little"), 1 + int.from_bytes(webp[27:30], "little")
