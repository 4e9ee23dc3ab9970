"""Damaged command lines through the whole command: an exit code and a sentence, and nothing written.

`python -m tests.reliability.command_lines SEED COUNT` prints what came of them as JSON. The files that they name are
not there or are damaged themselves, so that a line which is right by chance is refused all the same.
"""

import contextlib
import io
import json
import os
import sys
import tempfile
from pathlib import Path
from random import Random

import bpy

from pads_blender.blender import batch

from .mutations import damage_arguments

LINES = (
    "clean in.bvh -o out.bvh",
    "clean in.bvh other.bvh -o out --strength 0.5 --start 1 --end 20",
    "clean in.bvh -o out.fbx --complete LeftArm,LeftForeArm:3-9 --steps 2 --seed 4 --feet 0",
    "clean in.bvh -o out --resume --jobs 1 --prior pose --sampler dps",
    "map in.bvh --save preset.json --armature Rig",
    "find in.bvh --json found.json --preset preset.json",
    "estimate keypoints.json -o out.bvh --fps 30 --size 1920x1080 --stature 1.8",
    "inbetween in.bvh -o out.bvh --keys 1 10 20 --variation 2 --armature Rig",
)  # not `generate`, which needs no file: a damaged line of it is often sound
_CODES = (0, 1, 2)  # 0: --help, or nothing to do


def try_lines(seed: int, count: int) -> dict:
    """Try so many command lines in an empty folder."""
    failures, refused = [], 0
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        Path("in.bvh").write_text("HIERARCHY\n")
        before = sorted(Path().rglob("*"))
        for number in range(count):
            rng = Random(f"commands {seed} {number}")
            arguments = damage_arguments(rng.choice(LINES).split(), rng)
            fault, was_refused = _try(arguments)
            refused += was_refused
            if sorted(Path().rglob("*")) != before:
                fault = f"files: {sorted(map(str, Path().rglob('*')))}"
                before = sorted(Path().rglob("*"))
            if fault:
                failures.append(f"commands {seed} {number}: {arguments}: {fault}")
    return {"tried": count, "refused": refused, "failures": failures, "blender": bpy.app.version_string}


def _try(arguments: list[str]) -> tuple[str | None, bool]:
    """What is wrong with how a line was taken, or None; and whether it was refused."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            code = batch.main(arguments)
    except BaseException as error:
        return f"{type(error).__name__}: {error}", False
    text = said.getvalue()
    if "Traceback" in text or "unexpected error" in text:
        return text[-300:], False
    return (None if code in _CODES else f"exit code {code}"), code != 0


if __name__ == "__main__":
    print(json.dumps(try_lines(int(sys.argv[1]), int(sys.argv[2]))))
    sys.stdout.flush()
    os._exit(0)  # the bpy 4.5 module can hang while the interpreter shuts down
