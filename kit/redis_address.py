"""One address in the settings says where Redis is, however the operator runs it."""

import re
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from redis.asyncio import Redis, RedisCluster, Sentinel
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import SentinelConnectionPool
from redis.backoff import NoBackoff

from kit.errors import UsageError

Client = Redis | RedisCluster

_FORMS = (
    "redis://HOST:PORT/DB, rediss://HOST:PORT/DB, unix:///PATH, "
    "redis+sentinel://HOST:PORT,HOST:PORT/SERVICE/DB or redis+cluster://HOST:PORT,HOST:PORT"
)
_HOST = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\[\]:,@/\s]+)(?::(?P<port>[0-9]{1,5}))?")
# Sentinels and cluster nodes are asked one after the other: a dead one must not hold up the next for long.
_NODE_PATIENCE = 0.25


class _Place(NamedTuple):
    """An address with several hosts, taken apart."""

    hosts: list[tuple[str, int]]
    path: list[str]
    username: str | None
    password: str | None
    query: dict[str, str]
    tls: bool


def open_client(url: str) -> Client:
    """The asyncio client for `url`, not yet connected. Raises UsageError, with no password in it.

    `redis+sentinel` and `redis+cluster` have a TLS form, `rediss+sentinel` and `rediss+cluster`. User and password in
    the address are those of Redis; sentinels with a password of their own take `?sentinel_password=` (and
    `sentinel_username=`).
    """
    scheme = url.partition("://")[0]
    try:
        if scheme in ("redis", "rediss", "unix"):
            return Redis.from_url(url, **_options(), socket_timeout=None)
        if scheme in ("redis+sentinel", "rediss+sentinel"):
            return _open_sentinel(_take_apart(url, 26379))
        if scheme in ("redis+cluster", "rediss+cluster"):
            return _open_cluster(_take_apart(url, 6379))
    except (ValueError, TypeError):
        raise UsageError(f"REDIS_URL cannot be understood: it has the form {_FORMS}.") from None
    raise UsageError(f"REDIS_URL does not begin with a known form: {_FORMS}.")


def is_found_at_once(client: Client) -> bool:
    """Whether the address names the server itself, not sentinels or cluster nodes to be asked for it."""
    return isinstance(client, Redis) and not isinstance(client.connection_pool, SentinelConnectionPool)


def open_node(url: str, node: ClusterNode) -> Redis:
    """A client of one node of the cluster at `url`, for what a cluster's own client cannot do."""
    place = _take_apart(url, 6379)
    return Redis(host=node.host, port=int(node.port), ssl=place.tls, **_options(), **_keys(place))


def _options() -> dict[str, Any]:
    return {
        # RedisServer bounds the whole question; redis-py's timeouts would start a task for each command.
        "socket_connect_timeout": _NODE_PATIENCE,
        "retry": Retry(NoBackoff(), 0),
        # RESP2 opens a connection without a greeting, and CLIENT SETINFO is newer than Redis 7.0.
        "protocol": 2,
        "driver_info": None,
    }


def _open_sentinel(place: _Place) -> Redis:
    service, db = (*place.path, "0")[:2]
    if place.query.keys() - {"sentinel_username", "sentinel_password"}:
        raise ValueError
    sentinel_keys = {name.removeprefix("sentinel_"): value for name, value in place.query.items()}
    options = _options() | {"socket_timeout": _NODE_PATIENCE, **({"ssl": True} if place.tls else {})}
    sentinel = Sentinel(place.hosts, sentinel_kwargs=options | sentinel_keys)
    return sentinel.master_for(service, **options, **_keys(place), db=int(db))


def _open_cluster(place: _Place) -> RedisCluster:
    if place.path or place.query:
        raise ValueError
    nodes = [ClusterNode(host, port) for host, port in place.hosts]
    options = _options() | {"socket_timeout": _NODE_PATIENCE, "ssl": place.tls}
    return RedisCluster(startup_nodes=nodes, **options, **_keys(place))


def _keys(place: _Place) -> dict[str, Any]:
    return {name: value for name, value in (("username", place.username), ("password", place.password)) if value}


def _take_apart(url: str, default_port: int) -> _Place:
    """`user:password@host:port,host:port/path?query`; urlsplit alone knows one host only. Raises ValueError."""
    parts = urlsplit(url)
    user_info, _, hosts = parts.netloc.rpartition("@")
    username, _, password = user_info.partition(":")
    matches = [_HOST.fullmatch(host) for host in hosts.split(",")]
    if not all(matches):
        raise ValueError
    return _Place(
        hosts=[(match["host"].strip("[]"), int(match["port"] or default_port)) for match in matches if match],
        path=[part for part in parts.path.split("/") if part],
        username=unquote(username) or None,
        password=unquote(password) or None,
        query=dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {},
        tls=parts.scheme.startswith("rediss"),
    )
