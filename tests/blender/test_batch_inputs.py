"""Which files a batch command means, and what it refuses before it begins. Nothing is cleaned here."""

import shutil
from pathlib import Path, PurePath

import pytest

from pads_blender.blender import batch
from pads_blender.blender.batch_inputs import Take, UsageError, find_takes, share_of


@pytest.fixture
def folder(tmp_path) -> Path:
    """Two files in a folder and one below; nobody reads them."""
    for name in ("a.bvh", "b.bvh", "day two/c.bvh"):
        path = tmp_path / "takes" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "takes"


def run(*arguments: object) -> int:
    return batch.main([str(argument) for argument in arguments])


def results(out: Path) -> list[str]:
    return sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())


def places(sources: list[Path], out: Path) -> list[str]:
    return [take.place.as_posix() for take in find_takes(sources, out)]


def test_a_folder_stands_for_its_takes_and_those_below_but_not_for_what_is_hidden_or_made(folder, tmp_path):
    for name in ("notes.txt", "walk.vrma", ".pads-12345678-a.bvh", ".trash/old.bvh", "clean/a.bvh"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(folder / "a.bvh", folder / name)
    assert places([folder], folder / "clean") == ["a.bvh", "b.bvh", "day two/c.bvh"]
    assert places([folder], tmp_path) == ["a.bvh", "b.bvh", "clean/a.bvh", "day two/c.bvh"]


def test_patterns_are_looked_up_where_the_shell_did_not(folder, tmp_path):
    assert places([folder / "*.bvh"], tmp_path / "out") == ["a.bvh", "b.bvh"]
    assert places([folder / "**" / "[bc].bvh"], tmp_path / "out") == ["b.bvh", "day two/c.bvh"]
    odd = folder / "take[1].bvh"
    shutil.copy(folder / "a.bvh", odd)
    assert places([odd], tmp_path / "out") == ["take[1].bvh"]  # a file of that name
    with pytest.raises(UsageError, match=r"no motion file matches .*\*\.fbx"):
        find_takes([folder / "*.fbx"], tmp_path / "out")


def test_shares_are_disjoint_complete_and_the_same_under_any_mount_point():
    names = [f"{letter}/{number}.bvh" for letter in "zaB" for number in range(5)]
    takes = [[Take(Path(root, name), PurePath(name)) for name in names] for root in ("/mnt/one", "/srv/two")]
    takes[1].reverse()
    for count in (1, 4, 20):
        shares = [[[t.place for t in share_of(each, (k, count))] for k in range(1, count + 1)] for each in takes]
        assert shares[0] == shares[1]
        assert sorted(place for share in shares[0] for place in share) == sorted(map(PurePath, names))
        assert max(map(len, shares[0])) - min(map(len, shares[0])) <= 1


def test_two_takes_for_one_name_are_refused_in_one_sentence(folder, tmp_path, capfd):
    again = tmp_path / "more"
    shutil.copytree(folder, again)
    assert run("clean", folder, again, "-o", tmp_path / "out") == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert "would be written twice" in line and str(folder / "a.bvh") in line and str(again / "a.bvh") in line
    assert run("clean", folder, again, "-o", tmp_path / "out", "--shard", "2/2") == 2
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["{takes}", "-o", "{takes}"],
        ["{takes}", "-o", "{out}.bvh"],
        ["{takes}/*.fbx", "-o", "{out}"],
        ["{takes}", "-o", "{out}", "--jobs", "0"],
        ["{takes}", "-o", "{out}", "--shard", "0/2"],
        ["{takes}", "-o", "{out}", "--shard", "3/2"],
        ["{takes}", "-o", "{out}", "--shard", "two"],
        ["{takes}", "-o", "{out}", "--log", "{takes}/a.bvh"],
        ["{takes}", "-o", "{out}", "--blend", "{out}.blend"],
        ["{takes}/a.bvh", "-o", "{out}", "--reports", "--report", "{out}/a.bvh.pads.json"],
    ],
)
def test_wrong_use_writes_nothing(folder, tmp_path, capfd, arguments):
    before = results(tmp_path)
    assert run("clean", *(each.format(takes=folder, out=tmp_path / "out") for each in arguments)) == 2
    assert "pads" in capfd.readouterr().err and results(tmp_path) == before


def test_an_empty_folder_is_nothing_to_do_and_no_mistake(tmp_path, capfd):
    assert run("clean", tmp_path, "-o", tmp_path / "out") == 0
    assert "nothing to do" in capfd.readouterr().err
