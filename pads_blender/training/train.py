"""python -m pads_blender.training.train --data FOLDER: a prior of your own, see own_prior.py.

python -m pads_blender.training.train pose|window --data DIR --out RUN: a shipped prior again. Both resume.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

import torch

from . import own_prior
from .network import NetworkSettings
from .objectives import PoseObjective, WindowObjective
from .trainer import Trainer, TrainSettings

KINDS = {
    "pose": (PoseObjective, NetworkSettings(width=128, layers=5, heads=4)),
    "window": (WindowObjective, NetworkSettings(width=256, layers=10, heads=4)),
}


def main(arguments: list[str] | None = None) -> int:
    """Command line; see the module's first lines."""
    words = sys.argv[1:] if arguments is None else arguments
    return _train_shipped(words) if words[:1] and words[0] in KINDS else own_prior.main(words)


def _train_shipped(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m pads_blender.training.train", description="A shipped prior again.")
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--data", type=Path, required=True, help="folder with train/ and dev/")
    parser.add_argument("--out", type=Path, required=True, help="run folder: checkpoint, log.csv, curves.png")
    parser.add_argument("--steps", type=int, default=TrainSettings.steps)
    parser.add_argument("--batch", type=int)
    parser.add_argument("--width", type=int)
    parser.add_argument("--layers", type=int)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--log-every", type=int, default=TrainSettings.log_every)
    parser.add_argument("--seed", type=int, default=TrainSettings.seed)
    args = parser.parse_args(words)
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    objective_type, network = KINDS[args.kind]
    network = NetworkSettings(**(asdict(network) | {k: v for k in ("width", "layers") if (v := getattr(args, k))}))
    objective = objective_type(args.data, network, **({"batch": args.batch} if args.batch else {}))
    settings = TrainSettings(steps=args.steps, seed=args.seed, log_every=args.log_every)
    trainer = Trainer(objective, settings, args.out)
    is_done = trainer.run()
    print(json.dumps(trainer.rows[-1] if trainer.rows else {}, indent=1))
    return 0 if is_done else own_prior.INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
