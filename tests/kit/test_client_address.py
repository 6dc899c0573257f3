"""The address that limits count by: the peer's own, or what a trusted proxy says in X-Real-IP, and nothing else."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.client_address import ClientAddress, address_bucket, address_prefix

PROXIES = ["10.0.0.1", "192.168.0.0/16", "fd00::/8"]


async def address_seen(peer, *headers, trusted=PROXIES, kind="http"):
    seen = {}

    async def app(scope, _receive, _send):
        seen.update(scope)

    scope = {
        "type": kind,
        "client": peer,
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers],
    }
    await ClientAddress(app, trusted)(scope, None, None)
    return seen["client"][0]


def real_ip(value):
    return ("x-real-ip", value)


@pytest.mark.parametrize("proxy", ["10.0.0.1", "192.168.7.9", "fd00::1", "::ffff:10.0.0.1"])
async def test_a_trusted_proxy_says_who_asks(proxy):
    assert await address_seen((proxy, 5), real_ip("203.0.113.9")) == "203.0.113.9"


@pytest.mark.parametrize("peer", ["10.0.0.2", "203.0.113.1", "2001:db8::1"])
async def test_a_stranger_speaks_for_nobody(peer):
    assert await address_seen((peer, 5), real_ip("198.51.100.7")) == peer


async def test_by_default_nobody_is_trusted():
    assert await address_seen(("127.0.0.1", 5), real_ip("198.51.100.7"), trusted=[]) == "127.0.0.1"


@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded", "true-client-ip", "cf-connecting-ip"])
async def test_no_other_header_is_believed(header):
    assert await address_seen(("10.0.0.1", 5), (header, "198.51.100.7")) == "10.0.0.1"


@pytest.mark.parametrize(
    "value", ["", "rubbish", "1.2.3.4, 5.6.7.8", "1.2.3.4:80", "256.1.1.1", "[::1]", "\xff", "1" * 5000, "01.2.3.4"]
)
async def test_rubbish_from_a_proxy_leaves_the_proxys_own_address(value):
    assert await address_seen(("10.0.0.1", 5), real_ip(value)) == "10.0.0.1"


async def test_two_addresses_are_none():
    headers = [real_ip("198.51.100.7"), real_ip("198.51.100.8")]
    assert await address_seen(("10.0.0.1", 5), *headers) == "10.0.0.1"


@pytest.mark.parametrize(
    ("spelt", "address"),
    [
        (" 203.0.113.9 ", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:0DB8:0:0::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
    ],
)
async def test_one_address_has_one_spelling(spelt, address):
    assert await address_seen(("10.0.0.1", 5), real_ip(spelt)) == address
    assert await address_seen((spelt.strip(), 5)) == address


async def test_the_peers_of_a_unix_socket_are_unknown_unless_trusted():
    assert await address_seen(None, real_ip("203.0.113.9")) == "unknown"
    assert await address_seen(None, real_ip("203.0.113.9"), trusted=["unix"]) == "203.0.113.9"
    assert await address_seen(None, trusted=["unix"]) == "unknown"
    assert await address_seen(("", 0), real_ip("203.0.113.9"), trusted=["unix"]) == "unknown"


async def test_start_and_stop_of_the_server_pass_through():
    assert await address_seen(("untouched", 0), kind="lifespan") == "untouched"
    assert await address_seen(("10.0.0.1", 5), real_ip("203.0.113.9"), kind="websocket") == "203.0.113.9"


def test_a_proxy_that_is_no_address_is_refused_at_start():
    with pytest.raises(ValueError, match="proxy"):
        ClientAddress(None, ["proxy.example"])


def test_networks_are_taken_as_the_settings_hold_them():
    ClientAddress(None, [ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8")])


@pytest.mark.parametrize(
    ("address", "bucket", "prefix"),
    [
        ("203.0.113.9", "203.0.113.9/32", "203.0.113.0/24"),
        ("::ffff:203.0.113.9", "203.0.113.9/32", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("unknown", "unknown", "unknown"),
        ("", "unknown", "unknown"),
    ],
)
def test_an_address_is_counted_with_those_that_one_person_can_take(address, bucket, prefix):
    assert (address_bucket(address), address_prefix(address)) == (bucket, prefix)


@given(st.ip_addresses(v=6), st.integers(0, 2**64 - 1))
def test_every_address_of_a_subscriber_falls_into_one_bucket(address, host):
    neighbour = ipaddress.IPv6Address(int(address) & ~(2**64 - 1) | host)
    if address.ipv4_mapped is None and neighbour.ipv4_mapped is None:
        assert address_bucket(str(address)) == address_bucket(str(neighbour))
        assert address_prefix(str(address)) == address_prefix(str(neighbour))


@given(st.text())
def test_no_text_is_too_strange_for_a_bucket(text):
    assert address_bucket(text)
    assert address_prefix(text)
