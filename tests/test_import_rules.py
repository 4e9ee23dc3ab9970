"""Keeps the layers apart: fails when a file of pads_blender imports what its layer must not know."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "pads_blender"

# A file imports from its own layer and from the layers before it. The package's own __init__ and __main__ are the
# doors to the last layer. training stands beside this order and is imported by no other layer.
ORDER = (("errors", "paths"), ("core",), ("diffusion",), ("tasks",), ("jobs",), ("blender", "__init__", "__main__"))
TRAINING_MAY_IMPORT = ("errors", "paths", "core", "diffusion", "tasks", "training")

BLENDER_MODULES = (
    *("bpy", "bpy_extras", "mathutils", "bmesh"),
    *("gpu", "gpu_extras", "blf", "addon_utils", "bl_ext", "bl_ui"),
)
# Files whose business is a runtime: they import it when it is needed, never when the add-on is loaded.
RUNTIMES = {"diffusion/torch_prior.py": ("torch",), "diffusion/onnx_prior.py": ("onnxruntime",)}


def layer_of(path: str) -> str:
    """Layer of a file, given by its path inside the package."""
    return path.split("/")[0].removesuffix(".py")


def may_import(layer: str) -> set[str]:
    """Layers that this layer may import."""
    if layer == "training":
        return set(TRAINING_MAY_IMPORT)
    rank = next((rank for rank, layers in enumerate(ORDER) if layer in layers), None)
    return set() if rank is None else {name for layers in ORDER[: rank + 1] for name in layers}


def imported_layers(node: ast.ImportFrom, path: str) -> set[str]:
    """Layers named by a relative import; the package itself counts as __init__, outside of it as '..'."""
    folder = path.split("/")[:-1]
    if node.level > len(folder) + 1:
        return {".."}
    target = [*folder[: len(folder) + 1 - node.level], *(node.module or "").split(".")]
    target = [part for part in target if part]
    if target:
        return {target[0]}
    modules = {layer_of(entry.name) for entry in PACKAGE.iterdir()} | {name for layers in ORDER for name in layers}
    return {alias.name if alias.name in modules else "__init__" for alias in node.names}


def imports(tree: ast.AST, is_at_load: bool = True):
    """Yield (node, module name or None for a relative import, whether it runs when the file is loaded)."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name, is_at_load) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node, None if node.level else node.module, is_at_load
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("import_module", "__import__"):
            name = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else "a computed name"
            yield node, name, is_at_load
        yield from imports(
            node, is_at_load and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        )


def complaint(path: str, node: ast.AST, name: str | None, is_at_load: bool) -> str | None:
    """What is wrong with one import, or None."""
    layer, top = layer_of(path), (name or "").split(".")[0]
    if path == "__init__.py" and is_at_load and top != "__future__":
        return "the package is imported without Blender too: import inside register() and unregister()"
    if name is None:
        wrong = imported_layers(node, path) - may_import(layer)
        return f"{layer} must not import {', '.join(sorted(wrong))}" if wrong else None
    if top == "pads_blender":
        return "imports inside the package are relative: installed, it has another name"
    if top in BLENDER_MODULES:
        return None if layer == "blender" else f"only blender/ may import {top}"
    if top in sys.stdlib_module_names or top == "numpy" or layer == "training":
        return None
    if top not in RUNTIMES.get(path, ()):
        return f"{name} is not to be imported here: it comes neither with Python nor with Blender"
    return f"{top} is to be imported inside the function that needs it" if is_at_load else None


def violations(source: str, path: str) -> list[str]:
    """Complaints about one file, given by its text and its path inside the package."""
    found = ((node.lineno, complaint(path, node, name, at_load)) for node, name, at_load in imports(ast.parse(source)))
    return [f"{path}:{line}: {text}" for line, text in found if text]


def test_every_file_keeps_to_its_layer():
    files = sorted(PACKAGE.rglob("*.py"))
    assert PACKAGE / "errors.py" in files
    for file in files:
        assert violations(file.read_text(encoding="utf-8"), file.relative_to(PACKAGE).as_posix()) == []


def test_every_layer_is_known():
    known = {name for layers in ORDER for name in layers} | {"training"}
    assert {layer_of(file.relative_to(PACKAGE).as_posix()) for file in PACKAGE.rglob("*.py")} <= known


def test_tests_outside_their_folders_do_not_load_blender():
    """Tests that load bpy get a process of their own by the folder they are in."""
    for file in (ROOT / "tests").rglob("test_*.py"):
        if file.relative_to(ROOT / "tests").parts[0] not in ("blender", "window"):
            names = {(name or "").split(".")[0] for _, name, _ in imports(ast.parse(file.read_text(encoding="utf-8")))}
            assert not names & set(BLENDER_MODULES), f"{file}: move it to tests/blender"


LAZY = "def load():\n    "


@pytest.mark.parametrize(
    ("path", "source", "complaint_part"),
    [
        ("core/motion.py", "from ..diffusion import prior", "core must not import diffusion"),
        ("core/motion.py", "from .. import diffusion", "core must not import diffusion"),
        ("core/motion.py", "from .. import register", "core must not import __init__"),
        ("core/motion.py", LAZY + "from ..tasks.clean import clean_take", "core must not import tasks"),
        ("errors.py", "from .core import rotations", "errors must not import core"),
        ("errors.py", "from . import core", "errors must not import core"),
        ("diffusion/sampler.py", "from ..tasks import clean", "diffusion must not import tasks"),
        ("tasks/clean.py", "from ..jobs import Job", "tasks must not import jobs"),
        ("jobs.py", "from .blender import rig_reader", "jobs must not import blender"),
        ("blender/operators.py", LAZY + "from ..training import train", "blender must not import training"),
        ("training/train.py", "from ..blender import batch", "training must not import blender"),
        ("training/train.py", "from ..jobs import Job", "training must not import jobs"),
        ("blender/files.py", "from ...core import bvh", "blender must not import .."),
        ("unplanned/thing.py", "from ..core import bvh", "unplanned must not import core"),
        ("core/rig.py", "import bpy", "only blender/ may import bpy"),
        ("core/rig.py", LAZY + "from mathutils import Vector", "only blender/ may import mathutils"),
        ("__main__.py", "import bpy", "only blender/ may import bpy"),
        ("training/data.py", "import bpy.types", "only blender/ may import bpy"),
        ("core/rig.py", "if True:\n    import scipy.ndimage", "scipy.ndimage is not to be imported here"),
        ("diffusion/prior.py", LAZY + "import torch", "torch is not to be imported here"),
        ("diffusion/onnx_prior.py", LAZY + "import torch", "torch is not to be imported here"),
        ("tasks/clean.py", "import importlib\nimportlib.import_module('torch')", "torch is not to be imported here"),
        ("tasks/clean.py", "import importlib\nimportlib.import_module(name)", "a computed name is not to be"),
        ("diffusion/torch_prior.py", "import torch", "torch is to be imported inside the function"),
        ("diffusion/torch_prior.py", "class A:\n    import torch", "torch is to be imported inside the function"),
        ("diffusion/onnx_prior.py", "import onnxruntime as ort", "onnxruntime is to be imported inside the function"),
        ("blender/addon.py", "from pads_blender.core import bvh", "imports inside the package are relative"),
        ("core/rig.py", LAZY + "import pads_blender.errors", "imports inside the package are relative"),
        ("__init__.py", "from .blender import addon", "import inside register()"),
        ("__init__.py", "import numpy", "import inside register()"),
    ],
)
def test_a_forbidden_import_is_found(path, source, complaint_part):
    (found,) = violations(source, path)
    assert complaint_part in found


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("core/motion.py", "from __future__ import annotations\nimport numpy as np\nfrom .skeleton import MODEL"),
        ("core/bvh.py", "from ..errors import BadFileError\nfrom .. import paths\nfrom . import rig"),
        ("paths.py", "from .errors import PadsError"),
        ("diffusion/onnx_prior.py", LAZY + "import onnxruntime"),
        ("diffusion/torch_prior.py", LAZY + "import torch"),
        ("tasks/clean.py", "from ..core import rig\nfrom ..diffusion import sampler"),
        ("jobs.py", "import queue\nimport threading\nfrom .errors import CancelledError"),
        ("blender/operators.py", "import bpy\nfrom mathutils import Matrix\nfrom .. import jobs, register"),
        ("training/train.py", "import torch\nfrom ..diffusion import schedule\nfrom . import network"),
        ("__init__.py", LAZY + "from .blender import addon"),
        ("__main__.py", "from .blender import batch"),
    ],
)
def test_an_allowed_import_passes(path, source):
    assert violations(source, path) == []
