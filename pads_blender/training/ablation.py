"""python -m pads_blender.training.ablation --data DIR --out RESULTS: small window priors, one choice changed in each.

All are trained from scratch on the same batches where the choice allows it, and measured on the same damaged pieces of
validation takes. RESULTS keeps each run's scores; what is there already is not trained again.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from ..core.interpolate import fill_hidden
from ..core.skeleton import MODEL
from .ablation_variants import BASE, VARIANTS, Variant
from .noise_maps import LEFT_ARM, LEFT_LEG, RIGHT_LEG, add_noise
from .objectives import WindowObjective, validation_windows
from .pages import put_between_marks
from .trainer import TrainSettings

STEPS, WARM_UP_SHARE = 400, 0.1
BASE_SEEDS = (0, 1, 2)
PIECE, PIECES = 192, 48  # frames; of the validation takes, evenly spread
MEASURED = slice(48, 144)  # frames of a piece: around them is context for any length of window
MARKED = 3.0  # differences beyond so many standard deviations between the base's seeds are set in bold
Scores = dict[str, float]


@dataclass(frozen=True)
class Case:
    """Damage of one kind on all pieces: noisy positions (N, F, J, 3), filled where hidden; sigma (N, F, J)."""

    name: str
    noisy: np.ndarray
    sigma: np.ndarray

    def error(self, answer: np.ndarray, truth: np.ndarray) -> float:
        """MPJPE in mm in the measured frames, of the hidden joints if there are any; arrays (N, F, J, 3)."""
        length = 1000.0 * np.linalg.norm(answer - truth, axis=-1)[:, MEASURED]
        hidden = ~np.isfinite(self.sigma[:, MEASURED])
        return float(length[hidden].mean() if hidden.any() else length.mean())


def make_cases(truth: np.ndarray) -> list[Case]:
    """The table's columns for true pieces (N, F, J, 3)."""
    everything, legs = list(range(len(MODEL))), LEFT_LEG + RIGHT_LEG
    mixed = _level(0.01)
    mixed[:, legs] = 0.1
    cases = [_case(f"noise {mm} mm", truth, _level(mm / 1000)) for mm in (20, 40, 100)]
    cases += [_case("noise 10 mm, legs 100 mm", truth, mixed)]
    cases += [_case("jitter 3 degrees", truth, _level(0.002), np.radians(3.0))]
    cases += [_case(f"arm {n}", truth, _level(0.002, LEFT_ARM[1:], n)) for n in (30, 60)]
    cases += [_case("legs 60", truth, _level(0.002, legs, 60))]
    return cases + [_case(f"pose {n}", truth, _level(0.002, everything, n)) for n in (15, 30)]


def _level(metres: float, hidden: list[int] | None = None, frames: int = 0) -> np.ndarray:
    """Noise map (F, J) of one level, some joints hidden for some frames in the middle."""
    sigma = np.full((PIECE, len(MODEL)), metres, np.float32)
    start = (PIECE - frames) // 2
    sigma[start : start + frames, hidden or []] = np.inf
    return sigma


def _case(name: str, truth: np.ndarray, sigma: np.ndarray, jitter: float = 0.0) -> Case:
    noisy, sigma = add_noise(truth, np.broadcast_to(sigma, truth.shape[:3]), np.random.default_rng(0), jitter)
    visible = np.isfinite(sigma)
    return Case(name, fill_hidden(np.where(visible[..., None], noisy, np.float32(0)), visible), sigma)


@torch.no_grad()
def denoise_pieces(objective: WindowObjective, x: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """Denoised pieces (N, F, J, 3), right in the measured frames, by windows of the objective's own length.

    As tasks.windows does with a take: they overlap by half and are averaged with a raised cosine. Where the grid of
    windows lies is drawn for each piece, so that no length profits from where the damage is.
    """
    frames, (count, length) = objective.settings.frames, x.shape[:2]
    hop, rows = frames // 2, np.arange(count)[:, None]
    shift = np.random.default_rng(0).integers(hop, size=(count, 1))
    weight = np.sin(np.pi * (np.arange(frames) + 0.5) / frames)[:, None, None].astype(np.float32) ** 2
    total = np.zeros((count, length + 2 * frames, *x.shape[2:]), np.float32)
    for start in range(MEASURED.start - frames, MEASURED.stop, hop):
        at = start + shift + np.arange(frames)
        held, outside = np.clip(at, 0, length - 1), (at < 0) | (at >= length)
        levels = np.where(outside[..., None], np.inf, sigma[rows, held])
        total[rows, at + frames] += weight * _answer(objective, x[rows, held], levels)
    return total[:, frames:-frames]


def _answer(objective: WindowObjective, x: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """World positions (B, F, J, 3) that the network answers for windows x (B, F, J, 3) with noise sigma (B, F, J)."""
    given = objective.prepare(x, sigma)
    with torch.autocast("cpu", torch.bfloat16):
        output = objective.network(torch.from_numpy(given.features)).float()
    canonical = objective.positions(given, output).numpy()
    return np.einsum("bij,bfkj->bfki", given.heading, canonical) + given.centre


def run(variant: Variant, seed: int, folder: Path, results: Path, steps: int, measure: Callable) -> Scores:
    """Train one variant and measure it: errors in mm, seconds of processor time in training, parameters in millions."""
    settings = TrainSettings(
        steps=steps, seed=seed, warm_up=max(1, round(WARM_UP_SHARE * steps)), decay_share=variant.decay_share
    )
    described = {"train": asdict(settings), "network": asdict(variant.network), "batch": variant.batch}
    own = results / f"{variant.name.replace(' ', '-')}-{seed}"
    kept = own / "scores.json"
    if kept.exists() and (record := json.loads(kept.read_text()))["settings"] == described:
        return record["scores"]
    torch.manual_seed(seed)
    objective = variant.objective(folder, variant.network, variant.batch)
    trainer, began = variant.trainer(objective, settings, own), time.process_time()
    for _ in range(steps):
        trainer.update()
    cost = time.process_time() - began
    with trainer.averaged():
        scores = measure(lambda case: denoise_pieces(objective, case.noisy, case.sigma))
    parameters = sum(p.numel() for p in objective.network.parameters()) / 1e6
    scores |= {"M parameters": parameters, "CPU seconds": cost}
    kept.write_text(json.dumps({"settings": described, "scores": scores}, indent=1))
    return scores


def study(folder: Path, results: Path, steps: int, variants: tuple[Variant, ...] = VARIANTS) -> str:
    """The whole table, as Markdown."""
    truth = validation_windows(folder, "validation", PIECE, PIECES)
    cases = make_cases(truth)

    def measure(answer: Callable[[Case], np.ndarray]) -> Scores:
        return {case.name: case.error(answer(case), truth) for case in cases}

    results.mkdir(parents=True, exist_ok=True)
    rows: dict[str, Scores] = {}
    bases = []
    for variant, seed in [*((BASE, seed) for seed in BASE_SEEDS), *((variant, 0) for variant in variants)]:
        scores = run(variant, seed, folder, results, steps, measure)
        print(variant.name, seed, {name: round(value, 2) for name, value in scores.items()}, flush=True)
        if variant is BASE:
            bases.append(scores)
        else:
            rows[variant.name] = scores
    return markdown(measure(lambda case: case.noisy), bases, rows, steps, len(truth))


def markdown(given: Scores, bases: list[Scores], rows: dict[str, Scores], steps: int, pieces: int) -> str:
    """The base first, mean over its seeds, and how far they spread; then each variant, with its difference."""
    names, extra = list(given), [name for name in bases[0] if name not in given]
    mean = {name: float(np.mean([base[name] for base in bases])) for name in bases[0]}
    spread = {name: 100 * float(np.std([base[name] for base in bases], ddof=1)) / mean[name] for name in names}

    def cell(scores: Scores, name: str) -> str:
        change = 100 * (scores[name] / mean[name] - 1)
        text = f"{scores[name]:.1f} ({change:+.1f} %)"
        return f"**{text}**" if abs(change) > MARKED * spread[name] else text

    def plain(scores: Scores, columns: list[str]) -> list[str]:
        return [f"{scores[name]:.2g}" if scores[name] < 10 else f"{scores[name]:.1f}" for name in columns]

    lines = [["mm", *names, *extra], ["---"] * (1 + len(names) + len(extra))]
    lines += [["**as chosen**", *plain(mean, names + extra)]]
    lines += [["its seeds, standard deviation", *(f"{spread[name]:.1f} %" for name in names), "", ""]]
    lines += [[title, *(cell(scores, n) for n in names), *plain(scores, extra)] for title, scores in rows.items()]
    lines += [["what the network is given", *plain(given, names), "", ""]]
    text = (
        f"{steps} steps each, from scratch; errors on {pieces} pieces of {PIECE} frames of the validation takes. As "
        f"chosen: the mean of {len(bases)} seeds; the rest: one seed, and in brackets the difference from that mean. "
        f"Bold: a difference of more than {MARKED:g} standard deviations between the seeds."
    )
    return text + "\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main(arguments: list[str] | None = None) -> int:
    """Command line; see the module's first line."""
    parser = argparse.ArgumentParser(prog="python -m pads_blender.training.ablation", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with train/ and dev/")
    parser.add_argument("--out", type=Path, required=True, help="folder for the scores of every run")
    parser.add_argument("--page", type=Path, help="Markdown page with marks for the table")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args(arguments)
    torch.set_num_threads(args.threads)
    text = study(args.data, args.out, args.steps)
    (args.out / "ablation.md").write_text(text + "\n", encoding="utf-8")
    if args.page:
        put_between_marks(args.page, "ablation", text)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
