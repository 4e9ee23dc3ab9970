"""A prior of one's own in code: the shipped one of motion with the last bias moved, so that it answers else."""

import hashlib
import json
from pathlib import Path

import numpy as np

from pads_blender.diffusion.onnx_file import read_weights
from pads_blender.paths import bundled_models_dir

NAME = "pads_motion.json"


def write_own_prior(folder: Path, by: float = 0.5) -> Path:
    """The contract file of such a prior in that folder."""
    folder.mkdir(parents=True, exist_ok=True)
    shipped = bundled_models_dir() / "pads_motion.onnx"
    bias = read_weights(shipped)["head.bias"]
    data = shipped.read_bytes()
    (folder / shipped.name).write_bytes(data.replace(bias.tobytes(), (bias + np.float32(by)).tobytes()))
    return edit_contract(folder, json.loads((bundled_models_dir() / NAME).read_text()))


def edit_contract(folder: Path, fields: dict) -> Path:
    """Write the contract with the digest that the weights have now."""
    digest = hashlib.sha256((folder / "pads_motion.onnx").read_bytes()).hexdigest()
    fields["files"]["forward"]["sha256"] = digest
    path = folder / NAME
    path.write_text(json.dumps(fields))
    return path
