"""What is counted for whoever watches over the service; all workers of a node together, nothing about a person."""

import os
from ipaddress import IPv4Network, IPv6Network, ip_address

from litestar import MediaType, Request, Response, get
from litestar.exceptions import NotFoundException
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)

REQUESTS = Counter("baodanh_requests_total", "Answers, by route pattern.", ["route", "method", "status"])
REQUEST_SECONDS = Histogram(
    "baodanh_request_seconds",
    "Time from a request's first byte in the application to its last byte out.",
    ["route"],
    buckets=BUCKETS,
)


@get("/metrics", include_in_schema=False)
async def show_metrics(request: Request) -> Response[bytes]:
    """Prometheus text, for the networks in METRICS_FROM; to everybody else this address does not exist."""
    if not _may_see(request, request.app.state.metrics_from):
        raise NotFoundException
    return Response(
        generate_latest(_registry()), media_type=MediaType.TEXT, headers={"Content-Type": CONTENT_TYPE_LATEST}
    )


def _registry() -> CollectorRegistry:
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return registry


def _may_see(request: Request, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    try:
        address = ip_address(request.client.host if request.client else "")
    except ValueError:
        return False
    return any(address in network for network in networks)
