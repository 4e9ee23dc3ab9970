"""The text of Copy Report: versions, devices, the rig as numbers, the log, and nothing private. Knows no bpy."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

_FILE_TYPES = "bvh|fbx|glb|gltf|vrma|blend1?|json|jsonl|onnx|npz|csv|txt|mp4|mov|bin"
_QUOTED = re.compile(r"(\"[^\"\n]+\"|'[^'\n]+')")
# What begins like a path goes to the next colon with a blank behind it, quote or end of line: names may hold blanks.
_PATH = re.compile(r"(?:(?<![\w.<>/])(?:~|//|/)|\b[A-Za-z]:[\\/]|\\\\)(?:(?!:\s|:$)[^\"'\n])*[^\"'\n:\s.,]")
_FILE = re.compile(rf"[^\s\"'()]+\.(?:{_FILE_TYPES})\b", re.IGNORECASE)
_ADDRESS = re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.]+|\b\w+://\S+")


@dataclass(frozen=True)
class Private:
    """What must not be in a report, besides paths: names of the user and the computer, and where the package lies."""

    names: tuple[str, ...]
    package: str


@dataclass(frozen=True)
class RigFacts:
    """A rig without its names."""

    fingerprint: str
    bones: int
    convention: str
    joints_without_bone: tuple[str, ...]
    frames: int
    fps: float

    def __str__(self) -> str:
        missing = ", ".join(self.joints_without_bone) or "none"
        return (
            f"fingerprint {self.fingerprint}, {self.bones} bones, {self.frames} frames at {self.fps:g} a second, "
            f"convention {self.convention}, joints without a bone: {missing}"
        )


def compose(
    versions: Mapping[str, str], devices: Sequence[str], rig: RigFacts | str, log: Sequence[str], private: Private
) -> str:
    """The whole report; what is said of the rig in words, and devices and log, are freed of what is private."""
    head = [f"{name}: {version}" for name, version in versions.items()]
    said = rig if isinstance(rig, RigFacts) else without_private(rig, private)
    listed = [f"- {without_private(line, private)}" for line in devices]
    tail = [f"  {without_private(line, private)}" for line in log] or ["  empty"]
    return "\n".join(["PADS report", *head, "Devices:", *listed, f"Rig: {said}", "Log:", *tail, ""])


def without_private(text: str, private: Private) -> str:
    """The text without paths, files, addresses, quoted names, and the names given; places in PADS itself stay."""
    text = _places_in_package(text, private.package)
    text = _PATH.sub("<path>", _ADDRESS.sub("<address>", text))
    text = _FILE.sub("<file>", _QUOTED.sub("<name>", text))
    for name in sorted(filter(None, private.names), key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "<name>", text, flags=re.IGNORECASE)
    return text


def _places_in_package(text: str, package: str) -> str:
    """File names of a traceback in PADS as places in it: pads:tasks.clean."""
    found = re.compile(rf"\"?{re.escape(package)}[\\/]+([\w\\/]+)\.py\"?")
    return found.sub(lambda match: "pads:" + ".".join(PurePath(match[1].replace("\\", "/")).parts), text)
