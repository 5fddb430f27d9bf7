"""What training costs, and what it may cost: multiply-adds of the forward pass, never anything measured here (decision 3)."""

from __future__ import annotations

from evenray.core.messages import Message
from evenray.core.spec import Step
from evenray.learning.networks.anatomy import anatomy, totals

__all__ = ["BUDGET", "COSTS", "GPU", "NARROW", "SPEED", "affordable", "cost", "cost_message"]

# What one image at 224 x 224 costs, in 10^9 multiply-adds of the forward pass (Simonyan & Zisserman 2014, configurations
# A and D); for the narrow ones, and for depthwise convolutions, what they take in time: more than they have multiply-adds.
COSTS = {
    "vgg16_bn(head=average)": 15.5,
    "vgg16_bn(head=average, width=0.5)": 5.0,
    "vgg11_bn(head=average, width=0.5)": 2.5,
    "vgg11_bn(head=average, width=0.25)": 0.8,
    "vgg16": 15.5,
    "vgg16_bn": 15.5,
    "efficientnet_lite0": 2.2,
    # U-Nets by what they take in time beside these, measured (docs/log.md).
    "unet(vgg16_bn)": 55.0,
    "unet(vgg16_bn(width=0.5))": 19.0,
    "unet(vgg11_bn(width=0.25))": 5.0,
    # SSD by its multiply-adds beside those of its trunk.
    "ssd(vgg16_bn)": 18.0,
    "ssd(vgg16_bn(width=0.5))": 6.0,
    "ssd(vgg11_bn(width=0.25))": 1.2,
}
# What training may cost in those units: two cores train through some SPEED of them in a second.
BUDGET = {"quick": 2_000, "standard": 11_000, "thorough": 75_000}
SPEED = 20  # of those units in a second, to give costs in minutes
GPU = 200
NARROW = 1.5  # how much longer an image takes in a narrow network than its multiply-adds


def affordable(effort: str, *, gpu: bool) -> float:
    """What the final training may cost in all."""
    return BUDGET[effort] * (GPU if gpu else 1)


def cost(network: str, multiply_adds: float | None = None) -> float:
    """What one image at 224 x 224 costs; of a narrow network more than its multiply-adds (in 10^9, counted where they are not
    given), because it takes longer."""
    if network in COSTS:
        return COSTS[network]
    if multiply_adds is not None:
        return NARROW * multiply_adds
    step = Step.of(network)
    if step.name in COSTS and "width" not in step.kwargs:
        return COSTS[step.name]
    if step.name in ("torchvision", "timm", "onnx"):  # shapes alone would need their weights
        return COSTS["vgg16_bn(head=average)"]
    return NARROW * totals(anatomy(network, classes=2))["multiply_adds"] / 1e9


def cost_message(effort: str, networks: tuple[str, ...], images: int, size: int, budget: float) -> Message:
    """What training on so many images in all takes, against the budget; of several networks the most expensive counts."""
    spent = (
        images * max(COSTS.get(name, COSTS["vgg16_bn(head=average)"]) for name in networks) * (size / 224) ** 2 / budget
    )
    values = {"images": images, "size": size, "effort": effort}
    if not set(networks) <= set(COSTS):
        values["variant"] = "estimated"
    if spent <= 1:
        return Message("plan.cost.fits", values)
    planned = BUDGET[effort] / SPEED / 60
    return Message("plan.cost.exceeds", {**values, "minutes": _brief(spent * planned), "planned": _brief(planned)})


def _brief(minutes: float) -> str:
    return f"{minutes:.1f}" if minutes < 9.95 else f"{minutes:.0f}"
