"""Who is asking: the address that limits count by, and that nobody can choose for themselves."""

import ipaddress
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from functools import lru_cache
from typing import Any

Scope = MutableMapping[str, Any]
Application = Callable[[Scope, Callable[..., Any], Callable[..., Any]], Awaitable[None]]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# A peer without an address: a unix socket. All of them share one bucket.
UNKNOWN = "unknown"
# An IPv6 address in its longest spelling has 45 characters; the rest is room for blanks.
_LONGEST = 64
# Lets TRUSTED_PROXIES name the peers of a unix socket.
UNIX = "unix"


class ClientAddress:
    """ASGI middleware that puts the client's address, in its shortest form, into `scope["client"]`.

    When the peer is in `trusted_proxies` (addresses, networks, or `unix` for a unix socket's peers) the address is that
    of `X-Real-IP`; no other header is ever believed. Several such headers, or one that is no address: the peer's own.
    Raises ValueError when `trusted_proxies` holds something else.
    """

    def __init__(
        self, app: Application, trusted_proxies: Iterable[str | ipaddress.IPv4Network | ipaddress.IPv6Network]
    ) -> None:
        self.app = app
        names = [str(proxy) for proxy in trusted_proxies]
        self._trusts_unix = UNIX in names
        self._networks = [ipaddress.ip_network(name, strict=False) for name in names if name != UNIX]
        # A handful of proxies ask for everybody.
        self._is_trusted = lru_cache(maxsize=1024)(self._look_up)

    async def __call__(self, scope: Scope, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        """Pass the request on with its address settled."""
        if scope["type"] in ("http", "websocket"):
            scope["client"] = self.client_of(scope)
        await self.app(scope, receive, send)

    def client_of(self, scope: Scope) -> tuple[str, int]:
        """Address and port of whoever sent a request that nobody has settled yet."""
        host, port = scope.get("client") or (None, 0)
        real = self._real_address(scope["headers"]) if self._is_trusted(host) else None
        return (real, 0) if real else (_shortest(host or "") or UNKNOWN, port)

    def _look_up(self, host: str | None) -> bool:
        if host is None:
            return self._trusts_unix
        address = _parse(host)
        return address is not None and any(address in network for network in self._networks)

    def _real_address(self, headers: Iterable[tuple[bytes, bytes]]) -> str | None:
        values = [value for name, value in headers if name == b"x-real-ip"]
        if len(values) != 1 or len(values[0]) > _LONGEST:
            return None
        return _shortest(values[0].decode("latin-1").strip())


def address_bucket(address: str) -> str:
    """Whom a limit counts as one: an IPv4 address, or the IPv6 /64 of one subscriber. Anything else: `unknown`."""
    return _network(address, 32, 64)


def address_prefix(address: str) -> str:
    """The neighbourhood that one person can hardly leave: IPv4 /24, IPv6 /48. Anything else: `unknown`."""
    return _network(address, 24, 48)


@lru_cache(maxsize=4_096)
def _network(address: str, ipv4_bits: int, ipv6_bits: int) -> str:
    parsed = _parse(address)
    if parsed is None:
        return UNKNOWN
    bits = ipv4_bits if isinstance(parsed, ipaddress.IPv4Address) else ipv6_bits
    return str(ipaddress.ip_network((parsed, bits), strict=False))


@lru_cache(maxsize=4_096)
def _shortest(address: str) -> str | None:
    parsed = _parse(address)
    return str(parsed) if parsed else None


def _parse(address: str) -> Address | None:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return None
    if isinstance(parsed, ipaddress.IPv6Address):
        # A zone is an interface of this machine, and whoever could choose it would have as many buckets as they like.
        return parsed.ipv4_mapped or ipaddress.IPv6Address(int(parsed))
    return parsed
