"""python -m pads_blender.training.average KIND RUN EARLIER --share S --data DIR --out NEW: two states of a run in one.

A run's last steps, at falling rates, fit what is common in the training set and lose some of what is rare. Weights
between the two states keep much of both (Wortsman et al. 2022, Model soups; Robust fine-tuning of zero-shot models).
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import torch

from .network import NetworkSettings
from .train import KINDS
from .trainer import measured


def average(last: dict, earlier: dict, share: float) -> dict:
    """The last checkpoint of a run (see trainer.py), its averaged weights moved by this share towards the earlier's."""
    weights = {name: torch.lerp(value, earlier["average"][name], share) for name, value in last["average"].items()}
    return last | {"average": weights}


def measured_anew(checkpoint: dict, kind: str, folder: Path) -> dict:
    """The checkpoint with its averaged weights' errors in the last row of its log."""
    objective_type, _ = KINDS[kind]
    objective = objective_type(folder, NetworkSettings(**checkpoint["network_settings"]))
    objective.network.load_state_dict(checkpoint["average"], strict=False)
    objective.network.eval()
    *before, last = checkpoint["rows"]
    return checkpoint | {"rows": [*before, last | measured(objective)]}


def main(arguments: list[str] | None = None) -> int:
    """Command line; see the module's first line."""
    parser = argparse.ArgumentParser(prog="python -m pads_blender.training.average", description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("run", type=Path, help="run folder of the trainer")
    parser.add_argument("earlier", type=Path, help="run folder with an earlier checkpoint of the same network")
    parser.add_argument("--share", type=float, required=True, help="of the earlier weights, 0 to 1")
    parser.add_argument("--data", type=Path, required=True, help="folder with train/ and dev/, to measure the errors")
    parser.add_argument("--out", type=Path, required=True, help="new run folder")
    args = parser.parse_args(arguments)
    last, earlier = (torch.load(run / "checkpoint.pt", weights_only=True) for run in (args.run, args.earlier))
    if last["network_settings"] != earlier["network_settings"]:
        parser.error("These are two networks: name two states of one.")
    mixed = measured_anew(average(last, earlier, args.share), args.kind, args.data)
    args.out.mkdir(parents=True)
    torch.save(mixed, args.out / "checkpoint.pt")
    print(json.dumps(mixed["rows"][-1], indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
