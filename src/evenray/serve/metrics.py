"""What Prometheus is told of a server; the label of a route is its pattern, so that their number stays small."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

__all__ = ["LATENCY", "REGISTRY", "REQUESTS", "exposed"]

REGISTRY = CollectorRegistry()
REQUESTS = Counter(
    "evenray_requests", "Requests answered, by status.", ("method", "route", "status"), registry=REGISTRY
)
LATENCY = Histogram(
    "evenray_request_seconds",
    "From a request's first byte to its answer's last.",
    ("method", "route"),
    registry=REGISTRY,
)


def exposed() -> bytes:
    """All of it in the text format."""
    return generate_latest(REGISTRY)
