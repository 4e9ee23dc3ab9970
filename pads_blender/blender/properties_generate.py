"""What the panels Generate and In-Between show: how many poses, how far from the present one, which keys count."""

from __future__ import annotations

import bpy


class PADS_PG_generate(bpy.types.PropertyGroup):  # noqa: N801 - Blender's own pattern
    """How poses and in-betweens are made in this scene."""

    count: bpy.props.IntProperty(name="Poses", description="So many poses", default=10, min=1, max=500)
    seed: bpy.props.IntProperty(
        name="Seed", description="The same seed gives the same poses; another one others", default=0, min=0
    )
    amount: bpy.props.FloatProperty(
        name="Amount",
        description="How far variations go from the present pose: a few centimetres move hands and feet a little, half "
        "a metre leaves hardly anything of it",
        subtype="DISTANCE",
        default=0.1,
        min=0.01,
        max=1.0,
    )
    as_assets: bpy.props.BoolProperty(
        name="Pose Assets", description="Make each pose an asset of the pose library, too", default=False
    )
    keys: bpy.props.EnumProperty(
        name="Keys",
        description="Which keys are the poses that the motion passes through. Those that PADS has made do not count",
        items=(
            ("ALL", "All Keys", "Every frame in which a bone of the body has a key"),
            ("SELECTED", "Selected Keys", "The frames of the keys that are selected; others between them are replaced"),
        ),
    )
    variation: bpy.props.IntProperty(
        name="Variation",
        description="0 is the likeliest motion, the calmest; each other number another one that may have been meant",
        default=0,
        min=0,
    )


CLASSES = (PADS_PG_generate,)


def register() -> None:
    """Hang the settings on scenes."""
    bpy.types.Scene.pads_generate = bpy.props.PointerProperty(type=PADS_PG_generate)


def unregister() -> None:
    """Take them off again."""
    del bpy.types.Scene.pads_generate
