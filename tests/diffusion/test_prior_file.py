"""A prior that is chosen by its file: taken where it fits, else refused in one sentence that names the file."""

import json

import numpy as np
import pytest

from pads_blender.core.skeleton import JOINTS
from pads_blender.diffusion import device_choice, window
from pads_blender.diffusion.prior import load_prior
from pads_blender.diffusion.prior_file import prior_folder
from pads_blender.diffusion.trial import Host
from pads_blender.errors import PriorError
from pads_blender.paths import bundled_models_dir

from ..own_priors import edit_contract, write_own_prior


def changed(path, **fields):
    return edit_contract(path.parent, json.loads(path.read_text()) | fields)


def test_a_chosen_prior_answers_in_place_of_the_shipped_one(tmp_path):
    path = write_own_prior(tmp_path / "prior")
    assert prior_folder(path) == prior_folder(path.parent) == path.parent
    x = np.random.default_rng(0).standard_normal((1, window.FRAMES, len(JOINTS), 3))
    own, shipped = (
        load_prior("motion", folder, backend="numpy").denoise(x, 0.1) for folder in (path.parent, bundled_models_dir())
    )
    moved = np.linalg.norm(own - shipped, axis=-1)
    assert moved == pytest.approx(np.full(moved.shape, 0.5 * np.sqrt(3) * 0.1), rel=0.05)  # the gain at 0.1 m


def test_what_does_not_fit_is_refused_in_one_sentence(tmp_path):
    path = write_own_prior(tmp_path)
    network = json.loads(path.read_text())["network"]
    refusals = {
        "is no prior of motion": tmp_path / "pads_motion.onnx",
        "'network'": changed(write_own_prior(tmp_path / "a"), network=network | {"joints": 24}),
        "do not fit their contract": changed(write_own_prior(tmp_path / "b"), network=network | {"width": 128}),
        "'kind'": changed(write_own_prior(tmp_path / "c"), kind="pose"),
        "contract_version": changed(write_own_prior(tmp_path / "d"), contract_version=99),
    }
    for words, file in refusals.items():
        with pytest.raises(PriorError, match=words) as caught:
            prior_folder(file)
        said = str(caught.value)
        assert said.startswith(str(file)) and "\n" not in said and said.count(". ") == 0 and said.endswith(".")


def test_damaged_weights_are_refused(tmp_path):
    path = write_own_prior(tmp_path)
    weights = tmp_path / "pads_motion.onnx"
    weights.write_bytes(weights.read_bytes()[:-1000])
    with pytest.raises(PriorError, match=r"cannot be used \(The prior's file pads_motion\.onnx is damaged\)"):
        prior_folder(path)


def test_a_prior_of_the_shipped_size_uses_the_device_that_was_chosen_for_the_shipped_one(tmp_path, monkeypatch):
    path, asked = write_own_prior(tmp_path / "prior"), []
    monkeypatch.setattr(device_choice, "order", lambda *given: asked.append(given[2]) or device_choice.Order((), ""))
    load_prior("motion", path.parent, host=Host(tmp_path))
    assert asked == [bundled_models_dir()]
