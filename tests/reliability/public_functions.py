"""Every public function below Blender that takes numbers, with arguments made from what they are called and are.

A function whose arguments cannot be made from these tables has no example: test_public_functions.py asks for a reason.
"""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

PACKAGES = ("core", "diffusion", "tasks")
# What holds no numbers of a take: a function of such things alone has nothing to be spoilt.
_NO_NUMBERS = {
    "str", "int", "bool", "None", "empty", "Path", "bytes", "memoryview", "dict", "tuple", "list", "slice",
    "Sequence", "Sized", "Callable", "OnStep", "OnTrial", "Say", "Exception", "Host", "Contract", "Network",
    "BoneName", "Convention", "Mapping", "Gltf", "TakeWarning", "random", "Generator",
}  # fmt: skip


def public_functions() -> dict[str, Callable]:
    """By module and name, such as `clean.clean_take`: what other files may call and give numbers."""
    found = {}
    for name, module in _modules():
        own = inspect.getmembers(module, lambda f, m=module: inspect.isfunction(f) and f.__module__ == m.__name__)
        found |= {f"{name}.{each}": f for each, f in own if not each.startswith("_") and _takes_numbers(f)}
    return found


def public_methods(things: dict[str, object]) -> dict[str, Callable]:
    """By module, class and name, such as `camera.Camera.project`, bound to a sound one; unbound where none is given."""
    found = {}
    for name, module in _modules():
        own = inspect.getmembers(module, lambda c, m=module: inspect.isclass(c) and c.__module__ == m.__name__)
        for kind, each in own:
            if not kind.startswith("_") and not getattr(each, "_is_protocol", False):
                methods = inspect.getmembers(each, inspect.isfunction)
                shown = [method for method, f in methods if _is_shown(method) and _takes_numbers(f)]
                found |= {f"{name}.{kind}.{m}": getattr(things.get(kind, each), m) for m in shown}
    return found


def _is_shown(method: str) -> bool:
    return method == "__call__" or not method.startswith("_")


def _modules() -> list[tuple[str, ModuleType]]:
    found = []
    for package in PACKAGES:
        folder = importlib.import_module(f"pads_blender.{package}").__path__
        names = [module.name for module in pkgutil.iter_modules(folder)]
        found += [(name, importlib.import_module(f"pads_blender.{package}.{name}")) for name in names]
    return found


def kind_of(parameter: inspect.Parameter) -> str:
    """What a parameter is said to be, without the modules' names."""
    said = parameter.annotation
    return re.sub(r"\b(?:\w+\.)+(?=\w)", "", said if isinstance(said, str) else inspect.formatannotation(said))


def _takes_numbers(function: Callable) -> bool:
    parameters = [each for each in inspect.signature(function).parameters.values() if each.name != "self"]
    return not all(set(re.findall(r"\w+", kind_of(each))) <= _NO_NUMBERS for each in parameters)


_BY_NAME = re.compile(r"(ndarray|float|int|str|Callable\b.*)( \| ndarray)?")  # the names tell them apart


@dataclass(frozen=True)
class Example:
    """Sound arguments by what they are and by what they are called."""

    kinds: dict[str, object]
    names: dict[str, object]
    own: dict[str, dict[str, object]]  # of functions that mean something else by a name

    def arguments_of(self, label: str, function: Callable) -> dict[str, object] | None:
        """Those that the function asks for by name; None where some cannot be made."""
        parameters = inspect.signature(function).parameters
        given = {name: value for name, value in self.own.get(label, {}).items() if name in parameters}
        for name, parameter in parameters.items():
            if name in given or parameter.default is not parameter.empty:
                continue
            kind = kind_of(parameter)
            table = self.names if _BY_NAME.fullmatch(kind) else self.kinds
            key = name if table is self.names else kind
            if key not in table:
                return None
            given[name] = table[key]
        return given
