"""The extension zips: staged, built and validated with Blender's own builder, the same bytes each time.

One zip a platform, with the wheels of ONNX Runtime that wheels.toml pins, and a lite one without: a tenth of the size,
for platforms that have none, and beside an ONNX Runtime or torch that the user has anyway. Called by build.py.
"""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent
WHEELS = ROOT / "dist" / "wheels"  # kept between builds
LITE = "lite"
SIZE_LIMIT = 90e6  # bytes
LICENCES = {"LICENSE": "onnxruntime-LICENSE.txt", "ThirdPartyNotices.txt": "onnxruntime-ThirdPartyNotices.txt"}


class BuildError(Exception):
    """Expected failure: one sentence that says what to do."""


@dataclass(frozen=True)
class Wheel:
    """One pinned wheel."""

    platform: str
    python: str
    file: str
    sha256: str
    test: bool = False

    @property
    def requirement(self) -> str:
        """What pip is asked for."""
        name, version = self.file.split("-")[:2]
        return f"{name.replace('_', '-')}=={version}"


def pinned_wheels() -> list[Wheel]:
    """The table in wheels.toml."""
    import tomllib  # Python 3.11

    return [Wheel(**row) for row in tomllib.loads((ROOT / "wheels.toml").read_text(encoding="utf-8"))["wheel"]]


def package_names() -> list[str]:
    """Every zip that can be asked for."""
    return [LITE, *sorted({wheel.platform for wheel in pinned_wheels()})]


def running_package() -> str:
    """The zip for the system that this runs on; the lite one where there are no wheels for it."""
    system = {"linux": "linux", "darwin": "macos", "win32": "windows"}.get(sys.platform, sys.platform)
    machine = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64"}.get(platform.machine().lower(), platform.machine())
    name = f"{system}-{machine}"
    return name if name in package_names() else LITE


def wheels_of(name: str, python: str | None = None) -> list[Path]:
    """Files of the wheels that go into this zip, fetched where they are not there yet; BuildError when they cannot be.

    With a Python only those for it, which may be one that no released zip is for.
    """
    wanted = [wheel for wheel in pinned_wheels() if wheel.platform == name]
    return [fetch(wheel) for wheel in wanted if (wheel.python == python if python else not wheel.test)]


def fetch(wheel: Wheel) -> Path:
    """The wheel's file with the pinned bytes."""
    path = WHEELS / wheel.file
    if not path.is_file():
        WHEELS.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=WHEELS) as folder:
            result = subprocess.run(pip_command(wheel, folder), capture_output=True, text=True)
            if result.returncode or not (Path(folder) / wheel.file).is_file():
                raise BuildError(f"the wheel {wheel.file} could not be had with pip")
            (Path(folder) / wheel.file).replace(path)
    if hashlib.sha256(path.read_bytes()).hexdigest() != wheel.sha256:
        raise BuildError(f"{path} is not the wheel that wheels.toml pins: remove it, or look into it")
    return path


def pip_command(wheel: Wheel, folder: str) -> list[str]:
    """Download of the one wheel, for whatever system it is."""
    tags = wheel.file.removesuffix(".whl").split("-")[-1].split(".")
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:", "--dest", folder]
    platforms = [word for tag in tags for word in ("--platform", tag)]
    pip = [sys.executable, "-m", "pip", "download"]
    return [*pip, *options, *platforms, "--python-version", wheel.python, wheel.requirement]


def blender_ext_script(venv: Path) -> Path:
    """Blender's own builder of extensions, a plain script inside the bpy wheel."""
    site_packages = Path(sysconfig.get_path("purelib", scheme="venv", vars={"base": str(venv)}))
    return next(site_packages.glob("bpy/*/scripts/addons_core/bl_pkg/cli/blender_ext.py"))


def write_package(folder: Path, blender_ext: Path, name: str = LITE, wheels: list[Path] | None = None) -> Path:
    """Build and validate one zip in the folder; the same sources and wheels give the same bytes."""
    import tomllib

    manifest = tomllib.loads((ROOT / "blender_manifest.toml").read_text(encoding="utf-8"))
    parts = (manifest["id"], manifest["version"], name.replace("-", "_"))  # as Blender's builder names them
    target = folder / f"{'-'.join(parts)}.zip"
    with tempfile.TemporaryDirectory() as work:
        stage, built = Path(work, "stage"), Path(work, "built.zip")
        stage_files(stage)
        if wheels:
            stage_wheels(stage, name, wheels)
        run_builder(blender_ext, "build", f"--source-dir={stage}", f"--output-filepath={built}")
        folder.mkdir(parents=True, exist_ok=True)
        repack(built, target)
    run_builder(blender_ext, "validate", str(target))
    if target.stat().st_size > SIZE_LIMIT:
        raise BuildError(f"{target.name} is larger than {SIZE_LIMIT / 1e6:.0f} MB")
    return target


def stage_files(stage: Path) -> None:
    """Lay out the zip: the package's content is its root, because Blender wants __init__.py beside the manifest."""
    shutil.copytree(ROOT / "pads_blender", stage, ignore=shutil.ignore_patterns("training", "__pycache__"))
    shutil.copytree(ROOT / "bundled_models", stage / "bundled_models")
    for name in ("blender_manifest.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, stage)


def stage_wheels(stage: Path, name: str, wheels: list[Path]) -> None:
    """Add the wheels, their licences, and what the manifest must say of them."""
    (stage / "wheels").mkdir()
    (stage / "licenses").mkdir()
    for wheel in wheels:
        shutil.copy(wheel, stage / "wheels")
        with zipfile.ZipFile(wheel) as content:
            for source, copy in LICENCES.items():
                (stage / "licenses" / copy).write_bytes(content.read(f"onnxruntime/{source}"))
    lines = [f'platforms = ["{name}"]', "wheels = [", *(f'  "./wheels/{wheel.name}",' for wheel in wheels), "]"]
    path = stage / "blender_manifest.toml"
    text = path.read_text(encoding="utf-8")
    head, permissions, tail = text.partition("[permissions]")  # tables end the part where top-level fields can stand
    path.write_text("\n".join([head.rstrip(), "", *lines, "", permissions + tail]), encoding="utf-8")


def run_builder(blender_ext: Path, *arguments: str) -> None:
    """One command of Blender's builder; its words are shown only when it refuses."""
    result = subprocess.run([sys.executable, str(blender_ext), *arguments], capture_output=True, text=True)
    if result.returncode:
        raise BuildError(f"Blender's builder refused the extension:\n{result.stdout}{result.stderr}")


def repack(built: Path, target: Path) -> None:
    """Copy the zip with its files in order and without times: the builder keeps the order and times of the disk."""
    with zipfile.ZipFile(built) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as copy:
        for name in sorted(source.namelist()):
            entry = zipfile.ZipInfo(name)  # dated 1980
            entry.external_attr = 0o644 << 16
            packing = zipfile.ZIP_STORED if name.endswith(".whl") else zipfile.ZIP_DEFLATED  # a wheel is packed already
            copy.writestr(entry, source.read(name), packing)
