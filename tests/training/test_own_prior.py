"""A prior of one's own from takes to report, with tiny networks: start, division, interruption, export, verdict."""

import argparse
import csv
import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from pads_blender.core.skeleton import JOINTS, MODEL
from pads_blender.errors import BadFileError, PriorError

torch = pytest.importorskip("torch", reason="torch is not installed for this Python: it is only pinned for 3.11")
pytest.importorskip("onnx", reason="onnx comes with torch's tests")

from pads_blender.diffusion import window  # noqa: E402
from pads_blender.diffusion.prior import load_prior  # noqa: E402
from pads_blender.paths import bundled_models_dir  # noqa: E402
from pads_blender.training import own_prior, own_report, own_takes, prior_report, train, trainer  # noqa: E402
from pads_blender.training.data import Clip  # noqa: E402
from pads_blender.training.network import NetworkSettings, WindowNetwork  # noqa: E402
from pads_blender.training.objectives import WindowObjective  # noqa: E402
from pads_blender.training.scores import FROM, OURS, Score, summarise  # noqa: E402

from . import clips as own_files  # noqa: E402

SMALL = NetworkSettings(width=32, layers=2, heads=2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three files of takes, six clips of three or so seconds."""
    return own_files.write_folder(tmp_path / "library")


@pytest.fixture
def small(monkeypatch):
    """From scratch is a tiny network here."""
    monkeypatch.setattr(own_prior, "SCRATCH_NETWORK", SMALL)


def command(folder: Path, out: Path, *more: str) -> list[str]:
    words = ["--data", str(folder), "--out", str(out), "--steps", "4", "--batch", "2", "--threads", "1", *more]
    return [*words, "--device", "cpu"]


def made_up(subject: str, name: str, frames: int) -> Clip:
    return Clip(np.zeros((frames, len(JOINTS), 3), np.float32), np.ones(len(JOINTS), bool), subject, name)


# --- division ---------------------------------------------------------------------------------------------------------


def test_few_subjects_are_divided_by_take_and_pieces_of_a_take_stay_together():
    clips = tuple(made_up("ann", f"take{i // 2}", 100) for i in range(20))
    takes = own_takes.divide(clips, seed=3)
    names = [{c.name for c in side} for side in (takes.train, takes.held_out)]
    assert not names[0] & names[1] and len(names[1]) == 2 and len(takes.train) + len(takes.held_out) == 20
    assert "whole takes, 2 of 10, drawn with seed 3" in takes.rule
    assert own_takes.divide(clips, seed=3).rule == takes.rule != own_takes.divide(clips, seed=4).rule


def test_many_subjects_are_divided_by_subject():
    takes = own_takes.divide(tuple(made_up(f"s{i % 6}", f"take{i}", 60) for i in range(18)), seed=0)
    sides = [{c.subject for c in side} for side in (takes.train, takes.held_out)]
    assert not sides[0] & sides[1] and len(sides[1]) == 2 and "whole subjects" in takes.rule


def test_a_single_take_cannot_be_divided():
    with pytest.raises(BadFileError, match="single take"):
        own_takes.divide((made_up("a", "b", 500), made_up("a", "b", 500)), seed=0)


def test_windows_of_a_short_clip_play_it_to_and_fro():
    positions = np.arange(40, dtype=np.float32)[:, None, None] * np.ones((1, len(JOINTS), 3), np.float32)
    found = own_takes.windows_of((Clip(positions, np.ones(len(JOINTS), bool), "a", "b"),), window.FRAMES)
    assert found.positions.shape == (1, 64 + 2 * 32, len(JOINTS), 3)
    played = found.positions[0, :, 0, 0]
    assert played[32:72].tolist() == list(range(40)) and played[31] == 1 and played[72] == 38
    assert np.abs(np.diff(played)).max() == 1


def test_joints_that_a_set_lacks_are_hidden_and_do_not_count():
    head = MODEL.indices("head", "head_top")
    plain = made_up("a", "b", 100)
    known = plain.visible & ~np.isin(np.arange(len(JOINTS)), head)
    positions = plain.positions + MODEL.rest_positions.astype(np.float32)
    other = positions.copy()
    other[:, head] += np.random.default_rng(0).standard_normal((100, 2, 3)).astype(np.float32)
    sides = [own_takes.OwnTakes((c,), (c,), "") for c in (Clip(p, known, "a", "b") for p in (positions, other))]
    torch.manual_seed(0)
    network = WindowNetwork(SMALL)
    torch.nn.init.normal_(network.head.weight)
    errors = []
    for takes in sides:
        objective = own_prior.OwnObjective(takes, SMALL, batch=2)
        objective.network = network
        errors.append(objective.validate("held_out"))
    assert errors[0] == pytest.approx(errors[1], rel=1e-4)  # whatever stands where there is no head


# --- start ------------------------------------------------------------------------------------------------------------


def test_the_shipped_weights_in_torch_are_the_shipped_prior():
    start = own_prior.read_start(bundled_models_dir() / "pads_motion.json")
    network = WindowNetwork(start.network)
    own_prior.load_weights(network, start)
    rng = np.random.default_rng(0)
    x, sigma = 0.3 * rng.standard_normal((2, window.FRAMES, len(JOINTS), 3)), np.full((2, window.FRAMES, 22), 0.05)
    given = window.prepare(x, sigma)
    with torch.no_grad():
        ours = given.to_world(network(torch.from_numpy(given.features)).numpy())
    np.testing.assert_allclose(ours, load_prior("motion", threads=1).denoise(x, sigma), atol=1e-4)


def test_a_start_that_lacks_weights_is_refused():
    start = own_prior.Start(SMALL, {"embed.weight": torch.zeros(32, 110)}, "somewhere")
    with pytest.raises(PriorError, match=r"no fitting embed\.bias in somewhere"):
        own_prior.load_weights(WindowNetwork(SMALL), start)


def test_fine_tuning_falls_from_a_share_of_the_rates():
    given = argparse.Namespace(steps=None, rate=0.1, seed=5)
    tuned = own_prior.settings_for(own_prior.Start(SMALL, {"a": torch.zeros(1)}, ""), given)
    assert tuned.muon_rate == pytest.approx(0.002) and tuned.decay_share == 1.0 and tuned.seed == 5
    scratch = own_prior.settings_for(own_prior.Start(SMALL, {}, ""), given)
    assert scratch.muon_rate == trainer.TrainSettings().muon_rate and scratch.steps == own_prior.SCRATCH_STEPS


def test_every_tensor_of_a_step_is_on_the_device():
    # Torch's device without memory refuses to mix with others, as a GPU does; this machine need not have one.
    clips = tuple(made_up("a", str(i), 150) for i in range(3))
    moved = [c.positions + MODEL.rest_positions.astype(np.float32) for c in clips]
    clips = tuple(Clip(p, c.visible, c.subject, c.name) for c, p in zip(clips, moved, strict=True))
    takes = own_takes.OwnTakes(clips, clips, "")
    objective = own_prior.OwnObjective(takes, SMALL, batch=2, device="meta")
    assert isinstance(objective, WindowObjective)
    loss = objective.loss(np.random.default_rng(0))
    loss.backward()
    assert loss.device.type == "meta"
    assert all(p.grad.device.type == "meta" for p in objective.network.parameters())


def test_a_device_that_is_not_there_is_refused():
    assert own_prior.find_device("auto") in ("cuda", "mps", "cpu")
    with pytest.raises(PriorError, match="no device xpu"):
        own_prior.find_device("xpu")


# --- the whole way ----------------------------------------------------------------------------------------------------


def test_from_takes_to_a_prior_that_loads(folder, tmp_path, small, monkeypatch):
    monkeypatch.setattr(own_report, "NOISE_METRES", (0.04,))
    monkeypatch.setattr(prior_report, "MASKS", {"arm, 30 frames": prior_report.MASKS["arm, 30 frames"]})
    monkeypatch.setattr(own_takes, "_WINDOWS", 4)
    out = tmp_path / "run"
    assert train.main(command(folder, out, "--from-scratch")) == 0
    prior = load_prior("motion", out / "prior", backend="numpy")
    assert prior.contract["network"]["width"] == 32 and "whole takes" in prior.contract["split"]
    report, card = (out / "report.md").read_text(), (out / "prior" / "MODEL_CARD.md").read_text()
    assert "shipped prior on the held-out takes" in report and "| noise 40 mm |" in report
    assert "--from-scratch" in report and (out / "curves.png").stat().st_size > 1000
    assert "for the owner of the takes to say" in card and "| noise 40 mm |" in card and "held out" in card
    numbers = json.loads((out / "report.json").read_text())
    row = numbers["noise"][0]
    assert f"{100 * (row['ratio'] - 1):+.1f} %" in report
    contract = json.loads((out / "prior" / "pads_motion.json").read_text())
    *rows, last = csv.DictReader((out / "log.csv").open())
    assert contract["training"]["steps_done"] == 4
    assert contract["metrics_mm"]["held_out_denoise_40"] == pytest.approx(float(last["held_out_denoise_40"]), abs=0.02)
    assert rows[0]["step"] == "0" and last["step"] == "4"  # before the first step, and after the last


def test_a_run_that_is_asked_to_stop_saves_and_goes_on_as_if_it_had_not(folder, tmp_path, small, monkeypatch):
    monkeypatch.setattr(own_takes, "_WINDOWS", 4)
    takes = own_takes.divide(own_prior.read_library(folder, tmp_path / "kept", print).clips, 0)

    def run(name: str, interrupt_after: int | None) -> trainer.Trainer:
        torch.manual_seed(0)
        objective = own_prior.OwnObjective(takes, SMALL, batch=2)
        made = trainer.Trainer(objective, trainer.TrainSettings(steps=5, log_every=5, warm_up=2), tmp_path / name)
        update = made.update

        def update_then_interrupt() -> float:
            loss = update()
            if made.step == interrupt_after:
                os.kill(os.getpid(), signal.SIGTERM)
            return loss

        made.update = update_then_interrupt
        made.is_done = made.run()
        return made

    whole, stopped = run("whole", None), run("stopped", 2)
    assert whole.is_done and not stopped.is_done and stopped.step == 2
    resumed = run("stopped", None)
    assert resumed.is_done and resumed.step == 5
    assert all(torch.equal(whole.average[name], resumed.average[name]) for name in whole.average)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_run_remembers_its_start_and_refuses_other_takes(tmp_path, small, monkeypatch):
    rule, other = (own_takes.OwnTakes((), (), text) for text in ("one", "two"))
    given = own_prior.parser().parse_args(["--data", "x", "--out", str(tmp_path)])
    first = own_prior._begin(given, rule)
    (tmp_path / "checkpoint.pt").write_bytes(b"")
    monkeypatch.setattr(own_prior, "read_start", lambda path: pytest.fail("the shipped prior may have changed"))
    again = own_prior._begin(given, rule)
    assert again.origin == first.origin and again.network == first.network and "CMU" in again.credits
    assert torch.equal(again.weights["head.bias"], first.weights["head.bias"])
    with pytest.raises(BadFileError, match="other takes"):
        own_prior._begin(given, other)


def test_what_is_exported_lies_between_the_start_and_what_was_learnt():
    network = WindowNetwork(SMALL)
    learnt = {name: torch.ones_like(p) for name, p in network.named_parameters()}
    made = argparse.Namespace(objective=argparse.Namespace(settings=SMALL), average=learnt)
    zero = {name: torch.zeros_like(p) for name, p in learnt.items()}
    tuned = own_prior.mixed_network(made, own_prior.Start(SMALL, zero, ""))
    assert all((p == 1.0 - own_prior.KEPT_SHARE).all() for p in tuned.parameters())
    scratch = own_prior.mixed_network(made, own_prior.Start(SMALL, {}, ""))
    assert all((p == 1.0).all() for p in scratch.parameters())


def test_a_folder_without_takes_is_one_sentence(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert train.main(command(tmp_path / "empty", tmp_path / "run")) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("pads: ") and "no take that can be trained on" in line


# --- verdict ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ratios", "said"),
    [
        ((0.9, 0.95), "beats the shipped prior on the held-out takes at every noise level"),
        ((0.9, 0.999), "beats the shipped prior on the held-out takes at 1 of 2"),
        ((0.999, 1.001), "no clear gain"),
        ((0.9, 1.1), "no clear gain"),
        ((1.1, 1.02), "is worse than the shipped prior"),
    ],
)
def test_verdict_follows_the_numbers(ratios, said):
    cases = dict(zip(("noise 40 mm", "noise 100 mm"), ratios, strict=True))
    rows = []
    for case, ratio in cases.items():
        for shipped in np.arange(10.0, 16.0):
            values = {OURS: shipped * ratio, own_report.SHIPPED: shipped, own_report.GIVEN: 40.0}
            rows.append(Score(case, f"take{shipped}{FROM}0", 0, values, {}))
    comparison = own_report.Comparison(tuple(summarise(rows, own_report.SHIPPED)), ())
    assert said in own_report.verdict(comparison)
    assert f"{100 * (ratios[0] - 1):+.1f} %" in own_report.verdict(comparison)
