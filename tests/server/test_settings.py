"""Settings are refused at the start rather than misunderstood later, and every one has its line on the page."""

import re
from ipaddress import ip_network
from pathlib import Path

import pytest

from kit.errors import UsageError
from server.settings import SETTINGS, load_settings

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
PASSWORD = "hunter-2"


def refusal(environ) -> list[str]:
    with pytest.raises(UsageError) as caught:
        load_settings(environ)
    return str(caught.value).splitlines()


def test_nothing_needs_to_be_set():
    settings = load_settings({})
    assert (settings.host, settings.port, settings.log_level) == ("127.0.0.1", 8000, "INFO")
    assert settings.state_dir == Path.cwd() / ".state"
    assert settings.keys_folder == Path.cwd() / ".state" / "keys"
    assert 1 <= settings.workers <= 4
    assert settings.database_url == settings.database_owner_url == settings.redis_url == ""
    assert settings.trusted_proxies == ()
    assert str(settings.rates["lookup"]) == "20000 per 1 minute"


def test_the_page_and_the_settings_tell_the_same():
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.+?) \| (.+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    settings = [
        (name.upper(), setting.shown or f"`{setting.default}`", setting.says) for name, setting in SETTINGS.items()
    ]
    assert rows == settings


def test_the_page_names_the_file_of_every_secret():
    files = set(re.findall(r"`([A-Z_]+)_FILE`", PAGE.read_text(encoding="utf-8")))
    assert files == {name.upper() for name, setting in SETTINGS.items() if setting.secret}


def test_an_empty_variable_counts_as_unset():
    assert load_settings({"PORT": "", "REDIS_URL": " "}) == load_settings({})


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("STATE_DIR", __file__, "is not a folder"),
        ("HOST", "127.0.0.1:80", "without the port"),
        ("HOST", "two words", "without the port"),
        ("PORT", "0", "from 1 to 65535"),
        ("PORT", "65536", "from 1 to 65535"),
        ("PORT", "８０００", "from 1 to 65535"),
        ("PORT", "-1", "from 1 to 65535"),
        ("WORKERS", "many", "from 1 to 256"),
        ("NODE", "a b", "letters, digits"),
        ("DATABASE_URL", "mysql://app@host/db", "postgresql://USER"),
        ("DATABASE_URL", "host/db", "postgresql://USER"),
        ("DATABASE_URL", "postgresql://app@host:port/db", "host and port"),
        ("DATABASE_URL", "postgresql://app@[::1/db", "cannot be understood"),
        ("DATABASE_URL", "postgresql://app@host", "no database"),
        ("DATABASE_URL", "postgresql://app:pass#word@host/db", "%23"),
        ("DATABASE_OWNER_URL", "postgresql://app@host/db", "DATABASE_URL"),
        ("REDIS_URL", "http://host", "redis+cluster://"),
        ("SMTP_URL", "mail.example.vn:25", "smtps://"),
        ("SMTP_URL", "smtp://mail.example.vn:port", "cannot be understood"),
        ("SMTP_URL", "smtp://user@mail.example.vn", "alone"),
        ("SMTP_URL", "smtp://user:hunter-2@mail.example.vn?tls=off", "without TLS"),
        ("SMTP_URL", "smtps://mail.example.vn?tls=off", "not understood"),
        ("SMTP_URL", "smtp://user:hunter-2/2@mail.example.vn", "%2F"),
        ("TRUSTED_PROXIES", "proxy.example.vn", "10.0.0.7"),
        ("TRUSTED_PROXIES", "10.0.0.1/8", "write 10.0.0.0/8"),
        ("METRICS_FROM", "10.0.0.0/33", "no address or network"),
        ("PUBLIC_URL", "diemthi.example.vn", "such as https://"),
        ("PUBLIC_URL", "https://diemthi.example.vn/tra-cuu", "beyond the host"),
        ("PUBLIC_URL", "https://diemthi.example.vn:port", "such as https://"),
        ("LOOKUP_RATE", "600", "no rate"),
        ("LOOKUP_RATE", "0/minute", "at least one"),
        ("WRONG_FACTOR_RATE", "10/minute;20/hour", "not one rate"),
        ("FOREIGN_ORIGIN_RATE", "fast", "no rate"),
        ("KEYS_DIR", "/nowhere/keys", "does not exist"),
        ("LOG_LEVEL", "loud", "DEBUG, INFO"),
    ],
)
def test_a_wrong_setting_is_one_sentence_with_its_name_and_what_to_write(name, value, sentence):
    (line,) = refusal({name: value})
    assert line.startswith(f"{name}: ")
    assert sentence in line
    assert line.endswith(".")


def test_all_wrong_settings_are_told_at_once():
    lines = refusal({"PORT": "http", "WORKERS": "0", "LOG_LEVEL": "loud"})
    assert [line.split(":")[0] for line in lines] == ["PORT", "WORKERS", "LOG_LEVEL"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", f"postgres://app:{PASSWORD}@host:port/db"),
        ("DATABASE_URL", f"mysql://app:{PASSWORD}@host/db"),
        ("DATABASE_URL", f"postgresql://app:{PASSWORD}@host"),
        ("DATABASE_OWNER_URL", f"app:{PASSWORD}@host"),
        ("REDIS_URL", f"redis+sentinel://:{PASSWORD}@"),
        ("REDIS_URL", f":{PASSWORD}@host"),
    ],
)
def test_a_refusal_never_shows_a_password(name, value):
    assert PASSWORD not in "".join(refusal({name: value}))


def test_settings_never_show_a_password():
    assert PASSWORD not in repr(load_settings({"DATABASE_URL": f"postgresql://app:{PASSWORD}@host/db"}))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://app:pa%23ss@db.example.vn:5432/baodanh?sslmode=verify-full",
        "postgres://app@[2001:db8::1]:5432/baodanh",
        "postgresql://app@one:5432,two:5433/baodanh",
        "postgresql://app@/baodanh?host=%2Frun%2Fpostgresql&port=5432",
        "postgresql:///baodanh",
    ],
)
def test_every_form_of_a_postgresql_address_is_taken_as_it_is(url):
    settings = load_settings({"DATABASE_URL": url})
    assert settings.database_url == settings.database_owner_url == url


def test_the_owner_may_be_another_role():
    owner = "postgresql://owner@host/db"
    settings = load_settings({"DATABASE_URL": "postgresql://app@host/db", "DATABASE_OWNER_URL": owner})
    assert settings.database_owner_url == owner


@pytest.mark.parametrize(
    "url",
    [
        "redis://host:6379/0",
        "rediss://:word@host:6379/0",
        "unix:///run/redis.sock",
        "redis+sentinel://one:26379,two:26379/mymaster/0",
        "redis+cluster://one:7000,two:7001",
    ],
)
def test_every_way_to_run_redis_has_an_address(url):
    assert load_settings({"REDIS_URL": url}).redis_url == url


def test_proxies_are_addresses_and_networks_of_both_kinds():
    settings = load_settings({"TRUSTED_PROXIES": "10.0.0.7, 192.168.0.0/16 2001:db8::/32"})
    expected = ("10.0.0.7", "192.168.0.0/16", "2001:db8::/32")
    assert settings.trusted_proxies == tuple(ip_network(text) for text in expected)


def test_the_public_address_has_one_spelling():
    assert load_settings({"PUBLIC_URL": "https://DiemThi.example.vn/"}).public_url == "https://diemthi.example.vn"


def test_a_secret_may_come_from_a_file(tmp_path):
    (tmp_path / "url").write_text("postgresql://app@host/db\n")
    settings = load_settings({"DATABASE_URL_FILE": str(tmp_path / "url")})
    assert settings.database_url == "postgresql://app@host/db"


def test_a_secret_from_two_places_is_refused(tmp_path):
    (tmp_path / "url").write_text("redis://host")
    (line,) = refusal({"REDIS_URL": "redis://other", "REDIS_URL_FILE": str(tmp_path / "url")})
    assert line == "REDIS_URL: is set, and REDIS_URL_FILE too; keep one of them."


def test_a_secret_file_that_is_missing_is_named():
    (line,) = refusal({"DATABASE_URL_FILE": "/nowhere/url"})
    assert line.startswith("DATABASE_URL: cannot be read from the file /nowhere/url")


def test_a_folder_of_keys_replaces_our_own(tmp_path):
    assert load_settings({"KEYS_DIR": str(tmp_path)}).keys_folder == tmp_path
