"""The key on paper: asked for with the approval, fetched once by whoever may hold it, typed in when all is dead."""

import asyncio
import io
import os
import re
import sys
from datetime import timedelta

import msgspec
import pytest

from kit.clock import utc_now
from kit.errors import UsageError
from lookup.releases import withdraw
from lookup.sealed.release_folder import bundle_path, read_key
from lookup.sealed.release_keys import ReleaseKeys
from lookup.sealed.slip_keeping import make_slips
from lookup.sealed.slip_opening import put_on_record
from lookup.sealed.slips import Slip, read_slip, write_slip
from server.commands.score_open import open_with_slip
from tests.exams import given_exam
from tests.lookup.desk import Office, batches_of, given_batch, given_draft, hand_in, text_of, waiting
from tests.lookup.sealed.delivered import SECOND, given_stored
from tests.officers import given_officer, given_unit, keys_of, signed_in

EXAM = "thi-thu"
PAGE = f"/can-bo/ky-thi/{EXAM}/ma-mo-du-phong"
NOWHERE = "postgresql://baodanh@/baodanh?host=/nowhere"
TOMORROW = {"when": "moment", "opens_day": "2026-07-02", "opens_hour": "8:00"}


@pytest.fixture
def office(service, connection, pool, tmp_path, pin_key):
    return Office(service, connection, pool, tmp_path, pin_key)


async def approved(office, connection, **wishes):
    """A release for tomorrow, handed in by Hiền and approved by Hùng, at whose desk we are."""
    hien, hung = await office.hien(), await office.hung()
    await given_draft(hien)
    await given_batch(office, hien)
    assert (await hand_in(hien, await batches_of(connection), **TOMORROW)).status_code == 303
    approval = f"/can-bo/phe-duyet/{await waiting(connection)}/phe-duyet"
    assert "Xin mã mở dự phòng" in (await hung.get(approval)).text
    assert (await hung.submit(approval, **wishes)).status_code == 303
    return hung


async def wanted(connection):
    return await connection.fetchval("select wants_slip from lookup.releases where exam_code = $1", EXAM)


async def on_record(connection, action):
    rows = await connection.fetch("select details::text from units.record_entries where action = $1", action)
    return [row["details"] for row in rows]


async def test_the_approver_may_ask_for_it_and_need_not(office, connection):
    await approved(office, connection)
    assert not await wanted(connection)
    assert await on_record(connection, "release.slip_asked") == []


async def test_what_was_asked_for_stands_on_the_record(office, connection):
    hung = await approved(office, connection, slip="1")
    assert await wanted(connection)
    assert len(await on_record(connection, "release.slip_asked")) == 1
    # Not made yet: the worker makes it once the file lies ready.
    assert "ngay sau khi niêm phong" in text_of(await hung.get(PAGE))
    assert (await hung.submit(PAGE)).status_code == 409


@pytest.fixture
async def desks(connection, service):
    """Everybody who might want it, each at a desk."""
    await given_exam(connection, EXAM)
    await given_unit(connection, "thpt")
    roles = {
        "approver": ("so", "approver"), "administrator": ("so", "administrator"), "editor": ("so", "editor"),
        "auditor": ("so", "auditor"), "operator": ("so", "operator"), "elsewhere": ("thpt", "approver"),
    }  # fmt: skip
    await service.hears_all_changes()
    return {name: await signed_in(service, await given_officer(connection, name, role)) for name, role in roles.items()}


@pytest.fixture
def stored(connection, settings, tmp_path, desks):
    async def stored(**facts):
        facts = {"wants_slip": True, "records": 5, "opens_in": timedelta(days=400)} | facts
        return await given_stored(connection, keys_of(settings), tmp_path / "made", EXAM, **facts)

    return stored


async def made(pool, settings):
    keys = keys_of(settings)
    await make_slips(pool, keys, ReleaseKeys(keys).unwrap)


async def test_it_is_fetched_once_and_then_nowhere(connection, pool, settings, desks, stored):
    release = await stored()
    await made(pool, settings)
    hidden = await connection.fetchval("select slip from lookup.key_slips")
    text = write_slip(Slip(EXAM, 1, release.id, release.key))
    assert release.key not in hidden
    assert text.splitlines()[1].encode() not in hidden, "a copy of the table opens nothing"
    assert "Lấy mã" in (await desks["approver"].get(PAGE)).text
    assert await connection.fetchval("select slip from lookup.key_slips") == hidden, (
        "looking at the page fetches nothing"
    )
    answer = await desks["approver"].submit(PAGE)
    shown = re.search(r"<pre class=\"key-slip\"[^>]*>(.*?)</pre>", answer.text, re.DOTALL)
    assert shown
    assert read_slip(shown[1]) == Slip(EXAM, 1, release.id, release.key)
    assert answer.headers["cache-control"] in ("no-store", "private, no-store")
    assert await connection.fetchval("select slip from lookup.key_slips") is None
    await made(pool, settings)
    assert await connection.fetchval("select slip from lookup.key_slips") is None, "nor is it made again"
    for desk in (desks["approver"], desks["administrator"]):
        assert (await desk.submit(PAGE)).status_code == 409
        assert "Bà approver" in text_of(await desk.get(PAGE))
    (details,) = await on_record(connection, "release.slip_fetched")
    assert release.key.hex() not in details
    letters = [row["key"] for row in await connection.fetch("select key from kit.mails where key like 'key-slip:%'")]
    assert letters == [], "nobody else approves here"


async def test_the_other_approvers_are_told_by_mail(connection, service, pool, settings, desks, stored):
    other = await given_officer(connection, "ha", ("so", "approver"))
    await stored()
    await made(pool, settings)
    assert (await desks["approver"].submit(PAGE)).status_code == 200
    letters = [
        row["recipient"]
        for row in await connection.fetch("select recipient from kit.mails where key like 'key-slip:%'")
    ]
    assert letters == [other.email]


async def test_two_who_ask_at_once_get_it_once(connection, pool, settings, desks, stored):
    await stored()
    await made(pool, settings)
    answers = await asyncio.gather(*(desks[name].submit(PAGE) for name in ("approver", "administrator")))
    assert sorted(answer.status_code for answer in answers) == [200, 409]


@pytest.mark.parametrize(
    ("who", "page", "watch"),
    [
        ("approver", 200, 200), ("administrator", 200, 200), ("editor", 403, 200), ("auditor", 403, 200),
        ("operator", 404, 200), ("elsewhere", 404, 404),
    ],
)  # fmt: skip
async def test_who_may_hold_it_and_who_may_look_at_the_nodes(pool, settings, desks, stored, who, page, watch):
    await stored()
    await made(pool, settings)
    assert (await desks[who].get(PAGE)).status_code == page
    assert (await desks[who].submit(PAGE)).status_code == page
    assert (await desks[who].get(f"/can-bo/ky-thi/{EXAM}/may-chu")).status_code == watch
    overview = await desks[who].get("/can-bo/may-chu")
    assert (overview.status_code, EXAM in overview.text) == (200, watch == 200)


@pytest.mark.parametrize("what", ["withdrawn", "open", "sealed anew"])
async def test_one_that_opens_nothing_any_more_is_erased(connection, pool, settings, desks, stored, what):
    release = await stored(opens_in=timedelta(seconds=-1))
    await made(pool, settings)
    match what:
        case "withdrawn":
            await withdraw(connection, EXAM)
        case "open":
            await connection.execute(
                "update lookup.bundles set opening_key = $1, key_sent_at = now() where id = $2", release.key, release.id
            )
        case _:
            await stored(opens_in=timedelta(seconds=-1))
    await made(pool, settings)
    left = await connection.fetch("select bundle_id from lookup.key_slips where slip is not null")
    assert release.id not in [row["bundle_id"] for row in left]


@pytest.fixture
def node(settings):
    """A node with its folder, and neither PostgreSQL nor Redis."""
    environ = os.environ | {
        "STATE_DIR": str(settings.state_dir),
        "DATABASE_URL": NOWHERE,
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }

    async def run(slip):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "server", "scores", "open", EXAM, "--key", "-",
            env=environ, stdin=-1, stdout=-1, stderr=-1,
        )  # fmt: skip
        process.stdin.write(slip.encode())
        process.stdin.close()
        return process

    return run


@pytest.fixture
async def there(connection, settings, tmp_path):
    """Makes a release whose file lies on the node."""
    await given_exam(connection, EXAM)

    async def there(**facts):
        release = await given_stored(connection, keys_of(settings), tmp_path / "made", EXAM, records=5, **facts)
        settings.releases_folder.mkdir(exist_ok=True)
        bundle_path(settings.releases_folder, release.id).write_bytes(release.content)
        return release, Slip(EXAM, release.generation, release.id, release.key)

    return there


async def test_with_everything_dead_it_opens_this_node_at_the_moment_and_not_before(
    there, node, settings, connection, pool
):
    release, slip = await there(opens_in=8 * SECOND)
    process = await node(write_slip(slip))
    while utc_now() < release.opens_at:
        assert read_key(settings.releases_folder, release.id) is None or utc_now() >= release.opens_at
        await asyncio.sleep(0.01)
    said, complained = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0, complained
    assert read_key(settings.releases_folder, release.id) == release.key
    assert f"{EXAM}, generation 1".encode() in said
    assert b"Opens at" in complained
    # Once PostgreSQL is back.
    await put_on_record(pool, settings.releases_folder, "node-a")
    await put_on_record(pool, settings.releases_folder, "node-a")
    (details,) = await on_record(connection, "release.opened_by_slip")
    assert "node-a" in details
    assert release.key.hex() not in details


async def test_who_gives_up_before_the_moment_leaves_nothing(there, node, settings):
    release, slip = await there(opens_in=timedelta(hours=1))
    process = await node(write_slip(slip))
    line = await asyncio.wait_for(process.stderr.readline(), 20)
    assert b"Opens at" in line
    process.send_signal(2)
    await process.communicate()
    assert process.returncode == 130
    assert sorted(path.name for path in settings.releases_folder.iterdir()) == [f"{release.id}.bundle"]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ("misheard", "Group 3 of the slip"),
        ("nothing", "This is no key slip"),
        ("another exam", "for the exam 'thi-thu', not for 'thpt-2026'"),
        ("another key", "does not open its file"),
        ("not here", "does not lie in"),
        ("another generation", "its file on this node is generation 1"),
        ("an argument", "can be read by others"),
        ("taken down", "taken down or replaced"),
    ],
)
async def test_what_does_not_fit_is_refused_in_one_sentence_and_writes_nothing(
    there, settings, connection, monkeypatch, wrong, sentence
):
    release, slip = await there(opens_in=timedelta(seconds=-1))
    text, exam, key, database = write_slip(slip), EXAM, "-", NOWHERE
    match wrong:
        case "misheard":
            signs = text.split()
            signs[6] = ("Z" if signs[6][0] != "Z" else "Y") + signs[6][1:]
            text = " ".join(signs)
        case "nothing":
            text = ""
        case "another exam":
            exam = "thpt-2026"
        case "another key":
            text = write_slip(Slip(EXAM, 1, release.id, b"x" * 32))
        case "not here":
            text = write_slip(Slip(EXAM, 1, release.id + 1, release.key))
        case "another generation":
            text = write_slip(Slip(EXAM, 2, release.id, release.key))
        case "an argument":
            key = text
        case "taken down":
            await withdraw(connection, EXAM)
            database = settings.database_url
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    there_are = msgspec.structs.replace(settings, database_url=database)
    with pytest.raises(UsageError, match=re.escape(sentence)):
        await asyncio.to_thread(open_with_slip, there_are, exam, key)
    assert not list(settings.releases_folder.glob("*.key"))
    assert not list(settings.releases_folder.glob("*.slip-used"))
