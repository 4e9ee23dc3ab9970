"""python -m pads_blender.training.export_onnx pose|window --run RUN --data DIR: weights as ONNX with a contract.

ONNX has no autograd, so the pose prior is written twice: forward, and forward with its vector-Jacobian product.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.fx.experimental.proxy_tensor import make_fx

from ..core.skeleton import JOINTS
from ..diffusion import window
from ..diffusion.learned_priors import PosePrior
from ..diffusion.prior import load_prior
from . import data
from .network import NetworkSettings, PoseNetwork, WindowNetwork
from .objectives import POSE_SCALE, POSE_STEPS, ddpm_alphas

VJP_BATCH = 64  # the graph with the gradient has a fixed batch; callers pad
_POSE_INPUTS = ["noisy_pose", "noise_level", "cotangent"]  # names that the tracer gives to nothing of its own
CREDITS = (
    "Trained on the CMU Graphics Lab Motion Capture Database (mocap.cs.cmu.edu, created with funding from NSF "
    "EIA-0196217), ACCAD Open Motion Data (The Ohio State University, CC BY 3.0), UI-PRMD (Vakanski et al. 2018, "
    "public domain) and Mesh2Motion / Universal Animation Library (CC0)."
)


def load_network(run: Path, kind: str) -> torch.nn.Module:
    """The run's averaged weights in a network ready to evaluate."""
    state = torch.load(run / "checkpoint.pt", weights_only=True, map_location="cpu")
    network = {"pose": PoseNetwork, "window": WindowNetwork}[kind](NetworkSettings(**state["network_settings"]))
    network.load_state_dict(state["average"], strict=False)
    return network.eval().requires_grad_(False)


class WithGradient(torch.nn.Module):
    """Forward pass and the transpose of its derivative applied to a cotangent: (x, t, v) -> (f(x, t), J^T v)."""

    def __init__(self, network: torch.nn.Module):
        super().__init__()
        self.network = network

    def forward(self, x: torch.Tensor, t: torch.Tensor, cotangent: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Predicted noise and the pulled-back cotangent, both (B, J - 1, 3)."""
        output, pull = torch.func.vjp(lambda value: self.network(value, t), x)
        return output, pull(cotangent)[0]


def export_pose(network: PoseNetwork, folder: Path) -> dict[str, Path]:
    """pads_pose.onnx (any batch) and pads_pose_vjp.onnx (batch of VJP_BATCH)."""
    joints = len(JOINTS) - 1
    x, t = torch.randn(VJP_BATCH, joints, 3), torch.rand(VJP_BATCH)
    forward, gradient = folder / "pads_pose.onnx", folder / "pads_pose_vjp.onnx"
    batch = torch.export.Dim("batch", min=1, max=1 << 20)
    _export(network, (x, t), _POSE_INPUTS[:2], ["eps"], forward, ({0: batch}, {0: batch}))
    _store_half(forward, _name_weights(forward, network))
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        graph = make_fx(WithGradient(network), decomposition_table=_gradient_decompositions())(
            x, t, torch.randn_like(x)
        )
    _export(graph, (x, t, torch.randn_like(x)), _POSE_INPUTS, ["eps", "pulled"], gradient)
    _store_half(gradient)
    return {"forward": forward, "vjp": gradient}


def _gradient_decompositions() -> dict:
    """The backward operators that ONNX has no word for, in terms of ones that it has."""
    aten = torch.ops.aten
    return torch._decomp.get_decompositions(
        [aten.native_layer_norm_backward, aten.gelu_backward, aten._softmax_backward_data, aten.silu_backward]
    )


def export_window(network: WindowNetwork, folder: Path) -> dict[str, Path]:
    """pads_motion.onnx, any batch of windows."""
    features = torch.randn(2, window.FRAMES, 5 * len(JOINTS))
    path = folder / "pads_motion.onnx"
    batch = torch.export.Dim("batch", min=1, max=1 << 20)
    _export(network, (features,), ["features"], ["correction"], path, ({0: batch},))
    _store_half(path, _name_weights(path, network))
    return {"forward": path}


def _export(
    module: Callable, example: tuple, inputs: list[str], outputs: list[str], path: Path, dynamic: tuple | None = None
) -> None:
    """Opset 18 and IR 8, which every runtime since ONNX Runtime 1.14 reads: another add-on may bring an old one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module, example, dynamo=True, opset_version=18, verbose=False, dynamic_shapes=dynamic,
            input_names=inputs, output_names=outputs, external_data=False,
        )  # fmt: skip
    program.model.ir_version = 8
    program.save(path, external_data=False)


def _name_weights(path: Path, network: torch.nn.Module) -> list[str]:
    """Give the parameters in the graph the names that diffusion/onnx_file.py looks for; all these names.

    The exporter names biases after the network, matrices after nothing, and joins parameters that are alike: what it
    joined is added once more.
    """
    import onnx
    from onnx import numpy_helper

    model = onnx.load(path)
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    wanted = {name: parameter.detach().numpy() for name, parameter in network.named_parameters()}
    nameless = {name: values for name, values in stored.items() if name not in wanted}
    renamed = {}
    for name, values in wanted.items():
        if name in stored:
            continue
        same, turned = _find(nameless, values), _find(nameless, values.T)
        if same or turned:
            renamed[same or turned] = name if same else name + ".T"
            del nameless[same or turned]
        else:
            model.graph.initializer.append(numpy_helper.from_array(values, name))
    _rename(model.graph, renamed)
    onnx.save(model, path)
    return [*wanted, *renamed.values()]


def _find(stored: dict[str, np.ndarray], values: np.ndarray) -> str | None:
    return next((name for name, other in stored.items() if np.array_equal(other, values)), None)


def _rename(graph: Any, names: dict[str, str]) -> None:
    for tensor in graph.initializer:
        tensor.name = names.get(tensor.name, tensor.name)
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]


def _store_half(path: Path, names: list[str] | None = None) -> None:
    """Matrices (of these names) stored as 16-bit floats and cast when the file is loaded: half the size, the same sums.

    Tables that the network computes for itself are no weights, and stay as exact as in training.
    """
    import onnx
    from onnx import numpy_helper

    model = onnx.load(path)
    casts = []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.size >= 256 and (names is None or tensor.name in names):
            name = tensor.name
            tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), name + ".half"))
            casts.append(onnx.helper.make_node("Cast", [name + ".half"], [name], to=onnx.TensorProto.FLOAT))
    nodes = casts + list(model.graph.node)
    del model.graph.node[:], model.graph.value_info[:], model.graph.metadata_props[:]
    model.graph.node.extend(nodes)
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    onnx.save(model, path)


def write_contract(
    kind: str, run: Path, files: dict[str, Path], folder: Path, about: dict[str, str] | None = None
) -> Path:
    """The JSON beside the weights: what a reader must know, checked on load; about: what differs from the shipped."""
    state = torch.load(run / "checkpoint.pt", weights_only=True, map_location="cpu")
    contract = {
        "contract_version": 1,
        "kind": "pose" if kind == "pose" else "motion",
        "joints": list(JOINTS),
        "files": {k: {"name": f.name, "sha256": hashlib.sha256(f.read_bytes()).hexdigest()} for k, f in files.items()},
        "network": state["network_settings"],
        "training": state["train_settings"] | {"steps_done": state["step"], "hours": _hours(state["rows"])},
        "metrics_mm": state["rows"][-1],
        "training_data": CREDITS,
        "license": "GPL-3.0-or-later",
        **(about or {}),
    }
    contract |= _pose_details() if kind == "pose" else _window_details()
    path = folder / f"pads_{'pose' if kind == 'pose' else 'motion'}.json"
    path.write_text(json.dumps(contract, indent=1) + "\n", encoding="utf-8")
    return path


def measure_denoiser(prior: PosePrior, data_folder: Path) -> dict:
    """RMS error per coordinate on validation poses at 16 noise levels, metres."""
    clips = [c for c in data.load_split(data_folder, "validation") if c.subject.startswith("cmu")]
    poses = np.concatenate([c.positions - c.positions[:, :1] for c in clips])[::10].astype(float)
    sigmas, rng = np.geomspace(0.001, 3.0, 16), np.random.default_rng(0)
    errors = []
    for sigma in sigmas:
        error = prior.denoise(poses + sigma * rng.standard_normal(poses.shape), sigma) - poses
        errors.append(float(np.sqrt(np.mean(error[:, 1:] ** 2))))
    return {"sigma": [round(float(s), 6) for s in sigmas], "error": [round(e, 6) for e in errors]}


def _hours(rows: list[dict]) -> float:
    """Time spent, summed over the times that the run was resumed: the clock of the log starts anew with each."""
    seconds = [row.get("seconds", 0) for row in rows]
    ends = [a for a, b in zip(seconds, [*seconds[1:], 0], strict=True) if b < a]
    return round(sum(ends) / 3600, 2)


def _pose_details() -> dict:
    abar = ddpm_alphas()
    return {
        "representation": "pelvis-relative positions without the pelvis, at the heading of the noisy pose, "
        "divided by scale_metres",
        "scale_metres": POSE_SCALE,
        "diffusion": {"parametrisation": "eps", "steps": POSE_STEPS, "beta_first": 1e-4, "beta_last": 0.02},
        "sigma_range_metres": [float(POSE_SCALE * np.sqrt(1 / a - 1)) for a in (abar[0], abar[-1])],
        "vjp_batch": VJP_BATCH,
        "tensors": {
            "forward": {"inputs": _POSE_INPUTS[:2], "outputs": ["eps"]},
            "vjp": {"inputs": _POSE_INPUTS, "outputs": ["eps", "pulled"]},
        },
    }


def _window_details() -> dict:
    return {
        "representation": "window-centred positions, canonical heading; see diffusion/window.py",
        "frames": window.FRAMES,
        "fps": window.FPS,
        "sigma_data_metres": window.SIGMA_DATA,
        "sigma_hidden_metres": window.SIGMA_HIDDEN,
        "sigma_range_metres": [0.001, 3.0],
        "tensors": {"forward": {"inputs": ["features"], "outputs": ["correction"]}},
    }


def main(arguments: list[str] | None = None) -> int:
    """Command line; see the module's first line."""
    parser = argparse.ArgumentParser(prog="python -m pads_blender.training.export_onnx", description=__doc__)
    parser.add_argument("kind", choices=("pose", "window"))
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("bundled_models"))
    parser.add_argument("--data", type=Path, required=True, help="folder with train/: to measure the denoiser's error")
    args = parser.parse_args(arguments)
    args.out.mkdir(exist_ok=True)
    network = load_network(args.run, args.kind)
    files = (export_pose if args.kind == "pose" else export_window)(network, args.out)
    path = write_contract(args.kind, args.run, files, args.out)
    if args.kind == "pose":
        fields = json.loads(path.read_text(encoding="utf-8"))
        fields["denoiser_error_metres"] = measure_denoiser(load_prior("pose", args.out), args.data)
        path.write_text(json.dumps(fields, indent=1) + "\n", encoding="utf-8")
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
