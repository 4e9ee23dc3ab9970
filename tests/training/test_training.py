"""Training from data to ONNX on a few made-up clips: batches, resuming, export and parity with torch."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pads_blender.core.heading import headings, turned, without_heading
from pads_blender.core.skeleton import JOINTS, MODEL
from pads_blender.diffusion import window
from pads_blender.errors import BadFileError

torch = pytest.importorskip("torch", reason="torch is not installed for this Python: it is only pinned for 3.11")
pytest.importorskip("onnx", reason="onnx comes with torch's tests")

from pads_blender.diffusion.prior import load_prior  # noqa: E402
from pads_blender.training import average, data, export_onnx, grow, noise_maps, objectives  # noqa: E402
from pads_blender.training.demo_body import bvh_text  # noqa: E402
from pads_blender.training.demo_take import perform  # noqa: E402
from pads_blender.training.network import NetworkSettings, PoseNetwork, WindowNetwork  # noqa: E402
from pads_blender.training.trainer import Trainer, TrainSettings  # noqa: E402

from ..core.bodies import random_motion  # noqa: E402

SMALL = NetworkSettings(width=32, layers=2, heads=2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Made-up motion in the files' layout: Y up, CMU's joint names on the model's body."""
    for split, subject, seed in (("train", "cmu_900", 0), ("train", "cmu_002", 1), ("dev", "cmu_901", 2)):
        (tmp_path / split).mkdir(exist_ok=True)
        write_subject(tmp_path / split / f"{subject}.npz", seed)
    return tmp_path


def write_subject(path: Path, seed: int) -> None:
    table = next(t for mark, t in data._SKELETONS.items() if mark == "LHipJoint")
    names = [table[joint] for joint in JOINTS] + ["LHipJoint"]
    local, root = random_motion(400, seed)
    local = np.concatenate([local, np.tile([1.0, 0, 0, 0], (400, 1, 1))], axis=1)
    offsets = np.concatenate([MODEL.offsets, np.zeros((1, 3))])[:, [0, 2, 1]] * [1, 1, -1]
    np.savez(
        path, names=names, parents=[*MODEL.parents, 0], offsets=offsets.astype(np.float32), n_rot=len(names),
        root=root[:, [0, 2, 1]] * [1, 1, -1], quat=np.round(local[..., [0, 1, 3, 2]] * [1, 1, 1, -1] * 32767),
        clip_start=[0, 200, 400], clip_names=["a", "b"],
    )  # fmt: skip


def test_a_file_becomes_clips_of_the_model_body(folder):
    clips = data.load_split(folder, "train")
    assert [c.name for c in clips] == ["a", "b"] and {c.subject for c in clips} == {"cmu_900"}
    assert {c.subject for c in data.load_split(folder, "validation")} == {"cmu_002"}
    lengths = np.linalg.norm(clips[0].positions[:, 1:] - clips[0].positions[:, list(MODEL.parents[1:])], axis=-1)
    np.testing.assert_allclose(lengths, np.tile(np.linalg.norm(MODEL.offsets[1:], axis=-1), (200, 1)), atol=1e-5)


def test_clips_and_their_rigs_agree(folder):
    from pads_blender.core.retarget import to_model

    clip, rig = data.load_split(folder, "dev")[1], data.load_rig_clips(folder / "dev" / "cmu_901.npz")[1]
    motion, _ = to_model(rig.take, rig.mapping)
    np.testing.assert_allclose(motion.positions, clip.positions, atol=1e-4)


def test_a_folder_of_bvh_files_is_split_by_subject(tmp_path):
    text = bvh_text(perform())
    for subject in range(10):
        (tmp_path / f"actor{subject}").mkdir()
        (tmp_path / f"actor{subject}" / "walk.bvh").write_text(text)
    split = {name: [c.subject for c in data.load_split(tmp_path, name)] for name in ("train", "validation", "dev")}
    assert split == {"train": [f"actor{i}" for i in range(8)], "validation": ["actor8"], "dev": ["actor9"]}
    clip = data.load_split(tmp_path, "dev")[0]
    assert len(clip.positions) == 300 and clip.visible[MODEL.index("left_wrist")]
    assert 0.7 < np.median(clip.positions[:, 0, 2]) < 1.2  # the pelvis of somebody who stands, in model metres


def test_a_folder_without_takes_is_refused(tmp_path):
    with pytest.raises(BadFileError, match="no BVH files"):
        data.load_split(tmp_path, "train")


def test_mirror_is_its_own_inverse_and_swaps_sides():
    x = np.random.default_rng(0).standard_normal((5, len(MODEL), 3))
    assert np.array_equal(data.mirror(data.mirror(x)), x)
    left, right = MODEL.indices("left_wrist", "right_wrist")
    np.testing.assert_array_equal(data.mirror(x)[:, left], x[:, right] * [-1, 1, 1])


def test_rotation_jitter_keeps_bone_lengths_to_first_order():
    x = np.tile(MODEL.rest_positions, (2, 50, 1, 1)).astype(np.float32)
    noisy, sigma = noise_maps.add_noise(x, np.full(x.shape[:3], 1e-6), np.random.default_rng(0), np.array([0.003, 0.0]))
    parents = list(MODEL.parents[1:])
    length = np.linalg.norm(noisy[:, :, 1:] - noisy[:, :, parents], axis=-1)
    np.testing.assert_allclose(
        length, np.broadcast_to(np.linalg.norm(MODEL.offsets[1:], axis=-1), length.shape), atol=1e-4
    )
    wrist, pelvis = MODEL.indices("left_wrist", "pelvis")
    assert sigma[0, 0, wrist] > 2 * sigma[0, 0, pelvis] > 0 and sigma[1].max() < 1e-5
    np.testing.assert_allclose(np.std((noisy - x)[0, :, wrist]), sigma[0, 0, wrist], rtol=0.2)


def test_some_windows_show_nothing_but_good_keys():
    sigma = noise_maps.random_noise_map(np.random.default_rng(0), 400, 128, 22)
    known = np.isfinite(sigma)
    whole = (known.all(axis=2) | ~known.any(axis=2)).all(axis=1)  # poses are hidden whole or not at all
    keyed = whole & (known[:, :, 0].sum(axis=1) < 16)
    assert 0.02 < keyed.mean() < 0.2
    assert known[keyed].any(axis=(1, 2)).all()
    assert sigma[keyed][known[keyed]].max() <= 0.01


@pytest.mark.parametrize("kind", ["pose", "window"])
def test_a_run_learns_and_resumes_as_if_it_had_not_stopped(kind, folder, tmp_path):
    objective = {"pose": objectives.PoseObjective, "window": objectives.WindowObjective}[kind]
    settings = TrainSettings(steps=6, log_every=3, warm_up=2)

    def run(name: str, *stops: int) -> dict:
        for steps in stops:
            torch.manual_seed(0)
            trainer = Trainer(objective(folder, SMALL, batch=4), settings, tmp_path / name)
            trainer.run(stop=steps)
        return trainer.average

    whole, resumed = run("whole", 6), run("resumed", 3, 6)
    assert all(torch.equal(whole[k], resumed[k]) for k in whole)
    rows = (tmp_path / "whole" / "log.csv").read_text().splitlines()
    assert len(rows) == 3 and "dev_denoise_20" in rows[0]
    assert (tmp_path / "whole" / "curves.png").stat().st_size > 1000


@pytest.mark.parametrize("kind", ["pose", "window"])
def test_a_deeper_network_begins_as_the_one_it_grew_from_and_goes_on(kind, folder, tmp_path):
    objective = {"pose": objectives.PoseObjective, "window": objectives.WindowObjective}[kind]
    settings = TrainSettings(steps=6, log_every=3, warm_up=2)
    shallow = Trainer(objective(folder, SMALL, batch=4), settings, tmp_path / "shallow")
    shallow.run(stop=3)
    assert grow.main([str(tmp_path / "shallow"), "--layers", "5", "--out", str(tmp_path / "deep")]) == 0
    deep = Trainer(objective(folder, replace(SMALL, layers=5), batch=4), settings, tmp_path / "deep")
    with shallow.averaged(), deep.averaged():
        small, large = shallow.objective.network, deep.objective.network
        inputs = (torch.randn(2, 21, 3), torch.rand(2)) if kind == "pose" else (torch.randn(2, 64, 110),)
        assert torch.equal(large(*inputs), small(*inputs)) and large(*inputs).abs().max() > 0
    added = large.blocks[1].mlp[2].weight.clone()
    deep.run(stop=6)
    assert added.abs().max() == 0 < large.blocks[1].mlp[2].weight.abs().max()
    with pytest.raises(SystemExit):
        grow.main([str(tmp_path / "deep"), "--layers", "5", "--out", str(tmp_path / "deeper")])


def random_run(folder: Path, kind: str) -> torch.nn.Module:
    """A run folder that holds random weights, and its network."""
    torch.manual_seed(1)
    network = {"pose": PoseNetwork, "window": WindowNetwork}[kind](SMALL)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
        parameter.data = parameter.data.half().float()  # what is stored
    state = {"average": dict(network.named_parameters()), "network_settings": vars(SMALL), "rows": [{}], "step": 0}
    folder.mkdir()
    torch.save(state | {"train_settings": {}}, folder / "checkpoint.pt")
    return network.eval().requires_grad_(False)


def test_two_states_of_a_run_are_averaged_and_measured(folder, tmp_path):
    network = random_run(tmp_path / "earlier", "pose")
    state = torch.load(tmp_path / "earlier" / "checkpoint.pt", weights_only=True)
    (tmp_path / "last").mkdir()
    doubled = {name: 2.0 * value for name, value in state["average"].items()}
    torch.save(state | {"average": doubled, "rows": [{"dev_denoise_20": 0.0}]}, tmp_path / "last" / "checkpoint.pt")
    runs = [str(tmp_path / name) for name in ("last", "earlier")]
    how = ["--share", "0.25", "--data", str(folder), "--out"]
    assert average.main(["pose", *runs, *how, str(tmp_path / "new")]) == 0
    made = torch.load(tmp_path / "new" / "checkpoint.pt", weights_only=True)
    for name, value in network.named_parameters():
        torch.testing.assert_close(made["average"][name], 1.75 * value)
    assert len(made["rows"]) == 1 and made["rows"][0]["dev_denoise_20"] > 0.0
    other = state | {"network_settings": state["network_settings"] | {"layers": 9}}
    torch.save(other, tmp_path / "earlier" / "checkpoint.pt")
    with pytest.raises(SystemExit):
        average.main(["pose", *runs, *how, str(tmp_path / "newer")])


def test_the_exported_pose_prior_and_its_gradient_are_torchs(folder, tmp_path):
    network = random_run(tmp_path / "run", "pose")
    export_onnx.main(["pose", "--run", str(tmp_path / "run"), "--out", str(tmp_path / "out"), "--data", str(folder)])
    prior = load_prior("pose", tmp_path / "out")
    rng = np.random.default_rng(0)
    x, v = rng.standard_normal((2, 70, len(JOINTS), 3)) * 0.3  # more poses than the gradient graph's batch
    x[:, 0] = v[:, 0] = 0.0
    sigma = rng.uniform(0.01, 1.0, 70)
    upright, yaw = without_heading(x), headings(x)
    noisy, level, ratio = prior._network_space(upright, sigma)
    leaf = torch.from_numpy(noisy).requires_grad_(True)
    eps = network(leaf, torch.from_numpy(level))
    eps.backward(torch.from_numpy(v[:, 1:].astype(np.float32)))
    denoised, gradient = prior._vjp_upright(upright, sigma, v)
    expected = upright[:, 1:] - prior.unit * ratio * eps.detach().numpy()
    np.testing.assert_allclose(denoised[:, 1:], expected, atol=1e-4)
    np.testing.assert_allclose(prior.denoise(x, sigma), turned(denoised, yaw), atol=1e-4)
    pulled = v[:, 1:] - ratio / np.sqrt(1 + ratio**2) * leaf.grad.numpy()
    np.testing.assert_allclose(gradient[:, 1:], pulled, atol=1e-4)
    assert np.all(gradient[:, 0] == 0) and np.all(denoised[:, 0] == 0)


def test_the_exported_motion_prior_is_torchs_for_any_batch(folder, tmp_path):
    network = random_run(tmp_path / "run", "window")
    export_onnx.main(["window", "--run", str(tmp_path / "run"), "--out", str(tmp_path / "out"), "--data", str(folder)])
    prior = load_prior("motion", tmp_path / "out")
    x = np.random.default_rng(0).standard_normal((3, window.FRAMES, len(JOINTS), 3))
    sigma = np.full(x.shape[:3], 0.05)
    sigma[1, 10:20, 4] = np.inf
    given = window.prepare(x, sigma)
    expected = given.to_world(network(torch.from_numpy(given.features)).numpy())
    np.testing.assert_allclose(prior.denoise(x, sigma), expected, atol=1e-4)
    np.testing.assert_allclose(prior.denoise(x[1:2], sigma[1:2]), expected[1:2], atol=1e-4)
