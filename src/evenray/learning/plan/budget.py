"""What training costs, and what it may: multiply-adds of the forward pass, never anything measured here (decision 3)."""

from __future__ import annotations

from evenray.core.spec import Step
from evenray.learning.networks.anatomy import anatomy, totals

__all__ = ["BUDGET", "COSTS", "GPU", "NARROW", "SPEED", "affordable", "cost", "told"]

# What one image at 224 x 224 costs, in 10^9 multiply-adds of the forward pass (Simonyan & Zisserman 2014, configurations
# A and D); for the narrow ones what they take in time, which is more than they have multiply-adds.
COSTS = {"vgg16_bn": 15.5, "vgg16_bn(width=0.5)": 5.0, "vgg11_bn(width=0.5)": 2.5, "vgg11_bn(width=0.25)": 0.8}
# What training may cost in those units: two cores train through some SPEED of them in a second.
BUDGET = {"quick": 2_000, "standard": 11_000, "thorough": 75_000}
SPEED = 20  # of those units in a second, for what is told in minutes
GPU = 200
NARROW = 1.5  # how much longer a look of a narrow network takes than its multiply-adds


def affordable(effort: str, *, gpu: bool) -> float:
    """What the final training may cost in all."""
    return BUDGET[effort] * (GPU if gpu else 1)


def cost(network: str) -> float:
    """What one image at 224 x 224 costs; of a narrow network more than its multiply-adds, for it takes that in time."""
    if network in COSTS:
        return COSTS[network]
    if Step.of(network).name in ("torchvision", "timm"):  # shapes alone would want their weights
        return COSTS["vgg16_bn"]
    return NARROW * totals(anatomy(network, classes=2))["multiply_adds"] / 1e9


def told(effort: str, networks: tuple[str, ...], looks: int, size: int, budget: float) -> str:
    """What a training takes beside what is foreseen for it; several networks are reckoned by the dearest."""
    spent = looks * max(COSTS.get(name, COSTS["vgg16_bn"]) for name in networks) * (size / 224) ** 2 / budget
    looked = f"{looks} looks at {size} pixels" + (
        "" if set(networks) <= set(COSTS) else ", reckoned as those of vgg16_bn,"
    )
    if spent <= 1:
        return f"{looked} fit the budget of '{effort}'"
    foreseen = BUDGET[effort] / SPEED / 60
    return f"{looked} take about {_brief(spent * foreseen)} minutes, more than the {_brief(foreseen)} that '{effort}' foresees"


def _brief(minutes: float) -> str:
    return f"{minutes:.1f}" if minutes < 9.95 else f"{minutes:.0f}"
