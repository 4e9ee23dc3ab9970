"""python -m pads_blender.blender.model_takes IN OUT.npz: a motion file as the model skeleton sees it, for training.

It works in a process of its own, because training knows no Blender and a file may replace the whole session.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from ..core.retarget import to_model
from ..errors import PadsError
from .evaluated_reader import read_rig
from .files import open_motion
from .rig_mapping import read_mapping


def write_model_takes(source: Path, target: Path) -> list[str]:
    """Positions N (F, J, 3), visible N (J,), fps N and the names of N armatures; what is wrong with the others.

    Raises PadsError where the file cannot be opened.
    """
    arrays, wrong = {"names": []}, []
    for armature in open_motion(source).armatures:
        try:
            mapping = read_mapping(armature)
            motion, _ = to_model(read_rig(armature, mapping), mapping)
        except PadsError as error:
            wrong.append(f"{armature.name}: {error}")
            continue
        number = len(arrays["names"])
        arrays |= {f"positions_{number}": motion.positions.astype(np.float32)}
        arrays |= {f"visible_{number}": motion.visible[0], f"fps_{number}": motion.fps}
        arrays["names"].append(armature.name)
    np.savez(target, **arrays)
    return wrong


def main(arguments: list[str]) -> int:
    """Write the takes, and what is wrong to standard error, a line each; 1 where something is."""
    source, target = map(Path, arguments)
    try:
        wrong = write_model_takes(source, target)
    except PadsError as error:
        wrong = [str(error)]
    for line in wrong:
        print(f"pads: {' '.join(line.split())}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    import os

    from ..__main__ import keep_standard_output

    keep_standard_output()
    code = main(sys.argv[1:])
    sys.stderr.flush()
    os._exit(code)  # the bpy 4.5 module can hang while the interpreter shuts down
