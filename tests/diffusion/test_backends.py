"""Every way to run the priors gives the same result, and one that fails is replaced by the next."""

import json
import re
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from pads_blender.core.heading import turned
from pads_blender.core.skeleton import JOINTS
from pads_blender.diffusion import device_choice, trial, window
from pads_blender.diffusion.backends import BACKENDS, BY_NAME, SafeNetwork, open_network
from pads_blender.diffusion.contract import read_contract
from pads_blender.diffusion.learned_priors import WindowPrior
from pads_blender.diffusion.prior import load_prior
from pads_blender.diffusion.trial import Host, Trial
from pads_blender.errors import BackendError, PriorError
from pads_blender.paths import bundled_models_dir

# 32-bit sums in another order, through up to seven blocks; seen: 2e-5 where outputs reach 8.
SAME = {"atol": 1e-4, "rtol": 0}
OTHERS = [
    pytest.param("torch-cpu", marks=pytest.mark.skipif(not device_choice.is_installed("torch"), reason="no torch")),
    "numpy",
]


def contract(kind: str):
    return read_contract(bundled_models_dir() / f"pads_{kind}.json", kind)


@pytest.mark.parametrize("name", OTHERS)
def test_the_motion_network_is_the_same_on_each_backend(name):
    features = trial.sample_features(3)
    expected = open_network(contract("motion"), "cpu", threads=1).forward(features)
    assert np.abs(expected).max() > 1.0
    np.testing.assert_allclose(open_network(contract("motion"), name, threads=1).forward(features), expected, **SAME)


@pytest.mark.parametrize("name", OTHERS)
def test_the_pose_network_and_its_gradient_are_the_same_on_each_backend(name):
    poses = trial.sample_poses(70)  # more than the gradient graph's batch
    expected, found = (open_network(contract("pose"), n, threads=1) for n in ("cpu", name))
    np.testing.assert_allclose(found.forward(*poses[:2]), expected.forward(*poses[:2]), **SAME)
    for a, b in zip(found.vjp(*poses), expected.vjp(*poses), strict=True):
        largest = np.abs(b).max()  # of 32-bit numbers, whose last digits differ from processor to processor
        assert largest > 1.0
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-4 * largest)


@pytest.mark.parametrize("sigma", [0.05, 0.3])
def test_the_pose_prior_turns_with_the_pose_and_pulls_back_by_its_derivative(sigma):
    prior, rng = load_prior("pose", threads=1), np.random.default_rng(0)
    x, step, cotangent = 0.3 * rng.standard_normal((3, 4, len(JOINTS), 3))
    x[:, 0] = step[:, 0] = cotangent[:, 0] = 0.0
    denoised, pulled = prior.vjp(x, sigma, cotangent)
    yaw = rng.uniform(-3.0, 3.0, 4)
    np.testing.assert_allclose(prior.denoise(turned(x, yaw), sigma), turned(denoised, yaw), atol=1e-5)
    change = (prior.denoise(x + 5e-3 * step, sigma) - prior.denoise(x - 5e-3 * step, sigma)) / 1e-2
    expected = np.sum(change * cotangent, axis=(1, 2))
    np.testing.assert_allclose(np.sum(pulled * step, axis=(1, 2)), expected, rtol=0.01, atol=0.003)


@pytest.mark.parametrize("name", ["cpu", *OTHERS])
def test_results_do_not_depend_on_the_size_of_batches(name):
    x = np.random.default_rng(0).standard_normal((5, window.FRAMES, len(JOINTS), 3))
    sigma = np.full(x.shape[:3], 0.05)
    sigma[1, 10:20, 4] = np.inf
    once, pairs = (
        WindowPrior(contract("motion"), open_network(contract("motion"), name, 1, batch)).denoise(x, sigma)
        for batch in (64, 2)
    )
    np.testing.assert_allclose(once, pairs, atol=1e-5)  # metres
    pose = load_prior("pose", threads=1, backend=name)
    poses = x[0][:33]
    small = replace(pose, network=open_network(contract("pose"), name, 1, 1))
    np.testing.assert_allclose(pose.denoise(poses, 0.1), small.denoise(poses, 0.1), atol=1e-5)


@dataclass
class Fixed:
    """A network that answers what it is told to, or fails."""

    label: str
    answer: np.ndarray | Exception
    batch: int = 7
    asked: int = 0

    def forward(self, *inputs):
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_a_network_that_fails_is_left_for_good_with_one_line():
    said, lines = [], "device lost\nand a page of addresses"
    networks = [Fixed("GPU", RuntimeError(lines)), Fixed("CPU", np.array([np.nan])), Fixed("NumPy", np.ones(1))]
    safe = SafeNetwork(networks, said.append)
    assert safe.forward(np.zeros(1)) == safe.forward(np.zeros(1)) == 1.0
    assert [network.asked for network in networks] == [1, 1, 2]
    assert said == [
        "GPU does not work here, going on with CPU: device lost",
        "CPU does not work here, going on with NumPy: its answer is not made of numbers",
    ]
    assert safe.label == "NumPy"


@pytest.mark.parametrize("answer", [RuntimeError("alone"), MemoryError(), np.array([np.nan])])
def test_where_no_network_is_left_that_is_said_each_time(answer):
    safe = SafeNetwork([Fixed("GPU", RuntimeError("lost")), Fixed("NumPy", answer)], lambda _: None)
    for _ in range(2):
        with pytest.raises(BackendError, match=r"cannot be run here: NumPy says (alone|MemoryError|its answer)"):
            safe.forward()


def test_a_damaged_prior_fails_at_once():
    with pytest.raises(PriorError, match="damaged"):
        SafeNetwork([Fixed("CPU", PriorError("damaged")), Fixed("NumPy", np.ones(1))]).forward()


def test_an_unknown_device_is_named():
    with pytest.raises(BackendError, match="'abacus'"):
        load_prior("motion", backend="abacus")


def test_a_backend_is_tried_in_a_process_of_its_own():
    tried = trial.try_backend("numpy", bundled_models_dir(), Host())
    assert tried.is_usable and tried.difference == 0.0 and tried.batch in (4, 16, 64)
    assert tried.frames_per_second > 0 and "pads_trial" not in sys.modules


def fake_runtime(folder: Path, monkeypatch, source: str) -> None:
    """Another add-on's onnxruntime comes first on the path."""
    (folder / "onnxruntime").mkdir()
    (folder / "onnxruntime" / "__init__.py").write_text(source)
    monkeypatch.syspath_prepend(folder)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import os; os.abort()", "ended the process that tried it"),
        ("raise ImportError('DLL load failed')", "DLL load failed"),
        ("class SessionOptions: pass", "no attribute 'get_available_providers'"),
    ],
    ids=["crash", "import error", "too old"],
)
def test_a_runtime_that_breaks_is_a_message_and_numpy_goes_on(tmp_path, monkeypatch, source, reason):
    """A crash in the trial must not reach this process, nor must the runtime be loaded here."""
    monkeypatch.delitem(sys.modules, "onnxruntime", raising=False)
    fake_runtime(tmp_path, monkeypatch, source)
    device_choice._tried_quickly.cache_clear()
    said = []
    prior = load_prior("motion", threads=1, say=said.append)
    assert prior.network.label == BY_NAME["numpy"].label
    (line,) = said
    assert line.startswith("Going on with CPU (NumPy): CPU (ONNX Runtime)") and reason in line
    assert "onnxruntime" not in sys.modules
    device_choice._tried_quickly.cache_clear()


def trials_of(**speeds: float) -> list[Trial]:
    everywhere = tuple(backend.device for backend in BACKENDS)
    return [Trial(n.replace("_", "-"), True, "", speed, 16, devices=everywhere) for n, speed in speeds.items()]


@pytest.mark.parametrize(
    ("speeds", "chosen", "reason"),
    [
        ({"webgpu": 900.0, "cpu": 300.0, "numpy": 200.0}, "webgpu", "fastest of 3 .* 3.0 times the processor's"),
        ({"webgpu": 310.0, "cpu": 300.0}, "cpu", "no GPU is 1.5 times faster"),
        ({"webgpu": 3.0, "cpu": 300.0, "torch_cpu": 330.0}, "torch-cpu", "330 frames a second"),
        ({}, "numpy", "nothing else"),
    ],
)
def test_the_fastest_backend_is_chosen_and_a_gpu_only_where_it_gains(monkeypatch, speeds, chosen, reason):
    tried = {trial.backend: trial for trial in trials_of(**speeds)}
    monkeypatch.setattr(device_choice, "is_installed", lambda runtime: True)
    monkeypatch.setattr(device_choice, "try_backend", lambda name, *_: tried.get(name, Trial(name, False, "crashes")))
    seen = []
    found = device_choice.survey(Host(), on_trial=lambda *step: seen.append(step))
    assert found.backend == chosen
    assert re.search(reason, found.reason)
    assert seen[0] == (0, len(BACKENDS), BY_NAME["cpu"].label) and len(found.trials) == len(BACKENDS)


@pytest.fixture
def surveyed(monkeypatch, tmp_path) -> Host:
    """A host with a survey behind it that found torch fastest and ONNX Runtime broken."""
    tried = {"torch-cpu": trials_of(torch_cpu=50.0)[0], "numpy": trials_of(numpy=9.0)[0]}
    monkeypatch.setattr(device_choice, "is_installed", lambda runtime: True)
    everywhere = tuple(backend.device for backend in BACKENDS)
    tried["cpu"] = Trial("cpu", False, "crashes", devices=everywhere)
    monkeypatch.setattr(device_choice, "try_backend", lambda name, *_: tried.get(name, Trial(name, False, "crashes")))
    host = Host(tmp_path / "user")
    device_choice.survey(host)
    monkeypatch.setattr(device_choice, "try_backend", lambda *_: pytest.fail("tried although it is remembered"))
    return host


def test_the_choice_is_remembered_with_its_batch_and_nothing_is_tried_again(surveyed):
    chosen = device_choice.order("auto", surveyed, bundled_models_dir(), "motion")
    assert chosen.backends == (("torch-cpu", 16), ("numpy", 16)) and chosen.complaint == ""
    wanted = device_choice.order("webgpu", surveyed, bundled_models_dir(), "motion")
    assert wanted.backends == (("numpy", 16),)
    assert wanted.complaint == "Going on with CPU (NumPy): GPU (ONNX Runtime, WebGPU) crashes."
    assert used(surveyed) == ["torch-cpu"]


def test_what_was_seen_to_load_is_not_tried_again_by_another_process(monkeypatch, tmp_path):
    """The cache of the process is emptied in place of starting another one."""
    host, models, tries = Host(tmp_path / "user"), bundled_models_dir(), []

    def succeed(name, *_):
        tries.append(name)
        return Trial(name, True, "")

    monkeypatch.setattr(device_choice, "is_installed", lambda runtime: True)
    monkeypatch.setattr(device_choice, "try_backend", succeed)
    monkeypatch.delitem(sys.modules, "onnxruntime", raising=False)
    for _ in range(2):
        device_choice._tried_quickly.cache_clear()
        assert device_choice.order("auto", host, models, "motion").backends[0][0] == "cpu"
    assert tries == ["cpu"]
    assert device_choice.order("auto", host, models, "pose").backends[0][0] == "cpu"
    assert tries == ["cpu", "cpu"]  # the other prior is another network
    monkeypatch.setattr(device_choice, "_installed_version", lambda name: "99")
    device_choice._tried_quickly.cache_clear()
    device_choice.order("auto", host, models, "motion")
    assert tries == ["cpu"] * 3
    device_choice._tried_quickly.cache_clear()


def test_what_did_not_load_is_tried_again(monkeypatch, tmp_path):
    tries = []

    def fail(name, *_):
        tries.append(name)
        return Trial(name, False, "crashes")

    monkeypatch.setattr(device_choice, "is_installed", lambda runtime: True)
    monkeypatch.setattr(device_choice, "try_backend", fail)
    monkeypatch.delitem(sys.modules, "onnxruntime", raising=False)
    for _ in range(2):
        device_choice._tried_quickly.cache_clear()
        found = device_choice.order("auto", Host(tmp_path / "user"), bundled_models_dir(), "motion")
        assert found.backends[0][0] == "numpy"
    assert tries == ["cpu", "cpu"]
    device_choice._tried_quickly.cache_clear()


def used(host: Host) -> list[str]:
    return [line.backend.name for line in device_choice.listed(host) if line.is_used]


def test_before_any_survey_the_processor_is_used(monkeypatch):
    assert used(Host()) == ["cpu"]
    monkeypatch.setattr(device_choice, "is_installed", lambda runtime: runtime == "numpy")
    assert used(Host()) == ["numpy"]


def test_the_choice_is_made_anew_when_the_runtimes_change_or_the_file_is_damaged(surveyed, monkeypatch):
    assert device_choice.remembered(surveyed).backend == "torch-cpu"
    file = surveyed.folder / "device.json"
    text = file.read_text()
    file.write_text(text[:-20])
    assert device_choice.remembered(surveyed) is None
    file.write_text(json.dumps(json.loads(text) | {"backend": "abacus"}))
    assert device_choice.remembered(surveyed) is None
    file.write_text(text)
    monkeypatch.setattr(device_choice, "_installed_version", lambda name: "99")
    assert device_choice.remembered(surveyed) is None
    device_choice.forget(surveyed)
    assert not file.exists()


def test_the_weights_read_without_onnx_are_those_in_the_file(tmp_path):
    """A truncated file is refused with a sentence and not with an error of the reader."""
    from pads_blender.diffusion.onnx_file import read_weights

    path = contract("motion").file("forward")
    settings = contract("motion")["network"]
    weights = read_weights(path)
    assert weights["blocks.0.attention.qkv.weight"].shape == (3 * settings["width"], settings["width"])
    assert weights["head.weight"].shape == (3 * len(JOINTS), settings["width"])
    cut = tmp_path / "cut.onnx"
    cut.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(PriorError, match=r"cut\.onnx cannot be read"):
        read_weights(cut)


def test_no_runtime_is_loaded_before_a_prior_is_asked():
    code = (
        "import sys; from pads_blender.diffusion.prior import load_prior; load_prior('motion', backend='numpy');"
        "assert not {'onnxruntime', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).resolve().parents[2])


def test_devices_that_the_runtime_does_not_have_are_not_tried(monkeypatch):
    asked = []

    def try_backend(name, *_):
        asked.append(name)
        return Trial(name, True, "", 10.0, 4, devices=("CPUExecutionProvider", "WebGpuExecutionProvider", "cpu", ""))

    monkeypatch.setattr(device_choice, "is_installed", lambda runtime: True)
    monkeypatch.setattr(device_choice, "try_backend", try_backend)
    found = device_choice.survey(Host())
    assert asked == ["cpu", "torch-cpu", "numpy", "webgpu"]
    assert [t.reason for t in found.trials if not t.is_usable] == ["is not there"] * (len(BACKENDS) - len(asked))
