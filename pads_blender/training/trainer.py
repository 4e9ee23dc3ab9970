"""The training loop of every prior: optimisers, averaged weights, log and curves of one run folder; it resumes."""

from __future__ import annotations

import csv
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from .objectives import Objective


@dataclass(frozen=True)
class TrainSettings:
    """Muon for the matrices of the blocks, AdamW for the rest; the rates are our choice and have not been tuned."""

    steps: int = 10_000
    muon_rate: float = 0.02
    adam_rate: float = 1e-3
    warm_up: int = 200
    decay_share: float = 0.4  # the last part of the run, in which the rates fall to zero
    ema: float = 0.999
    clip: float = 1.0
    log_every: int = 250
    seed: int = 0


def measured(objective: Objective) -> dict[str, float]:
    """What the present network errs by on each split, as a row of the log has it."""
    errors = {split: objective.validate(split) for split in objective.splits}
    return {f"{split}_{name}": round(value, 2) for split in errors for name, value in errors[split].items()}


class Trainer:
    """Network, its moving average, optimisers and the log of one run folder."""

    def __init__(self, objective: Objective, settings: TrainSettings, folder: Path):
        self.objective, self.settings, self.folder = objective, settings, folder
        self.average = {k: v.detach().clone() for k, v in objective.network.named_parameters()}
        self.optimisers = self.make_optimisers()
        self.step, self.rows = 0, []
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / "checkpoint.pt").exists():
            self._load(folder / "checkpoint.pt")

    def run(self, stop: int | None = None) -> bool:
        """Train to settings.steps, or to an earlier stop, logging and saving on the way: whether it got there.

        Ctrl-C, or the signal to terminate, lets it save after the step at hand and return.
        """
        began, first, losses = time.perf_counter(), self.step, []
        last = stop or self.settings.steps
        with _asked_to_stop() as asked:
            while self.step < last and not asked:
                losses.append(self.update())
                if self.step % self.settings.log_every == 0 or self.step == last:
                    self.log(float(np.mean(losses)), time.perf_counter() - began)
                    losses = []
                _progress(self.step, self.settings.steps, (time.perf_counter() - began) / (self.step - first))
            if asked:
                self._save()
        if self.rows:
            self._plot()
        return self.step >= last

    def make_optimisers(self) -> list[tuple[torch.optim.Optimizer, float]]:
        """Optimisers and their full learning rates: Muon for the matrices of the blocks, AdamW for the rest."""
        named = list(self.objective.network.named_parameters())
        matrices = [p for n, p in named if p.ndim == 2 and n.startswith("blocks.")]
        rest = [p for n, p in named if not (p.ndim == 2 and n.startswith("blocks."))]
        muon = torch.optim.Muon(matrices, lr=self.settings.muon_rate, weight_decay=0.01)
        return [(muon, self.settings.muon_rate), self.adam(rest)]

    def adam(self, parameters: list[torch.nn.Parameter]) -> tuple[torch.optim.Optimizer, float]:
        """AdamW for these parameters, and its full learning rate."""
        rate = self.settings.adam_rate
        return torch.optim.AdamW(parameters, lr=rate, weight_decay=0.01, betas=(0.9, 0.99)), rate

    def update(self) -> float:
        """One step on a fresh batch: its loss."""
        rng = np.random.default_rng((self.settings.seed, self.step))
        factor = self._rate()
        for optimiser, rate in self.optimisers:
            optimiser.param_groups[0]["lr"] = rate * factor
            optimiser.zero_grad(set_to_none=True)
        loss = self.objective.loss(rng)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.objective.network.parameters(), self.settings.clip)
        for optimiser, _ in self.optimisers:
            optimiser.step()
        self.step += 1
        self._follow()
        return loss.item()

    def _rate(self) -> float:
        left = (self.settings.steps - self.step) / (self.settings.decay_share * self.settings.steps)
        return min(1.0, (self.step + 1) / self.settings.warm_up, left)

    @torch.no_grad()
    def _follow(self) -> None:
        decay = min(self.settings.ema, (1 + self.step) / (10 + self.step))
        for name, value in self.objective.network.named_parameters():
            self.average[name].lerp_(value, 1.0 - decay)

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """The network as it is measured and exported: with the average of its weights, in evaluation mode."""
        network = self.objective.network
        present = {k: v.detach().clone() for k, v in network.named_parameters()}
        network.load_state_dict(self.average, strict=False)
        network.eval()
        yield
        network.load_state_dict(present, strict=False)
        network.train()

    def log(self, loss: float, seconds: float) -> None:
        """One row of the log for the averaged weights as they are, and all saved: mean loss, seconds of this run."""
        row = {"step": self.step, "seconds": round(seconds), "loss": round(loss, 5)}
        with self.averaged():
            row |= measured(self.objective)
        self.rows.append(row)
        self._save()

    def _save(self) -> None:
        state = {
            "step": self.step,
            "network": self.objective.network.state_dict(),
            "average": self.average,
            "optimisers": [o.state_dict() for o, _ in self.optimisers],
            "rows": self.rows,
            "network_settings": asdict(self.objective.settings),
            "train_settings": asdict(self.settings),
        }
        torch.save(state, self.folder / "checkpoint.tmp")
        (self.folder / "checkpoint.tmp").replace(self.folder / "checkpoint.pt")
        with (self.folder / "log.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(self.rows[-1]) if self.rows else [])
            writer.writeheader()
            writer.writerows(self.rows)

    def _load(self, path: Path) -> None:
        device = next(self.objective.network.parameters()).device
        state = torch.load(path, weights_only=True, map_location=device)
        self.objective.network.load_state_dict(state["network"])
        self.average, self.step, self.rows = state["average"], state["step"], state["rows"]
        for (optimiser, _), saved in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)

    def _plot(self) -> None:
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot as plt

        figure, axes = plt.subplots(1, 2, figsize=(12, 4))
        steps = [row["step"] for row in self.rows]
        axes[0].plot(steps, [row["loss"] for row in self.rows])
        axes[0].set(xlabel="step", ylabel="loss")
        for name in self.rows[-1]:
            if name.startswith(self.objective.splits):
                style = "--" if name.startswith("dev") else "-"
                axes[1].semilogy(steps, [row.get(name, np.nan) for row in self.rows], style, label=name)
        axes[1].set(xlabel="step", ylabel="error, mm")
        axes[1].legend(fontsize=6, ncol=2)
        figure.savefig(self.folder / "curves.png", dpi=110, bbox_inches="tight")
        plt.close(figure)


@contextmanager
def _asked_to_stop() -> Iterator[list[int]]:
    """A list that is empty until Ctrl-C or the signal to terminate comes; a second one counts at once."""
    asked: list[int] = []

    def ask(number: int, frame: object) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, action in before.items():
            signal.signal(number, action)


def _progress(step: int, steps: int, per_step: float) -> None:
    if sys.stderr.isatty() or step % 100 == 0:
        left = per_step * (steps - step)
        end = "\r" if sys.stderr.isatty() else "\n"
        print(
            f"{step}/{steps}  {per_step:.3f} s a step, {left / 60:.1f} min left", end=end, file=sys.stderr, flush=True
        )
