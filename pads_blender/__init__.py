"""PADS: motion-capture clean-up with a diffusion prior. Blender calls register() and unregister(); nothing here imports bpy."""


def register() -> None:
    from .blender import addon

    addon.register()


def unregister() -> None:
    from .blender import addon

    addon.unregister()
