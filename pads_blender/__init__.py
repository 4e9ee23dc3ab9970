"""PADS: motion-capture clean-up with a diffusion prior. Nothing here imports bpy until Blender calls register()."""


def register() -> None:
    """Add PADS to the running Blender."""
    from .blender import addon

    addon.register()


def unregister() -> None:
    """Take out all that register() added."""
    from .blender import addon

    addon.unregister()
