"""python -m pads_blender.training.train pose|window --data DIR --out RUN: train a prior; resumes where RUN stopped."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

import torch

from .network import NetworkSettings
from .objectives import PoseObjective, WindowObjective
from .trainer import Trainer, TrainSettings

KINDS = {
    "pose": (PoseObjective, NetworkSettings(width=128, layers=5, heads=4)),
    "window": (WindowObjective, NetworkSettings(width=256, layers=7, heads=4)),
}


def main(arguments: list[str] | None = None) -> int:
    """Command line; see the module's first line."""
    parser = argparse.ArgumentParser(prog="python -m pads_blender.training.train", description=__doc__)
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
    args = parser.parse_args(arguments)
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    objective_type, network = KINDS[args.kind]
    network = NetworkSettings(**(asdict(network) | {k: v for k in ("width", "layers") if (v := getattr(args, k))}))
    objective = objective_type(args.data, network, **({"batch": args.batch} if args.batch else {}))
    settings = TrainSettings(steps=args.steps, seed=args.seed, log_every=args.log_every)
    trainer = Trainer(objective, settings, args.out)
    trainer.run()
    print(json.dumps(trainer.rows[-1], indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
