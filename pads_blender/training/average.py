"""python -m pads_blender.training.average RUN EARLIER --share S --out NEW: RUN with a share of its earlier weights.

A run's last steps, at falling rates, fit what is common in the training set and lose some of what is rare. Weights
between the two states keep much of both (Wortsman et al. 2022, Model soups; Robust fine-tuning of zero-shot models).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch


def average(last: dict, earlier: dict, share: float) -> dict:
    """The last checkpoint of a run (see trainer.py), its averaged weights moved by this share towards the earlier's."""
    weights = {name: torch.lerp(value, earlier["average"][name], share) for name, value in last["average"].items()}
    return last | {"average": weights}


def main(arguments: list[str] | None = None) -> int:
    """Command line; see the module's first line."""
    parser = argparse.ArgumentParser(prog="python -m pads_blender.training.average", description=__doc__)
    parser.add_argument("run", type=Path, help="run folder of the trainer")
    parser.add_argument("earlier", type=Path, help="run folder with an earlier checkpoint of the same network")
    parser.add_argument("--share", type=float, required=True, help="of the earlier weights, 0 to 1")
    parser.add_argument("--out", type=Path, required=True, help="new run folder")
    args = parser.parse_args(arguments)
    last, earlier = (torch.load(run / "checkpoint.pt", weights_only=True) for run in (args.run, args.earlier))
    if last["network_settings"] != earlier["network_settings"]:
        parser.error("These are two networks: name two states of one.")
    args.out.mkdir(parents=True)
    torch.save(average(last, earlier, args.share), args.out / "checkpoint.pt")
    return 0


if __name__ == "__main__":
    sys.exit(main())
