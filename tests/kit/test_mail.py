"""A letter leaves once, with the transaction it tells of, and arrives as it was written."""

import asyncio
import shutil
from datetime import timedelta
from email import message_from_bytes
from email.header import decode_header, make_header
from email.headerregistry import Address
from email.policy import default
from email.utils import parseaddr
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.keys import KeyRing
from kit.mail.delivery import count_mails, deliver, forget_old_mails
from kit.mail.message import compose
from kit.mail.post import Letter, Post
from kit.mail.smtp_server import SmtpServer, read_smtp_url
from kit.pages import Pages
from kit.queue import TryAgain
from tests.mailbox import deliver_all
from tests.people import MORNING

SENDER = "Sở Giáo dục và Đào tạo tỉnh Văn Giang <khong-tra-loi@vangiang.edu.vn>"
LAN = "lan@vangiang.edu.vn"
LAYOUT = Path(__file__).parents[2] / "templates" / "mail" / "layout.html"
LETTER = """{% extends "mail/layout.html" %}
{% block subject %}Mời {{ name }} tham gia hệ thống tra cứu điểm thi của Sở Giáo dục và Đào tạo{% endblock %}
{% block body %}<p>Kính gửi {{ name }},</p><p><a class="button" href="{{ link('/can-bo') }}">Mở khu vực</a></p>
{% endblock %}"""


@pytest.fixture
def keys(settings):
    return KeyRing(settings.keys_folder)


@pytest.fixture
def post(keys, tmp_path):
    folder = tmp_path / "templates"
    shutil.copytree(Path(__file__).parents[2] / "templates" / "locale", folder / "locale")
    for name, text in {"layout": LAYOUT.read_text(encoding="utf-8"), "greeting": LETTER}.items():
        (folder / "mail").mkdir(exist_ok=True)
        (folder / "mail" / f"{name}.html").write_text(text, encoding="utf-8")
    return Post(Pages(folder), keys, home="https://diemthi.example.vn", sender=SENDER)


async def given_mail(post, connection, key="greeting:1", name="Lê Thị Ngọc Lan"):
    async with connection.transaction():
        await post.send(connection, "greeting", to=LAN, key=key, now=MORNING, name=name)


async def the_mail(connection, key="greeting:1"):
    return await connection.fetchrow("select * from kit.mails where key = $1", key)


async def test_a_letter_arrives_as_text_and_html_with_proper_headers(post, connection, settings, mailbox):
    await given_mail(post, connection)
    (mail,) = await mailbox.receive(settings)
    message = mail.message
    assert mail.to == [LAN]
    assert mail.subject == ("Mời Lê Thị Ngọc Lan tham gia hệ thống tra cứu điểm thi của Sở Giáo dục và Đào tạo")
    assert message["From"].addresses[0].addr_spec == "khong-tra-loi@localhost"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime == MORNING
    assert message["To"] == LAN
    assert "Kính gửi Lê Thị Ngọc Lan," in mail.text
    assert mail.links == ["https://diemthi.example.vn/can-bo"]
    assert 'href="https://diemthi.example.vn/can-bo"' in mail.html
    assert all(len(line) <= 998 for line in mail.raw.splitlines())
    assert mail.raw.isascii()


async def test_a_letter_of_a_transaction_that_was_rolled_back_is_never_sent(post, connection, settings, mailbox):
    transaction = connection.transaction()
    await transaction.start()
    await post.send(connection, "greeting", to=LAN, key="greeting:1", now=MORNING, name="Lan")
    await transaction.rollback()
    assert await mailbox.receive(settings) == []
    assert await connection.fetchval("select count(*) from kit.pgqueuer") == 0


async def test_the_same_occasion_is_written_about_once(post, connection, settings, mailbox):
    await given_mail(post, connection)
    await given_mail(post, connection)
    await given_mail(post, connection, key="greeting:2")
    assert len(await mailbox.receive(settings)) == 2
    assert await connection.fetchval("select count(*) from kit.pgqueuer") == 2


async def test_what_was_sent_is_erased_and_not_sent_again(post, connection, pool, keys, settings, mailbox):
    await given_mail(post, connection)
    assert (await the_mail(connection))["sealed"]
    await mailbox.receive(settings)
    mail = await the_mail(connection)
    assert (mail["sealed"], mail["sent_at"], mail["attempts"]) == (None, MORNING, 1)
    outcome = await deliver(pool, keys, read_smtp_url(mailbox.url), "greeting:1", sender=SENDER, now=MORNING)
    assert (outcome, len(mailbox.mails)) == ("was_done", 1)


async def test_nothing_readable_waits_in_the_database(post, connection):
    await given_mail(post, connection)
    mail = await the_mail(connection)
    payload = await connection.fetchval("select payload from kit.pgqueuer")
    assert "Ngọc".encode() not in mail["sealed"]
    assert payload == b"greeting:1"


async def test_a_server_that_hesitates_is_asked_again_after_a_growing_while(post, connection, pool, settings, mailbox):
    await given_mail(post, connection)
    mailbox.answers = ["451 4.7.1 greylisted, dear lan@vangiang.edu.vn"] * 6
    delays = []
    for _ in range(6):
        with pytest.raises(TryAgain) as caught:
            await deliver_all(pool, settings, mailbox)
        delays.append(caught.value.delay / timedelta(minutes=1))
    assert delays == [1, 2, 5, 15, 60, 60]
    assert (await the_mail(connection))["last_problem"] == "SMTPDataError 451 4.7.1"
    (mail,) = await mailbox.receive(settings)
    assert mail.message["Message-ID"] == (await the_mail(connection))["message_id"]


async def test_a_refusal_for_good_is_final_and_its_reason_names_nobody(post, connection, settings, mailbox):
    await given_mail(post, connection)
    mailbox.refuses[LAN] = f"550 5.1.1 {LAN}: no such user"
    await mailbox.receive(settings)
    mail = await the_mail(connection)
    assert (mail["given_up_at"], mail["sent_at"], mail["sealed"]) == (MORNING, None, None)
    assert mail["last_problem"] == "SMTPRecipientRefused 550 5.1.1"
    mailbox.refuses.clear()
    assert await mailbox.receive(settings) == []


async def test_content_that_is_refused_for_good_is_given_up(post, connection, settings, mailbox):
    await given_mail(post, connection)
    mailbox.answers = ["554 5.7.1 looks like spam"]
    await mailbox.receive(settings)
    assert (await the_mail(connection))["last_problem"] == "SMTPDataError 554 5.7.1"


async def test_a_server_that_stays_away_for_two_days_is_not_waited_for_longer(post, connection, pool, keys):
    await given_mail(post, connection)
    await connection.execute("update kit.mails set attempts = 51")
    nobody = SmtpServer(host="127.0.0.1", port=1, encryption="off")
    assert await deliver(pool, keys, nobody, "greeting:1", sender=SENDER, now=MORNING) == "given_up"
    assert (await the_mail(connection))["last_problem"] == "SMTPConnectError"


async def test_two_workers_do_not_send_one_mail_at_once(post, connection, pool, keys, settings, mailbox):
    await given_mail(post, connection)
    server = read_smtp_url(mailbox.url)
    outcomes = await asyncio.gather(
        *(deliver(pool, keys, server, "greeting:1", sender=SENDER, now=MORNING) for _ in range(4)),
        return_exceptions=True,
    )
    assert outcomes.count("sent") == 1
    assert len(mailbox.mails) == 1


async def test_a_line_break_begins_no_header(post, connection):
    for address in (
        "lan@vangiang.edu.vn\r\nBcc: all@vangiang.edu.vn",
        "lan@vangiang.edu.vn\n",
        "Lan <lan@x.vn>",
        "lan",
    ):
        with pytest.raises(ValueError, match="not an address"):
            await post.send(connection, "greeting", to=address, key="greeting:1", now=MORNING, name="Lan")
    with pytest.raises(ValueError, match="linefeed"):
        written("Mời\r\nBcc: all@vangiang.edu.vn")


def written(subject, sender=SENDER):
    letter = Letter(subject=subject, text="Chào\n", html="<p>Chào</p>")
    return compose(letter, sender=sender, recipient=LAN, message_id="<1@x.vn>", at=MORNING)


async def test_a_name_with_line_breaks_stays_within_its_header(post, connection, settings, mailbox):
    await given_mail(post, connection, name="Lan\r\nBcc: all@vangiang.edu.vn")
    (mail,) = await mailbox.receive(settings)
    assert mail.message["Bcc"] is None
    assert mail.to == [LAN]


VIETNAMESE = (
    "aăâbcdđeêghiklmnoôơpqrstuưvxyÀẢÃÁẠằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ 0123456789,.:()/-\"'"
)


# Where a line is folded, a word without marks may follow one with them.
words_in_lines = st.lists(st.text(VIETNAMESE, min_size=1, max_size=9) | st.sampled_from(["Giang", "THPT"]), min_size=1)


@given(words=words_in_lines)
def test_subjects_of_any_length_arrive_as_they_were_written(words):
    subject = " ".join(" ".join(words).split()) or "Thư"
    raw = bytes(written(subject))
    assert message_from_bytes(raw, policy=default)["Subject"] == subject
    assert raw.isascii()
    assert all(len(line) <= 78 for line in raw.split(b"\r\n\r\n")[0].split(b"\r\n"))


@pytest.mark.parametrize(
    "name",
    [
        "Báo Danh",
        "Sở Giáo dục và Đào tạo tỉnh Văn Giang",
        "Hệ thống tra cứu điểm thi của Sở Giáo dục và Đào tạo tỉnh Vân Giang, Giang Giang",
        "Vân Giang Department of Education and Training",
    ],
)
def test_the_senders_name_arrives_as_it_was_written(name):
    sender = str(Address(name, addr_spec="khong-tra-loi@vangiang.edu.vn"))
    raw = bytes(written("Thư", sender))
    # The newer reader of Python 3.11 puts blanks of its own between the parts of a name.
    words, address = parseaddr(message_from_bytes(raw)["From"].replace("\r\n", ""))
    assert (str(make_header(decode_header(words))), address) == (name, "khong-tra-loi@vangiang.edu.vn")
    assert raw.isascii()
    assert all(len(line) <= 78 for line in raw.split(b"\r\n\r\n")[0].split(b"\r\n"))


async def test_whom_we_wrote_to_is_forgotten_after_a_while_but_what_waits_stays(post, connection, settings, mailbox):
    await given_mail(post, connection)
    await mailbox.receive(settings)
    await given_mail(post, connection, key="greeting:2")
    await forget_old_mails(connection, now=MORNING + timedelta(days=89))
    assert await the_mail(connection)
    await forget_old_mails(connection, now=MORNING + timedelta(days=91))
    assert await the_mail(connection) is None
    assert (await count_mails(connection)).mails == 1


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.vn", SmtpServer("mail.example.vn", 587, "starttls")),
        (
            "smtp://gui:m%40t%2Fkhau@mail.example.vn:25",
            SmtpServer("mail.example.vn", 25, "starttls", "gui", "m@t/khau"),
        ),
        ("smtps://gui:x@mail.example.vn", SmtpServer("mail.example.vn", 465, "tls", "gui", "x")),
        ("smtp://mail.example.vn:25?tls=off", SmtpServer("mail.example.vn", 25, "off")),
        ("smtp://127.0.0.1:2525", SmtpServer("127.0.0.1", 2525, "off")),
        ("smtp://gui:x@localhost", SmtpServer("localhost", 587, "off", "gui", "x")),
        ("smtp+unix:///run/th%C6%B0.sock", SmtpServer("localhost", 0, "off", socket="/run/thư.sock")),
        ("smtp://[::1]:25", SmtpServer("::1", 25, "off")),
    ],
)
def test_one_address_says_all_about_a_mail_server(url, server):
    assert read_smtp_url(url) == server


@pytest.mark.parametrize(
    "url",
    [
        "mail.example.vn",
        "smtp://",
        "smtp://h:0",
        "smtp://h/inbox",
        "smtp://h?tls=on",
        "smtp://:x@h?tls=off",
        "http://h",
    ],
)
def test_what_is_no_mail_server_is_refused(url):
    with pytest.raises(ValueError, match=r".+"):
        read_smtp_url(url)


async def test_a_server_that_cannot_encrypt_gets_nothing(post, connection, pool, keys, mailbox):
    await given_mail(post, connection)
    server = read_smtp_url(mailbox.url)
    wary = SmtpServer(host=server.host, port=server.port, encryption="starttls")
    with pytest.raises(TryAgain):
        await deliver(pool, keys, wary, "greeting:1", sender=SENDER, now=MORNING)
    assert mailbox.mails == []
