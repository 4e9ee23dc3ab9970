"""Weights are refused unless they are exactly what their contract says; shipped ones load and denoise."""

import json
import shutil

import numpy as np
import pytest

from pads_blender.core.skeleton import JOINTS
from pads_blender.diffusion.contract import read_contract
from pads_blender.diffusion.prior import load_prior
from pads_blender.errors import PriorError
from pads_blender.paths import bundled_models_dir


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(bundled_models_dir(), tmp_path / "models")


def edit(folder, **fields):
    path = folder / "pads_pose.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def test_shipped_contracts_are_complete():
    assert sum(file.stat().st_size for file in bundled_models_dir().glob("*.onnx")) < 24_000_000
    for kind in ("pose", "motion"):
        contract = read_contract(bundled_models_dir() / f"pads_{kind}.json", kind)
        assert contract.file("forward").is_file()
        for field in ("license", "training_data", "metrics_mm", "network", "representation"):
            assert contract[field]


def test_the_shipped_pose_prior_denoises():
    x = np.zeros((4, len(JOINTS), 3))
    prior = load_prior("pose", threads=1)
    once = prior.denoise(x + 0.5, 0.5)
    assert np.isfinite(once).all() and np.all(once[:, 0] == 0)
    one_by_one = np.concatenate([prior.denoise(x[:1] + 0.5, 0.5) for _ in range(4)])
    np.testing.assert_allclose(once, one_by_one, atol=1e-5)


def test_a_changed_byte_is_refused(folder):
    weights = folder / "pads_pose.onnx"
    data = bytearray(weights.read_bytes())
    data[len(data) // 2] ^= 1
    weights.write_bytes(data)
    with pytest.raises(PriorError, match="damaged"):
        load_prior("pose", folder).denoise(np.zeros((1, len(JOINTS), 3)), 0.1)


def test_missing_weights_and_contracts_are_named(folder):
    (folder / "pads_pose.onnx").unlink()
    with pytest.raises(PriorError, match=r"pads_pose\.onnx is missing"):
        load_prior("pose", folder).denoise(np.zeros((1, len(JOINTS), 3)), 0.1)
    with pytest.raises(PriorError, match=r"pads_motion\.json cannot be read"):
        load_prior("motion", folder / "nowhere")


@pytest.mark.parametrize(
    ("field", "value"),
    [("joints", list(reversed(JOINTS))), ("kind", "motion"), ("contract_version", "1"), ("files", "pads_pose.onnx")],
)
def test_a_contract_that_does_not_fit_names_the_field(folder, field, value):
    edit(folder, **{field: value})
    with pytest.raises(PriorError, match=field):
        load_prior("pose", folder)


@pytest.mark.parametrize(("version", "words"), [(99, "newer PADS .*: update PADS"), (0, "older kind .*: export")])
def test_a_contract_of_another_version_is_refused_with_what_to_do(folder, version, words):
    edit(folder, contract_version=version)
    with pytest.raises(PriorError, match=words) as caught:
        load_prior("pose", folder)
    assert "\n" not in str(caught.value)


def test_tensors_other_than_the_contracts_are_refused(folder):
    tensors = json.loads((folder / "pads_pose.json").read_text())["tensors"]
    edit(folder, tensors=tensors | {"forward": {"inputs": ["something"], "outputs": ["eps"]}})
    with pytest.raises(PriorError, match="tensors"):
        load_prior("pose", folder).denoise(np.zeros((1, len(JOINTS), 3)), 0.1)


def test_weights_outside_the_folder_are_not_read(folder):
    files = json.loads((folder / "pads_pose.json").read_text())["files"]
    shutil.copy(folder / "pads_pose.onnx", folder.parent / "elsewhere.onnx")
    files["forward"]["name"] = "../elsewhere.onnx"
    edit(folder, files=files)
    with pytest.raises(PriorError, match=r"elsewhere\.onnx is missing"):
        load_prior("pose", folder).denoise(np.zeros((1, len(JOINTS), 3)), 0.1)
