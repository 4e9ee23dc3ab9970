"""`python -m pads_blender ...`: the command line on Blender as a Python module."""

import os
import sys


def main() -> int:
    """Run the command line; the exit code."""
    keep_standard_output()
    try:
        from .blender import batch
    except ModuleNotFoundError as error:
        if error.name != "bpy":
            raise
        print("pads: this needs Blender as a Python module: run python3 build.py demo once.", file=sys.stderr)
        return 2
    return batch.main(sys.argv[1:])


def keep_standard_output() -> None:
    """Leave the standard output to the command's own result: what Blender logs there itself goes to standard error."""
    own = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = os.fdopen(own, "w", encoding="utf-8")


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # the bpy 4.5 module can hang while the interpreter shuts down
