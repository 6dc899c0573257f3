"""A hundred officers sign in at the same instant, and lookups on the same service go on as before.

    make proofs NAME=sign-ins

Passwords cost what they cost in earnest. Lookups come as they do on a quiet day, from a few visitors who pause between
them; what they wait for is measured with and without the officers.
"""

import asyncio
import itertools
import re
import time
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

import asyncpg
import httpx

from kit.keys import KeyRing
from tests.officers import PASSWORD, TOTP_SECRET, code_at
from tests.server.running import Running, reachable_folder, running
from units.officers.hashing import PasswordHashing
from units.officers.two_factor import seal

_OFFICERS, _CANDIDATES, _VISITORS = 100, 500, 8
_PAUSE, _QUIET_SECONDS = 0.02, 8.0


def main() -> str:
    """Run it; returns the line for the record, or exits with what went wrong."""
    quiet_service = {"TRUSTED_PROXIES": "127.0.0.1", "LOG_LEVEL": "WARNING"}
    with reachable_folder() as folder, running(folder / "state", **quiet_service) as service:
        _publish(service, folder / "results.csv")
        return asyncio.run(_measure(service))


def _publish(service: Running, file: Path) -> None:
    rows = (f"{99_000_000 + place};{place % 10},25;{place % 7},5" for place in range(1, _CANDIDATES + 1))
    file.write_text("\n".join(["Số báo danh;Toán;Ngữ văn", *rows]), encoding="utf-8")
    service.command("exam", "add", "proof", "--name", "Kỳ thi", "--year", "2026", "--policy", "public")
    service.command("scores", "import", str(file), "--exam", "proof")
    service.command("scores", "release", "proof")


async def _measure(service: Running) -> str:
    emails = await _add_officers(service)
    done = asyncio.Event()
    alone = asyncio.create_task(_look_up(service, done))
    await asyncio.sleep(_QUIET_SECONDS)
    done.set()
    quiet = await alone
    done.clear()
    besides = asyncio.create_task(_look_up(service, done))
    started = time.monotonic()
    told_to_wait: list[str] = []
    waits = await asyncio.gather(*(_sign_in(service, email, place, told_to_wait) for place, email in enumerate(emails)))
    seconds = time.monotonic() - started
    done.set()
    crowded = await besides
    return (
        f"sign-ins: {_OFFICERS} officers at once, all in within {seconds:.1f} s (half within {_at(waits, 50):.1f} s), "
        f"{len(told_to_wait)} told to come back; p99 of lookups meanwhile {_at(crowded, 99) * 1000:.0f} ms "
        f"({len(crowded)}), without sign-ins {_at(quiet, 99) * 1000:.0f} ms ({len(quiet)}); none failed"
    )


async def _add_officers(service: Running) -> list[str]:
    password_hash = await PasswordHashing().make(PASSWORD)
    keys, now = KeyRing(service.state_dir / "keys"), datetime.now(UTC)
    emails = [f"officer{place}@vangiang.edu.vn" for place in range(_OFFICERS)]
    connection = await asyncpg.connect(service.service.database_url)
    for email in emails:
        officer_id = await connection.fetchval("select gen_random_uuid()::text")
        await connection.execute(
            "insert into units.officers (id, email, state, password_hash, password_changed_at, totp_secret, created_at)"
            " values ($1::text::uuid, $2, 'active', $3, $4, $5, $4)",
            officer_id, email, password_hash, now, seal(keys, officer_id, TOTP_SECRET),
        )  # fmt: skip
    await connection.close()
    return emails


async def _look_up(service: Running, done: asyncio.Event) -> list[float]:
    """What visitors waited for, in seconds, until `done`."""
    numbers, waits = itertools.count(1), []

    async def visit(client: httpx.AsyncClient) -> None:
        while not done.is_set():
            number = 99_000_000 + next(numbers) % _CANDIDATES + 1
            headers = {"X-Real-IP": f"10.0.{number % 200}.{number % 250}"}
            started = time.monotonic()
            answer = await client.get(f"/api/v1/exams/proof/results/{number}", headers=headers)
            waits.append(time.monotonic() - started)
            if answer.status_code != httpx.codes.OK:
                raise SystemExit(f"A lookup was answered {answer.status_code}: {answer.text}")
            await asyncio.sleep(_PAUSE)

    async with httpx.AsyncClient(base_url=service.url, timeout=30) as client:
        await asyncio.gather(*(visit(client) for _ in range(_VISITORS)))
    return waits


async def _sign_in(service: Running, email: str, place: int, told_to_wait: list[str]) -> float:
    """Password and code, as a browser sends them; how long both took."""
    started, cookies = time.monotonic(), {}
    headers = {"X-Real-IP": f"10.1.{place}.1", "Origin": service.url}

    async def step(client: httpx.AsyncClient, path: str, **typed: str) -> None:
        told = headers | {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
        page = await client.get(path, headers=told)
        _keep(cookies, page)
        told["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
        fields = {name: unescape(value) for name, value in hidden.items()} | typed
        answer = await client.post(path, data=fields, headers=told)
        while answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            told_to_wait.append(email)
            await asyncio.sleep(int(answer.headers["Retry-After"]))
            answer = await client.post(path, data=fields, headers=told)
        if answer.status_code != httpx.codes.SEE_OTHER:
            raise SystemExit(f"{path} answered {answer.status_code} to {email}")
        _keep(cookies, answer)

    async with httpx.AsyncClient(base_url=service.url, timeout=60) as client:
        await step(client, "/can-bo/dang-nhap", email=email, password=PASSWORD)
        await step(client, "/can-bo/xac-thuc", code=code_at(datetime.now(UTC)))
    return time.monotonic() - started


def _keep(cookies: dict[str, str], answer: httpx.Response) -> None:
    for line in answer.headers.get_list("set-cookie"):
        name, _, rest = line.partition("=")
        cookies[name] = rest.partition(";")[0]


def _at(waits: list[float], percent: int) -> float:
    return sorted(waits)[min(len(waits) - 1, len(waits) * percent // 100)]
