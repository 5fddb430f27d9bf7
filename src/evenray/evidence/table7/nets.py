"""The nets of the table: each trained once, evaluated once under each augmentation, and kept on disk."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evenray.core.artefacts import atomic, digest
from evenray.learning import networks
from evenray.learning.balance import Balance
from evenray.learning.train import Part, Settings, fit, forward, statistics
from evenray.learning.train.alone import Machine

from .budget import Budget, evaluation_batch
from .systems import Net, System

__all__ = ["Bench", "Trained"]

KEY = 24


@dataclass(frozen=True)
class Trained:
    """A trained net: its folder, the seconds of its training, its parameters, and the loss of its last epoch."""

    net: Net
    folder: Path
    seconds: float
    parameters: int
    loss: float


@dataclass(frozen=True)
class Bench:
    """All that the nets of a table have in common: the images, the budget, the remedy and the machine.

    `train` is the training part, with its pixels as large as the largest augmentation needs; `folder` holds a folder a net,
    named by the digest of all that its weights depend on.
    """

    train: Part
    classes: int
    budget: Budget
    balance: Balance
    balance_spec: str
    fabric: Machine
    folder: Path
    seed: int = 0
    flips: bool = False

    def settings(self, net: Net) -> Settings:
        budget = self.budget
        seed = self.seed + net.seed
        return Settings(budget.epochs, budget.batch, budget.learning_rate, seed, self.flips, "last", net.scale)

    def tta(self, system: System) -> str:
        """The test-time augmentation of a row here."""
        return system.tta_at(self.flips, self.budget.size)

    def place(self, net: Net) -> Path:
        """The folder of a net."""
        key = digest([
            net.at(self.budget.width), vars(self.settings(net)), self.budget.size, self.budget.channels, self.classes,
            self.balance_spec, self.train.store.name, self.train.rows.tolist(), self.train.targets.tolist(),
            self.fabric.device.type,
        ])  # fmt: skip
        return self.folder / key[:KEY]

    def trained(self, net: Net, tick: Callable[[], None] = lambda: None) -> Trained:
        """The net, trained unless it is already; an interrupted training goes on from its last checkpoint."""
        place = self.place(net)
        if not (place / "net.json").exists():
            self._train(net, place, tick)
        about = json.loads((place / "net.json").read_text(encoding="utf-8"))
        return Trained(net, place, about["seconds"], about["parameters"], about["loss"])

    def _train(self, net: Net, place: Path, tick: Callable[[], None]) -> None:
        budget, settings = self.budget, self.settings(net)
        mean, std = statistics(self.train)
        model = networks.build(
            net.at(budget.width), classes=self.classes, channels=budget.channels, size=budget.size, seed=settings.seed,
            mean=mean, std=std,
        )  # fmt: skip
        model.description = model.description.model_copy(update={"scale_jitter": net.scale})
        checkpoints = place / "checkpoints"
        model, history = fit(
            model, self.train, None, settings, self.balance, self.fabric, folder=checkpoints, tick=tick
        )
        with atomic(place / "model.safetensors") as path:
            networks.save(model, path)
        about = {
            "net": net.name,
            "parameters": model.description.parameters,
            "seconds": round(sum(row["seconds"] for row in history), 2),
            "loss": history[-1]["train_loss"],
            "history": history,
        }
        with atomic(place / "net.json") as path:
            path.write_text(json.dumps(about, indent=1), encoding="utf-8")
        shutil.rmtree(checkpoints, ignore_errors=True)

    def logits(self, trained: Trained, part: Part, tta: str) -> tuple[NDArray[np.float64], float]:
        """Logits of a part's images under a test-time augmentation, float64 (n, K), and the seconds that they took."""
        path = self.logits_file(trained, part, tta)
        if not path.exists():
            model = networks.load(trained.folder / "model.safetensors").to(self.fabric.device)
            start = time.perf_counter()
            batch = evaluation_batch(self.budget.size, self.budget.batch)
            logits_NK = forward(model, part, batch, self.fabric, tta=tta)
            table: dict[str, Any] = {f"logit_{k}": logits_NK[:, k] for k in range(logits_NK.shape[1])}
            with atomic(path) as temporary:
                seconds = time.perf_counter() - start
                pl.DataFrame(table).with_columns(seconds=pl.lit(seconds)).write_parquet(temporary)
        found = pl.read_parquet(path)
        return found.drop("seconds").to_numpy().astype(np.float64), float(found["seconds"][0])

    def logits_file(self, trained: Trained, part: Part, tta: str) -> Path:
        """Where the logits of a part under a test-time augmentation are kept."""
        return trained.folder / f"{digest([tta, part.store.name, part.rows.tolist()])[:KEY]}.parquet"
