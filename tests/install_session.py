"""Runs in Blender, module or program: installs the zips given to it as a user would, uses and removes the extension.

    BLENDER --python install_session.py -- OLD.zip NEW.zip     or, with the bpy module, PYTHON install_session.py -- ...

Prints RESULT and JSON. Works in the current folder, where it finds take.bvh, keypoints.json and camera.json. Ends with
os._exit: the bpy 4.5 module can hang while the interpreter shuts down.
"""

import importlib
import json
import os
import socket
import sys
import threading
import time
import traceback
from pathlib import Path

import bpy

# isort: split
import addon_utils  # on the path only once bpy is loaded

PACKAGE = "pads_mocap"
# What the wheels of ONNX Runtime ask for and the zips leave out.
LEFT_OUT = ("google.protobuf", "flatbuffers", "sympy", "packaging", "coloredlogs")
LIBRARY = ("asyncio", "email.mime.text", "http.client", "http.cookiejar", "unittest.mock", "xml.dom.minidom", "xml.sax")
MODULE = f"bl_ext.user_default.{PACKAGE}"
OWNERS = ("Scene", "Object", "Armature", "Action", "PoseBone", "WindowManager")
commands = {}  # by handle; Blender can register commands but not list them, so its own two functions are listened to
asked_network = []  # what Python tried to reach


def listen_to_commands(register=bpy.utils.register_cli_command, unregister=bpy.utils.unregister_cli_command):
    def register_and_note(name, function):
        handle = register(name, function)
        commands[handle] = (name, function)
        return handle

    def unregister_and_note(handle):
        unregister(handle)
        del commands[handle]

    bpy.utils.register_cli_command, bpy.utils.unregister_cli_command = register_and_note, unregister_and_note


def listen_to_network():
    def note(event, arguments):
        if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
            asked_network.append(event)

    sys.addaudithook(note)


def traces():
    """What an add-on can leave in Blender, as names."""
    names = {f"type {name}" for name in dir(bpy.types)}
    for owner in OWNERS:
        names |= {f"property {owner}.{each.identifier}" for each in getattr(bpy.types, owner).bl_rna.properties}
    names |= {
        f"handler {name} {function}"
        for name in dir(bpy.app.handlers)
        if isinstance(getattr(bpy.app.handlers, name), list)
        for function in getattr(bpy.app.handlers, name)
    }
    names |= {f"thread {thread.name}" for thread in threading.enumerate()}
    names |= {f"operator pads.{name}" for name in dir(bpy.ops.pads)}
    return names | {f"command {name}" for name, _ in commands.values()}


def is_enabled():
    return addon_utils.check(MODULE)[1] and MODULE in bpy.context.preferences.addons


def install(path):
    bpy.ops.extensions.package_install_files(filepath=path, repo="user_default", enable_on_install=True)


def repository():
    """(index, folder) of the repository that files are installed to."""
    repos = bpy.context.preferences.extensions.repos
    index = next(i for i, repo in enumerate(repos) if repo.module == "user_default")
    return index, Path(repos[index].directory)


def version():
    text = (repository()[1] / PACKAGE / "blender_manifest.toml").read_text(encoding="utf-8")
    return next(line.split('"')[1] for line in text.splitlines() if line.startswith("version"))


def prefer_own_wheels():
    """Where Blender is a module of Python, or Debian's, the packages of that Python come before an extension's."""
    own = [path for path in sys.path if ".local" in Path(path).parts and "extensions" in Path(path).parts]
    sys.path[:0] = own


def milliseconds_to_enable():
    """Processor time of switching the extension on when none of its modules is loaded, as at Blender's start.

    And of importing parts of Python's own library, for comparison: the same work on the same computer, in turns.
    refresh_handled: its wheel is unpacked already.
    """
    enabling, importing, before = [], [], dict(sys.modules)
    for _ in range(7):  # the first time may write the compiled files
        addon_utils.disable(MODULE, refresh_handled=True)
        forget(MODULE)
        start = time.process_time()
        addon_utils.enable(MODULE, refresh_handled=True)
        enabling.append(1000 * (time.process_time() - start))
        forget(*{name.split(".")[0] for name in LIBRARY})
        start = time.process_time()
        for name in LIBRARY:
            importlib.import_module(name)
        importing.append(1000 * (time.process_time() - start))
    sys.modules.update((name, module) for name, module in before.items() if not name.startswith(MODULE))
    return {"milliseconds": min(enabling), "library_milliseconds": min(importing)}


def forget(*packages):
    """Let none of the modules of these packages count as loaded."""
    for name in [name for name in sys.modules if any(f"{name}.".startswith(f"{package}.") for package in packages)]:
        del sys.modules[name]


def hide_what_is_left_out():
    """From here on these cannot be imported, be they there or not; names of those that were loaded before."""
    loaded = [name for name in LEFT_OUT if name in sys.modules]
    sys.modules.update(dict.fromkeys(set(LEFT_OUT) - set(loaded)))
    return loaded


def command(*words):
    """The exit code of the installed command."""
    return next(function for name, function in commands.values() if name == "pads")([*words])


def clean():
    return command("clean", "take.bvh", "-o", "clean.bvh", "--steps", "3")


def estimate():
    return command("estimate", "keypoints.json", "-o", "estimated.bvh", "--fps", "30", "--camera", "camera.json")


def webgpu_trial():
    """What became of WebGPU, tried as the extension tries it."""
    trial = importlib.import_module(f"{MODULE}.diffusion.trial")
    folder = repository()[1] / PACKAGE / "bundled_models"
    return vars(trial.try_backend("webgpu", folder, trial.Host(blender=bpy.app.binary_path)))


def run(old, new, is_gpu_wanted):
    listen_to_commands()
    listen_to_network()
    before, files_before = traces(), sorted(repository()[1].glob("[!.]*"))
    install(old)
    steps = {"old_version": version(), "old_enabled": is_enabled()}
    install(new)
    steps |= {"version": version(), "installed": is_enabled(), "adds": sorted(traces() - before)}
    bpy.ops.preferences.addon_disable(module=MODULE)
    steps |= {"disabled": not is_enabled(), "left": sorted(traces() - before)}
    bpy.ops.preferences.addon_enable(module=MODULE)
    steps |= {"enabled_again": is_enabled(), "adds_again": sorted(traces() - before)}
    steps["native_at_start"] = sorted({"onnxruntime", "torch"} & set(sys.modules))
    steps |= milliseconds_to_enable()
    prefer_own_wheels()
    steps["loaded_before"] = hide_what_is_left_out()
    steps |= {"exit_code": clean(), "still_on": is_enabled(), "estimated": estimate()}
    runtime = sys.modules.get("onnxruntime")
    steps["runtime"] = str(getattr(runtime, "__file__", "")) if runtime else ""
    steps["webgpu"] = webgpu_trial() if is_gpu_wanted else None
    bpy.ops.extensions.package_uninstall(repo_index=repository()[0], pkg_id=PACKAGE)
    packages = [path for folder in sys.path if ".local" in Path(folder).parts for path in Path(folder).glob("onnx*")]
    steps |= {
        "left_again": sorted(traces() - before),
        "files_left": [str(path) for path in sorted(repository()[1].glob("[!.]*")) if path not in files_before],
        "wheels_left": [str(path) for path in packages],
        "known_still": MODULE in bpy.context.preferences.addons,
        "asked_network": asked_network,
        "interfaces": [name for _, name in socket.if_nameindex()],
        "blender": bpy.app.version_string,
    }
    return steps


if __name__ == "__main__":
    arguments = sys.argv[sys.argv.index("--") + 1 :]
    try:
        os.chdir(Path(arguments[0]).parent)
        print("RESULT", json.dumps(run(arguments[0], arguments[1], "webgpu" in arguments)), flush=True)
        code = 0
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
