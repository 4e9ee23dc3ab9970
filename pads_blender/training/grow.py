"""python -m pads_blender.training.grow RUN --layers N --out NEW: a deeper network that begins as what RUN has learned.

Layers are added as copies of their neighbours with nothing to say yet (Chen et al. 2016, Net2Net): the network computes
what it did before. `train KIND --layers N --out NEW` goes on from there, with moving averages and momenta.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch

_SAYS = ("attention.out.", "mlp.2.")  # what a block adds to its input
Tensors = dict[str, torch.Tensor]
Origin = tuple[int, bool]  # the layer that is copied, and whether as an addition


def origins(present: int, wanted: int) -> list[Origin]:
    """Where each of the wanted layers comes from; additions are spread evenly and follow what they copy."""
    counts = [wanted * (layer + 1) // present - wanted * layer // present for layer in range(present)]
    return [(layer, copy > 0) for layer, count in enumerate(counts) for copy in range(count)]


def deepen(values: Tensors, layers: list[Origin]) -> Tensors:
    """Tensors by name of parameter, of the parameters or of anything kept for each, in the deeper network's order."""
    outside = [name for name in values if not name.startswith("blocks.")]
    first = next(place for place, name in enumerate(values) if name.startswith("blocks."))
    grown = {name: values[name] for name in outside[:first]}
    for layer, (source, added) in enumerate(layers):
        prefix = f"blocks.{source}."
        for name in (name for name in values if name.startswith(prefix)):
            part, value = name.removeprefix(prefix), values[name]
            silent = added and part.startswith(_SAYS)
            grown[f"blocks.{layer}.{part}"] = torch.zeros_like(value) if silent else value.clone()
    return grown | {name: values[name] for name in outside[first:]}


def deepen_optimiser(saved: dict, names: list[str], layers: list[Origin]) -> dict:
    """State of an optimiser of the parameters of these names, for the deeper network; counts of steps stay."""
    kept = {key: {name: saved["state"][place][key] for place, name in enumerate(names)} for key in saved["state"][0]}
    grown = {key: list(deepen(values, layers).values()) for key, values in kept.items()}
    if "step" in kept:
        grown["step"] = [kept["step"][names[0]].clone() for _ in grown["step"]]
    count = len(next(iter(grown.values())))
    states = {place: {key: values[place] for key, values in grown.items()} for place in range(count)}
    return {"state": states, "param_groups": [saved["param_groups"][0] | {"params": list(states)}]}


def grow(checkpoint: dict, wanted: int) -> dict:
    """The checkpoint of a run (see trainer.py) with so many layers."""
    settings, network = checkpoint["network_settings"], checkpoint["network"]
    layers = origins(settings["layers"], wanted)
    matrices = [name for name, value in network.items() if value.ndim == 2 and name.startswith("blocks.")]
    groups = matrices, [name for name in network if name not in matrices]
    optimisers = zip(checkpoint["optimisers"], groups, strict=True)
    return checkpoint | {
        "network": deepen(network, layers),
        "average": deepen(checkpoint["average"], layers),
        "optimisers": [deepen_optimiser(saved, names, layers) for saved, names in optimisers],
        "network_settings": settings | {"layers": wanted},
    }


def main(arguments: list[str] | None = None) -> int:
    """Command line; see the module's first line."""
    parser = argparse.ArgumentParser(prog="python -m pads_blender.training.grow", description=__doc__)
    parser.add_argument("run", type=Path, help="run folder of the trainer")
    parser.add_argument("--layers", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True, help="new run folder")
    args = parser.parse_args(arguments)
    checkpoint = torch.load(args.run / "checkpoint.pt", weights_only=True)
    present = checkpoint["network_settings"]["layers"]
    if args.layers <= present:
        parser.error(f"This network has {present} layers already: ask for more.")
    args.out.mkdir(parents=True)
    torch.save(grow(checkpoint, args.layers), args.out / "checkpoint.pt")
    return 0


if __name__ == "__main__":
    sys.exit(main())
