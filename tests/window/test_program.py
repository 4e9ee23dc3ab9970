"""The program as such, before its window is opened."""

import subprocess


def test_it_is_a_blender_that_is_supported(blender_command):
    done = subprocess.run([*blender_command, "--version"], capture_output=True, text=True, timeout=600)
    version = next(line.split()[1] for line in done.stdout.splitlines() if line.startswith("Blender "))
    assert tuple(map(int, version.split(".")[:2])) >= (4, 5)
