"""A motion prior of one's own: the shipped one, or one from scratch, trained on a folder of takes.

This is what `python -m pads_blender.training.train --data FOLDER` does: read, divide, train, export, compare. All that
it makes lies in the folder --out, and the same command goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import shlex
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch

from ..diffusion.contract import read_contract
from ..diffusion.onnx_file import read_parameters
from ..errors import BadFileError, PadsError, PriorError
from ..paths import bundled_models_dir
from . import export_onnx, model_card, own_report
from .data import Clip
from .network import NetworkSettings, WindowNetwork
from .objectives import WindowObjective
from .own_takes import OwnTakes, divide, windows_of
from .takes import Library, read_library
from .trainer import Trainer, TrainSettings

SCRATCH_STEPS, STEPS = 10_000, 600
SCRATCH_NETWORK = NetworkSettings(width=256, layers=7, heads=4)
PRIOR_FOLDER = "prior"  # in the run's folder: what the preference and --prior-file take
LOG_EVERY = 50
# How far the exported weights go back to those of the start. On held-out takes of a validation subject nothing was
# lost up to here (40 mm of noise: -4.1 % with and without), and other takes lost half as much: see docs/training.md.
KEPT_SHARE = 0.25
INTERRUPTED = 130  # exit code


@dataclass
class OwnObjective(WindowObjective):
    """The window prior's objective on takes that were divided before; every frame counts alike."""

    folder: OwnTakes
    splits: ClassVar[tuple[str, ...]] = ("held_out",)

    def training_clips(self) -> tuple[Clip, ...]:
        """What is not held out."""
        return self.folder.train

    def source_weight(self, clip: Clip) -> float:
        """The same for all."""
        return 1.0

    def measured_windows(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        """Windows of what is held out, and the joints that each knows."""
        windows = windows_of(self.folder.held_out, self.settings.frames)
        return windows.positions, windows.known


@dataclass(frozen=True)
class Start:
    """What a run begins with: the network's size and weights (none: from scratch), where they are from, and on what
    terms, in the words of their contract.
    """

    network: NetworkSettings
    weights: dict[str, torch.Tensor]
    origin: str
    credits: str = ""
    terms: str = ""


def read_start(path: Path | None) -> Start:
    """The weights of a prior (its .json) or of a run (its checkpoint.pt); None: from scratch."""
    if path is None:
        return Start(SCRATCH_NETWORK, {}, "random weights")
    if not path.is_file():
        raise PriorError(f"{path}: there is no such file: name a prior's .json or a run's checkpoint.pt.")
    if path.suffix == ".pt":
        state = torch.load(path, weights_only=True, map_location="cpu")
        return Start(NetworkSettings(**state["network_settings"]), state["average"], f"the checkpoint {path.name}")
    contract = read_contract(path, "motion")
    weights = {name: torch.from_numpy(np.array(values)) for name, values in read_parameters(contract).items()}
    digest = contract["files"]["forward"]["sha256"][:8]
    origin = f"the prior {path.name} with weights {digest}"
    network = NetworkSettings(**contract["network"])
    return Start(network, weights, origin, contract["training_data"], contract["license"])


def load_weights(network: torch.nn.Module, start: Start) -> None:
    """Put the start's weights, if there are any, into the network; tables that a file holds beside them stay out."""
    for name, parameter in network.named_parameters() if start.weights else ():
        values = start.weights.get(name)
        if values is None or values.shape != parameter.shape:
            raise PriorError(f"There is no fitting {name} in {start.origin}: it cannot be trained further.")
        parameter.data.copy_(values)


def settings_for(start: Start, given: argparse.Namespace) -> TrainSettings:
    """From scratch as the shipped prior was trained; else fewer steps at a share of the rates, which fall all the way.

    The share, the average and the schedule were chosen on validation subjects: see docs/training.md.
    """
    if not start.weights:
        return TrainSettings(steps=given.steps or SCRATCH_STEPS, seed=given.seed)
    steps, full = given.steps or STEPS, TrainSettings()
    return TrainSettings(
        steps=steps, muon_rate=given.rate * full.muon_rate, adam_rate=given.rate * full.adam_rate,
        warm_up=20, decay_share=1.0, ema=0.99, log_every=LOG_EVERY, seed=given.seed,
    )  # fmt: skip


def train_own(given: argparse.Namespace) -> int:
    """The whole way from takes to report; 0 when it is done, INTERRUPTED when it was asked to stop before."""
    library = read_library(given.data, given.out / "read", _say)
    takes = divide(library.clips, given.seed)
    start = _begin(given, takes)
    _say(f"{library.minutes:.1f} minutes in {len(library.clips)} clips. {takes.rule} Start: {start.origin}.")
    _list_left_out(library, given.out)
    torch.manual_seed(given.seed)
    objective = OwnObjective(takes, start.network, given.batch, given.device)
    load_weights(objective.network, start)
    trainer = Trainer(objective, settings_for(start, given), given.out)
    if not trainer.rows:
        trainer.log(float("nan"), 0.0)
    if not trainer.run():
        _say(f"stopped after step {trainer.step} of {trainer.settings.steps}; the same command goes on from there.")
        return INTERRUPTED
    _finish(given, library, takes, start, trainer)
    return 0


def mixed_network(trainer: Trainer, start: Start) -> WindowNetwork:
    """What is exported: the averaged weights, where the run began with weights a quarter of the way back to these.

    Wortsman et al. 2022, Robust fine-tuning of zero-shot models; see KEPT_SHARE.
    """
    network = WindowNetwork(trainer.objective.settings)
    for name, parameter in network.named_parameters():
        learnt = trainer.average[name].cpu()
        parameter.data.copy_(torch.lerp(learnt, start.weights.get(name, learnt), KEPT_SHARE))
    return network.eval().requires_grad_(False)


def _begin(given: argparse.Namespace, takes: OwnTakes) -> Start:
    """What the run begins with, or began with when it goes on: kept in its folder, for the shipped prior may change.

    Raises BadFileError where it would go on with other takes: what is held out must never have been trained on.
    """
    place = given.out / "start.pt"
    if (given.out / "checkpoint.pt").is_file():
        kept = torch.load(place, weights_only=True) if place.is_file() else {"takes": None}
        if kept.pop("takes") != takes.rule:
            raise BadFileError(f"{given.out}: holds a run on other takes: name another folder with --out.")
        return Start(**kept | {"network": NetworkSettings(**kept["network"])})
    start = read_start(None if given.from_scratch else given.start or bundled_models_dir() / "pads_motion.json")
    torch.save({**vars(start), "network": asdict(start.network), "takes": takes.rule}, place)
    return start


def _list_left_out(library: Library, out: Path) -> None:
    text = "".join(f"{name}: {reason}\n" for name, reason in library.left_out)
    (out / "left_out.txt").write_text(text, encoding="utf-8")
    if text:
        _say(f"left out, in whole or in part: {len(library.left_out)}, listed with reasons in {out / 'left_out.txt'}")


def _finish(given: argparse.Namespace, library: Library, takes: OwnTakes, start: Start, trainer: Trainer) -> None:
    """Export, compare with the shipped prior, and write the report and the model card."""
    out, prior, network = given.out, given.out / PRIOR_FOLDER, mixed_network(trainer, start)
    prior.mkdir(exist_ok=True)
    origin = start.origin + (f", which makes up {KEPT_SHARE:.0%} of the weights" if start.weights else "")
    about = own_report.describe(library, takes, origin, start.credits, start.terms) | {"device": given.device}
    trainer.objective.network.load_state_dict(network.state_dict())
    errors = trainer.objective.validate("held_out")
    about |= {"metrics_mm": {f"held_out_{name}": round(value, 2) for name, value in errors.items()}}
    export_onnx.write_contract("window", out, export_onnx.export_window(network, prior), prior, about)
    comparison = own_report.compare(takes, prior, _say)
    (out / "report.json").write_text(json.dumps(comparison.to_json(), indent=1) + "\n", encoding="utf-8")
    text = own_report.markdown(comparison, about, library, given.command)
    (out / "report.md").write_text(text, encoding="utf-8")
    card = model_card.card(prior) + "\n" + own_report.table(comparison) + "\n"
    (prior / "MODEL_CARD.md").write_text(card, encoding="utf-8")
    own = prior / "pads_motion.json"
    _say(f"\n{text}\nThe prior is {own}: choose it in the preferences, or name it with --prior-file.")


def parser() -> argparse.ArgumentParser:
    """The command line without pose or window in front."""
    result = argparse.ArgumentParser(
        prog="python -m pads_blender.training.train",
        description="Train a motion prior of your own on a folder of takes. Stop it at any time: it goes on.",
        epilog="pose or window as the first word trains a shipped prior again: train window --help",
    )
    result.add_argument("--data", type=Path, required=True, help="folder of takes: BVH, FBX, glTF, AMC, npz")
    result.add_argument("--out", type=Path, default=Path("own_prior"), help="folder for all results: %(default)s")
    result.add_argument("--start", type=Path, help="a prior's .json or a checkpoint.pt; default: the shipped prior")
    result.add_argument("--from-scratch", action="store_true", help="start from random weights: for hours of takes")
    result.add_argument("--steps", type=int, help=f"default: {STEPS}, from scratch {SCRATCH_STEPS}")
    result.add_argument("--rate", type=float, default=0.1, help="share of the full learning rates: %(default)s")
    result.add_argument("--batch", type=int, default=32, help="windows a step (default: %(default)s)")
    result.add_argument("--device", default="auto", help="cpu, cuda or mps; default: the first GPU that torch finds")
    result.add_argument("--threads", type=int, default=os.cpu_count())
    result.add_argument("--seed", type=int, default=0, help="draws what is held out, and the training windows")
    return result


def find_device(wanted: str) -> str:
    """The wanted device, or with `auto` the best that torch finds; PriorError where it is not there."""
    there = {"cuda": torch.cuda.is_available, "mps": torch.backends.mps.is_available, "cpu": lambda: True}
    if wanted == "auto":
        return next(name for name, is_there in there.items() if is_there())
    if wanted not in there or not there[wanted]():
        raise PriorError(f"torch finds no device {wanted} here: leave --device out, or install torch for it.")
    return wanted


def main(arguments: list[str]) -> int:
    """Run the command line."""
    given = parser().parse_args(arguments)
    torch.set_num_threads(given.threads)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it speaks of packages that are not needed
    try:
        given.device = find_device(given.device)
        given.out.mkdir(parents=True, exist_ok=True)
        given.command = f"python -m pads_blender.training.train {shlex.join(arguments)}"
        return train_own(given)
    except PadsError as error:
        _say(f"pads: {error}")
        return 1
    except KeyboardInterrupt:  # while takes are read or priors compared; training itself stops between two steps
        _say("stopped; the same command goes on.")
        return INTERRUPTED


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
