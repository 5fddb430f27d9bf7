"""What Prometheus is told of a server; the label of a route is its pattern, so that their number stays small."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

__all__ = [
    "AT_WORK",
    "BATCH",
    "COMPUTING",
    "IMAGES",
    "LATENCY",
    "REGISTRY",
    "RELOADS",
    "REQUESTS",
    "STUDIES",
    "exposed",
]

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
BATCH = Histogram(
    "evenray_batch_images", "Images that went through a network together.", buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
    registry=REGISTRY,
)  # fmt: skip
COMPUTING = Counter("evenray_network_seconds", "Time in which a network computed.", registry=REGISTRY)
IMAGES = Counter("evenray_images", "Images and files by what became of them.", ("model", "outcome"), registry=REGISTRY)
AT_WORK = Gauge("evenray_requests_at_work", "Requests that are received or answered now.", registry=REGISTRY)
RELOADS = Counter(
    "evenray_reloads", "Models that were loaded anew, or could not be.", ("model", "outcome"), registry=REGISTRY
)
STUDIES = Counter(
    "evenray_pacs_studies", "Studies of the PACS by what became of them.", ("outcome",), registry=REGISTRY
)


def exposed() -> bytes:
    """All of it in the text format."""
    return generate_latest(REGISTRY)
