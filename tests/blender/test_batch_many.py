"""Many files at once: which are meant, what is done already, several processes, and what an interrupt leaves."""

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pads_blender.blender import batch, batch_clean, batch_done, batch_pool
from pads_blender.blender.file_jobs import Job, Source
from pads_blender.tasks.clean import CleanSettings

ROOT = Path(__file__).resolve().parents[2]
QUICK = ("--steps", "1", "--feet", "0")


@pytest.fixture
def folder(tmp_path, dirty_text) -> Path:
    """Three takes in a folder and one below."""
    for place, name in enumerate(("a.bvh", "b.bvh", "day two/c.bvh")):
        path = tmp_path / "takes" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dirty_text(seed=place))
    return tmp_path / "takes"


def run(*arguments: object) -> int:
    return batch.main([str(argument) for argument in arguments])


def program(*arguments: object) -> subprocess.Popen:
    command = [sys.executable, "-m", "pads_blender", *map(str, arguments)]
    variables = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, cwd=ROOT, env=variables, stderr=subprocess.PIPE, text=True)


def results(out: Path) -> list[str]:
    return sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())


def stamps(out: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in out.rglob("*.bvh")}


# --- what is done ---------------------------------------------------------------------------------------------------


def test_a_folder_is_mirrored_with_reports_a_log_and_a_table(folder, tmp_path, capfd):
    (folder / "b.bvh").write_text("no motion")
    out, log = tmp_path / "out", tmp_path / "logs" / "night.jsonl"
    assert run("clean", folder, "-o", out, "--reports", "--log", log, *QUICK) == 1
    assert results(out) == ["a.bvh", "a.bvh.pads.json", "day two/c.bvh", "day two/c.bvh.pads.json"]
    report = json.loads((out / "a.bvh.pads.json").read_text())
    assert report["frames"] == 40 and report["device"].startswith("CPU (") and len(report["rig"]) == 16
    events = [json.loads(line) for line in log.read_text().splitlines()]
    assert [event["event"] for event in events] == ["start", "done", "failed", "done", "end"]
    assert events[2]["file"] == str(folder / "b.bvh") and "line 1" in events[2]["error"]
    said = capfd.readouterr().err
    assert "done          40" in said and "2 done, 1 failed; 80 frames" in said


def test_what_is_done_is_left_alone_and_what_differs_is_made_again(folder, tmp_path, capfd, dirty_text, monkeypatch):
    out = tmp_path / "out"
    monkeypatch.setattr(batch_done, "preset_folder", lambda: tmp_path / "presets")

    def again(*more: object) -> set[str]:
        """Names of the results that were written anew."""
        before = stamps(out)
        assert run("clean", folder, "-o", out, "--resume", *QUICK, *more) == 0
        return {name for name, stamp in stamps(out).items() if before.get(name) != stamp}

    assert again() == {"a.bvh", "b.bvh", "c.bvh"}
    assert again() == set()
    assert "done before (3 of 3)" in capfd.readouterr().err
    (folder / "a.bvh").write_text(dirty_text(seed=9))
    (out / "b.bvh").write_bytes((out / "b.bvh").read_bytes()[:-100])
    (out / "day two" / "c.bvh.pads.json").unlink()
    assert again() == {"a.bvh", "b.bvh", "c.bvh"}
    said = capfd.readouterr().err
    assert "a.bvh: once more, for the input has changed" in said
    assert "b.bvh: once more, for the result is not what was written then" in said
    assert "c.bvh: once more, for its report is missing or damaged" in said
    assert again("--strength", "0.5") == {"a.bvh", "b.bvh", "c.bvh"}
    os.utime(folder / "a.bvh")
    (folder / "day two" / "d.bvh").write_text(dirty_text(seed=4))
    assert again("--strength", "0.5") == {"d.bvh"}
    monkeypatch.setattr(batch_done, "read_version", lambda: "9.9")
    assert again("--strength", "0.5") == {"a.bvh", "b.bvh", "c.bvh", "d.bvh"}


def test_a_new_preset_for_the_rig_makes_what_was_done_old(folder, tmp_path, monkeypatch):
    out, presets = tmp_path / "out", tmp_path / "presets"
    monkeypatch.setattr(batch_done, "preset_folder", lambda: presets)
    words = ("clean", folder / "a.bvh", "-o", f"{out}/", "--resume", *QUICK)
    assert run(*words) == 0
    before = stamps(out)
    assert run("map", folder / "a.bvh", "--save", presets / "hero.json") == 0
    assert run(*words) == 0
    assert stamps(out) != before


def test_leftovers_of_a_killed_run_go_and_other_hidden_files_stay(folder, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    for name in (".pads-0123abcd-a.bvh", ".pads-0123abcd-a.bvh.pads.json", ".pads-0123abcd-z.bvh", ".mine-a.bvh"):
        (out / name).write_text("half")
    (out / ".pads-89abcdef-b.bvh").mkdir()
    assert run("clean", folder / "a.bvh", folder / "b.bvh", "-o", out, *QUICK) == 0
    assert results(out) == [".mine-a.bvh", ".pads-0123abcd-z.bvh", "a.bvh", "b.bvh"]
    assert not (out / ".pads-89abcdef-b.bvh").exists()


# --- several processes ----------------------------------------------------------------------------------------------


def test_two_processes_write_what_one_does(folder, tmp_path, capfd):
    report = tmp_path / "report.json"
    (folder / "b.bvh").write_text("no motion")
    assert run("clean", folder, "-o", tmp_path / "one", *QUICK) == 1
    assert run("clean", folder, "-o", tmp_path / "two", "--jobs", 2, "--report", report, *QUICK) == 1
    assert results(tmp_path / "one") == results(tmp_path / "two") == ["a.bvh", "day two/c.bvh"]
    for name in results(tmp_path / "one"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert [Path(each["file"]).name for each in json.loads(report.read_text())] == ["a.bvh", "b.bvh", "c.bvh"]
    assert capfd.readouterr().err.count("2 done, 1 failed") == 2


@pytest.mark.skipif(not importlib.util.find_spec("onnxruntime"), reason="NumPy needs no trial")
def test_that_the_runtime_loads_is_found_out_once_for_all_processes(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("BLENDER_USER_RESOURCES", str(tmp_path / "user"))
    remembered = []
    for out in ("one", "two"):
        running = program("clean", folder / "a.bvh", "-o", f"{tmp_path / out}/", *QUICK)
        assert running.communicate(timeout=120) and running.returncode == 0
        (file,) = (tmp_path / "user").rglob("loaded.json")
        assert json.loads(file.read_text())["loaded"] == ["cpu motion"]
        remembered.append(file.stat().st_mtime_ns)
    assert remembered[0] == remembered[1]


FRAIL = f"""
import json, os, sys
sys.stdin.readline()
print("{batch_pool.MARK}{{}}", flush=True)
for line in sys.stdin:
    source, target = json.loads(line)
    if "bad" in source:
        open(os.path.join(os.path.dirname(target), ".pads-01234567-" + os.path.basename(target)), "w")
        os.kill(os.getpid(), 9)
    print("a line of Blender's own")
    print("{batch_pool.MARK}" + json.dumps({{"file": source, "pid": os.getpid()}}), flush=True)
"""


def jobs_of(folder: Path, names: str) -> list[Job]:
    return [Job(Source(Path(name)), folder / name, CleanSettings()) for name in names.split()]


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot kill itself like this")
def test_a_process_that_breaks_down_costs_its_own_file_alone(tmp_path, monkeypatch):
    def open_frail(threads):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        return subprocess.Popen([sys.executable, "-c", FRAIL], **pipes)

    monkeypatch.setattr(batch_pool, "_open_process", open_frail)
    with batch_pool.Pool(jobs_of(tmp_path, "a bad1 b c bad2 d"), [], 2, 1) as pool:
        found = {job.source.path.name: report for job, report in pool.reports()}
    assert {name for name, report in found.items() if "error" in report} == {"bad1", "bad2"}
    assert found["bad1"]["error"] == "the process that cleaned it broke down (code -9)."
    assert results(tmp_path) == []
    for report in (report for report in found.values() if "pid" in report):
        with pytest.raises(ProcessLookupError):
            os.kill(report["pid"], 0)


def test_processes_that_cannot_start_end_the_batch(folder, tmp_path, monkeypatch, capfd):
    def open_nothing(threads):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        return subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"], **pipes)

    monkeypatch.setattr(batch_pool, "_open_process", open_nothing)
    assert run("clean", folder, "-o", tmp_path / "out", "--jobs", 2) == 1
    assert "No process for --jobs could be started (code 3)" in capfd.readouterr().err


def children(pid: int) -> list[int]:
    listed = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout
    return [int(line) for line in listed.split()]


def wait_until(condition, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture
def many(folder, dirty_text) -> Path:
    """So many takes that a batch is stopped in the middle."""
    for place in range(20):
        (folder / f"more{place:02}.bvh").write_text(dirty_text(seed=place))
    return folder


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.skipif(not shutil.which("pgrep"), reason="pgrep is not there")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_all_processes_and_leaves_nothing_half_written(many, tmp_path, number):
    out = tmp_path / "out"
    running = program("clean", many, "-o", out, "--jobs", "2", *QUICK)
    wait_until(lambda: out.is_dir() and results(out))
    started = children(running.pid)
    running.send_signal(number)
    said = running.communicate(timeout=60)[1]
    assert running.returncode == 130 and "interrupted" in said
    assert len(started) == 2 and not any(map(is_running, started))
    assert 0 < len(results(out)) < 23
    assert not [name for name in results(out) if ".pads-" in name]


@pytest.mark.skipif(not shutil.which("pgrep"), reason="pgrep is not there")
def test_processes_whose_batch_was_killed_finish_their_file_and_end(many, tmp_path):
    out = tmp_path / "out"
    running = program("clean", many, "-o", out, "--jobs", "2", *QUICK)
    wait_until(lambda: out.is_dir() and results(out))
    started = children(running.pid)
    running.kill()
    running.communicate(timeout=60)
    wait_until(lambda: not any(map(is_running, started)))
    assert len(started) == 2 and 0 < len(results(out)) < 23
    assert not [name for name in results(out) if ".pads-" in name]


def test_an_interrupt_that_an_operator_swallows_ends_the_batch_all_the_same(folder, tmp_path, monkeypatch, capfd):
    """As Blender's BVH importer does: what was a KeyboardInterrupt comes out of it as a RuntimeError."""

    def swallow(*_):
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
        except KeyboardInterrupt as error:
            raise RuntimeError("Error: Python: KeyboardInterrupt") from error

    monkeypatch.setattr(batch_clean, "clean_file", swallow)
    before = signal.getsignal(signal.SIGTERM)
    assert run("clean", folder, "-o", tmp_path / "out") == 130
    said = capfd.readouterr().err
    assert "interrupted" in said and "unexpected" not in said
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("suffix", [".bvh", ".fbx", ".glb", ".gltf", ".blend"])
def test_every_format_is_written_beside_and_put_in_place_at_the_very_end(folder, tmp_path, monkeypatch, suffix):
    out = tmp_path / f"out/a{suffix}"
    out.parent.mkdir()
    out.write_text("old")
    seen = []

    def interrupt(path: Path, _target: Path) -> None:
        seen.append(path.stat().st_size)
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupt)
    assert run("clean", folder / "a.bvh", "-o", out, *QUICK) == 130
    assert out.read_text() == "old" and results(out.parent) == [out.name]
    assert seen and seen[0] > 1000  # it was all there


def test_a_gltf_is_done_with_the_buffer_beside_it_alone(folder, tmp_path, capfd):
    out = tmp_path / "out" / "take one.gltf"  # the buffer's name has a blank, which is %20 in the file
    words = ("clean", folder / "a.bvh", "-o", out, "--resume", *QUICK)
    assert run(*words) == 0 and run(*words) == 0
    assert "done before" in capfd.readouterr().err
    (buffer,) = out.parent.glob("*.bin")
    buffer.unlink()
    assert run(*words) == 0
    assert buffer.is_file() and "a file of the result is missing" in capfd.readouterr().err
