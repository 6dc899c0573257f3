"""Every row of a department's file, looked up through the API and on the page, shows just what the file says.

    make proofs every-row FILE=path/to/results.csv      (or .xlsx)

The file is read here by other means than the import's: csv and openpyxl, and compared as decimals.
"""

import asyncio
import csv
import html
import itertools
import re
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import httpx
import openpyxl
from playwright.async_api import async_playwright

from tests.browser.conftest import CHROMIUM_ARGUMENTS
from tests.install_browser import find_chromium
from tests.server.running import Running, reachable_folder, running

_SUBJECTS = {
    "Toán": "toan", "Ngữ văn": "ngu_van", "Ngoại ngữ": "ngoai_ngu", "Lịch sử": "lich_su", "Địa lí": "dia_li",
    "GD kinh tế và pháp luật": "gdktpl", "Vật lí": "vat_li", "Hóa học": "hoa_hoc", "Sinh học": "sinh_hoc",
    "Tin học": "tin_hoc", "GDCD": "gdcd", "Công nghệ công nghiệp": "cong_nghe_cong_nghiep",
    "Công nghệ nông nghiệp": "cong_nghe_nong_nghiep",
}  # fmt: skip
_CROWD = 16
# So many of the rows are looked up in Chromium too; the page that it gets is the one that all are compared on.
_IN_BROWSER = 100

Row = tuple[str, dict[str, Decimal]]


def main(path: Path) -> str:
    """Import, release, look up every row; returns the line for the record, or exits with the first difference."""
    rows = list(read_rows(path))
    started = time.monotonic()
    # The crowd comes from varied addresses, through a proxy that is trusted.
    trusting = {"TRUSTED_PROXIES": "127.0.0.1", "LOG_LEVEL": "WARNING"}
    with reachable_folder() as folder, running(folder / "state", **trusting) as service:
        service.command("exam", "add", "proof", "--name", "Kỳ thi", "--year", "2025", "--policy", "public")
        service.command("scores", "import", str(path), "--exam", "proof")
        service.command("scores", "release", "proof")
        asyncio.run(_compare_all(service, rows))
        asyncio.run(_compare_in_browser(service, rows[:: max(1, len(rows) // _IN_BROWSER)]))
    scores = sum(len(expected) for _, expected in rows)
    seconds = time.monotonic() - started
    told = f"every-row {path.name}: {len(rows)} candidates, {scores} scores"
    return f"{told}, API and page (some in Chromium) as in the file ({seconds:.0f} s)"


def read_rows(path: Path) -> Iterator[Row]:
    """Candidate number and scores by subject code; what stands above the header is skipped."""
    cells = iter(_read_cells(path))
    header = next(row for row in cells if "Số báo danh" in row)
    for row in cells:
        named = dict(zip(header, row, strict=False))
        if named.get("Số báo danh"):
            yield (
                named["Số báo danh"],
                {code: Decimal(named[title]) for title, code in _SUBJECTS.items() if named.get(title)},
            )


def _read_cells(path: Path) -> Iterator[list[str]]:
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from csv.reader(file)
        return
    for row in openpyxl.load_workbook(path, read_only=True).worksheets[0].iter_rows(values_only=True):
        yield ["" if cell is None else str(cell).strip() for cell in row]


async def _compare_all(service: Running, rows: list[Row]) -> None:
    queue = iter(enumerate(rows))

    async def visit(client: httpx.AsyncClient) -> None:
        for place, (number, expected) in queue:
            address = {"X-Real-IP": f"10.{place >> 16 & 255}.{place >> 8 & 255}.{place & 255}"}
            _compare(number, "API", await _ask_api(client, number, address), expected)
            _compare(number, "page", await _ask_page(client, number, address), sorted(expected.values()))

    async with httpx.AsyncClient(base_url=service.url, timeout=30) as client:
        await asyncio.gather(*(visit(client) for _ in range(_CROWD)))


async def _compare_in_browser(service: Running, rows: list[Row]) -> None:
    """As a candidate does it, on a phone: type the number, press the button, read the card."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_ARGUMENTS)
        page = await browser.new_page(viewport={"width": 360, "height": 740})
        for place, (number, expected) in enumerate(rows):
            await page.set_extra_http_headers({"X-Real-IP": f"10.200.0.{place % 250}"})
            await page.goto(f"{service.url}/tra-cuu/diem-thi/proof")
            await page.get_by_label("Số báo danh").fill(number)
            await page.keyboard.press("Enter")
            await page.get_by_text(number, exact=True).first.wait_for()
            shown = [Decimal(text.replace(",", ".")) for text in await page.locator(".score").all_inner_texts()]
            _compare(number, "browser", sorted(shown), sorted(expected.values()))
        await browser.close()


async def _ask_api(client: httpx.AsyncClient, number: str, headers: dict[str, str]) -> dict[str, Decimal]:
    answer = await client.get(f"/api/v1/exams/proof/results/{number}", headers=headers)
    answer.raise_for_status()
    result = answer.json(parse_float=Decimal, parse_int=Decimal)
    assert result["candidate_number"] == number
    return {component["subject"]: component["score"] for component in result["components"]}


async def _ask_page(client: httpx.AsyncClient, number: str, headers: dict[str, str]) -> list[Decimal]:
    page = await client.post("/tra-cuu/diem-thi/proof", data={"candidate_number": number}, headers=headers)
    page.raise_for_status()
    text = html.unescape(page.text)
    assert number in text
    return sorted(
        Decimal(score.replace(",", ".")) for score in re.findall(r'class="score"[^>]*>\s*([0-9]+,[0-9]{2})', text)
    )


def _compare(number: str, where: str, shown: object, expected: object) -> None:
    if shown != expected:
        raise SystemExit(f"{number}: {where} shows {shown}, the file says {expected}")


if __name__ == "__main__":
    for name in itertools.islice(sys.argv, 1, None):
        print(main(Path(name)))
