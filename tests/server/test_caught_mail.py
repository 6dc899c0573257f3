"""Letters of a service that somebody only tries: seen on this machine, by nobody else, and never as a page of ours."""

import os
import smtplib
import socket
from pathlib import Path

import httpx
import msgspec
import pytest

from kit.mail.message import compose
from kit.mail.post import Letter
from server.caught_mail import linked
from server.embedded.mail_catcher import NEWEST, keep
from server.running.caught_mail import MailCatcher
from server.settings import load_settings
from tests.people import MORNING
from tests.server.running import reachable_folder, running, until

PAGE = "/can-bo/thu-da-gui"
HTML = "<script>alert(1)</script><p>Chào</p>"


def a_mail(
    subject="Mời tham gia", text="Mở: http://127.0.0.1:8000/can-bo/thiet-lap?ma=abc\n", to="lan@vangiang.edu.vn"
):
    letter = Letter(subject=subject, text=text, html=HTML)
    return bytes(compose(letter, sender="a@localhost", recipient=to, message_id="<1@localhost>", at=MORNING))


@pytest.fixture
def caught_mail(tmp_path) -> Path:
    folder = tmp_path / "mail"
    folder.mkdir()
    return folder


@pytest.fixture
def settings(settings):
    # A service on trial has no proxies in front of it.
    return msgspec.structs.replace(settings, trusted_proxies=())


@pytest.fixture
async def here(service):
    """On this machine, with nothing in between."""
    async with httpx.AsyncClient(base_url=service.url, timeout=20) as client:
        yield client


async def test_letters_are_listed_newest_first_and_read_with_their_links(here, caught_mail):
    keep(caught_mail, a_mail("Thư thứ nhất"))
    newest = keep(caught_mail, a_mail("Thư thứ hai"))
    page = (await here.get(PAGE)).text
    assert page.index("Thư thứ hai") < page.index("Thư thứ nhất")
    assert "lan@vangiang.edu.vn" in page
    letter = await here.get(f"{PAGE}/{newest.stem}")
    link = "http://127.0.0.1:8000/can-bo/thiet-lap?ma=abc"
    assert f'<a href="{link}">{link}</a>' in letter.text
    assert "alert(1)" not in letter.text
    assert letter.headers["cache-control"] == "no-store"


async def test_an_empty_list_says_what_to_do(here):
    assert "Chưa có thư nào" in (await here.get(PAGE)).text


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "203.0.113.7"},
        {"x-forwarded-host": "diemthi.example.vn"},
        {"Forwarded": "for=203.0.113.7"},
        {"X-Real-IP": "127.0.0.1"},
        {"Via": "1.1 proxy"},
        {"Host": "diemthi.example.vn"},
        {"Host": "127.0.0.1.example.vn"},
        {"Host": "[::1"},
    ],
    ids=lambda headers: " ".join(f"{name}: {value}" for name, value in headers.items()),
)
async def test_whoever_comes_through_somebody_else_finds_nothing(here, caught_mail, headers):
    mail = keep(caught_mail, a_mail())
    for path in (PAGE, f"{PAGE}/{mail.stem}"):
        assert (await here.get(path)).status_code == 200
        refused = await here.get(path, headers=headers)
        assert refused.status_code == 404
        assert "thiet-lap" not in refused.text


class TestAService:
    @pytest.fixture
    def caught_mail(self):
        return None

    async def test_that_sends_its_mail_has_no_such_page(self, here):
        assert (await here.get(PAGE)).status_code == 404
        assert (await here.get(f"{PAGE}/{'0' * 20}-{'0' * 8}")).status_code == 404


@pytest.mark.parametrize("name", ["..%2F..%2Fkeys%2Fpin.1", "x", "0" * 20, f"{'0' * 20}-{'0' * 8}", "%00"])
async def test_a_name_that_is_no_letters_finds_nothing(here, caught_mail, name):
    assert (await here.get(f"{PAGE}/{name}")).status_code == 404


def test_only_links_into_this_service_can_be_followed():
    home = "http://127.0.0.1:8000"
    text = f'{home}/a?b=1&c="><script> http://127.0.0.1:80001/x https://evil.example {home}.'
    assert linked(text, home=home) == (
        '<a href="http://127.0.0.1:8000/a?b=1&amp;c=">http://127.0.0.1:8000/a?b=1&amp;c=</a>&#34;&gt;&lt;script&gt; '
        'http://127.0.0.1:80001/x https://evil.example <a href="http://127.0.0.1:8000">http://127.0.0.1:8000</a>.'
    )


def test_the_newest_letters_are_kept_for_our_eyes_only(caught_mail):
    kept = [keep(caught_mail, b"Subject: x\n\n") for _ in range(NEWEST + 3)]
    assert sorted(caught_mail.iterdir()) == sorted(kept[3:])
    assert {path.stat().st_mode & 0o777 for path in caught_mail.iterdir()} == {0o600}


@pytest.mark.parametrize(
    "environ",
    [
        {"DATABASE_URL": "postgresql://a@h/d"},
        {"SMTP_URL": "smtp://mail.example.vn"},
        {"PUBLIC_URL": "https://diemthi.example.vn"},
        {"TRUSTED_PROXIES": "10.0.0.1"},
    ],
    ids=lambda environ: next(iter(environ)),
)
def test_letters_are_caught_only_where_nothing_says_that_others_use_the_service(environ):
    assert MailCatcher.is_wanted(load_settings({}))
    assert not MailCatcher.is_wanted(load_settings(environ))


@pytest.fixture(scope="module")
def trial():
    with reachable_folder() as folder, running(folder / "state") as started:
        until(lambda: started.answers("/readyz"), started.told)
        yield started


def test_a_service_on_trial_says_where_its_letters_are_and_shows_them(trial):
    assert f"{trial.url}{PAGE}" in trial.said
    send(trial, "Thư thử nghiệm")
    until(lambda: "Thư thử nghiệm" in httpx.get(trial.url + PAGE).text, trial.told)
    assert httpx.get(trial.url + PAGE, headers={"X-Forwarded-For": "203.0.113.7"}).status_code == 404
    assert httpx.get(f"{trial.url}/readyz").json() == {"ready": True, "degraded": []}


def send(trial, subject):
    """Hand a mail to the catcher where the worker would."""
    (worker,) = until(lambda: trial.pids("worker_process"), trial.told)
    url = next(line for line in Path(f"/proc/{worker}/environ").read_text().split("\0") if line.startswith("SMTP_URL"))
    with OnSocket(url.partition("://")[2]) as client:
        client.sendmail("a@localhost", ["lan@vangiang.edu.vn"], a_mail(subject))


class OnSocket(smtplib.SMTP):
    def _get_socket(self, host, _port, _timeout):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(host)
        return connection


def test_a_killed_catcher_comes_back_to_the_same_place(trial):
    (victim,) = until(lambda: trial.pids("mail_catcher"), trial.told)
    send(trial, "Trước")
    os.kill(victim, 9)
    until(lambda: trial.pids("mail_catcher") - {victim}, trial.told)
    send(trial, "Sau")
    until(lambda: "Sau" in httpx.get(trial.url + PAGE).text, trial.told)
    assert "Trước" in httpx.get(trial.url + PAGE).text


def test_without_a_mail_server_a_public_service_says_that_mail_waits(place):
    with running(place / "state", PUBLIC_URL="https://diemthi.example.vn") as service:
        until(lambda: service.answers("/readyz"), service.told)
        assert httpx.get(f"{service.url}/readyz").json() == {"ready": True, "degraded": ["mail"]}
        assert httpx.get(service.url + PAGE).status_code == 404
        assert not service.pids("mail_catcher")
        assert f"{service.url}{PAGE}" not in service.said
