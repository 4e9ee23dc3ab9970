"""What the panels show: settings on the scene, and on each armature what was found in its take."""

from typing import TYPE_CHECKING

import bpy

from ..tasks.contacts import CONTACT_JOINTS
from ..tasks.problem_kinds import KINDS
from ..tasks.scope import LIMBS, joints_of
from .comparison import find_comparison, get_blend, set_blend
from .joint_pickers import PADS_PG_joints
from .preferences import read_preferences
from .problem_list import go_to

if TYPE_CHECKING:
    from ..tasks.clean import CleanSettings

_FAST_LOOKS = 1
RANGES = (
    ("TAKE", "Whole Action", "All frames between the first and the last keyframe"),
    ("SCENE", "Scene", "The frame range of the scene"),
    ("PREVIEW", "Preview Range", "The preview range of the scene"),
    ("SELECTED", "Selected Keys", "From the first to the last of the keyframes that are selected"),
)
QUALITIES = (
    ("FAST", "Fast", "One look at the take: about twice as fast"),
    ("BEST", "Best", "Leaps and gaps are looked at twice, and poses of the take that are alike are used"),
)
_LIMB_ITEMS = tuple((limb.upper(), limb.replace("_", " ").title(), "", 1 << i) for i, limb in enumerate(LIMBS))


def _chosen_quality(settings: "PADS_PG_settings") -> int:
    """Number of the quality: what the scene was given, else what the preferences say."""
    own = settings.quality_of_scene
    return own if own >= 0 else [name for name, *_ in QUALITIES].index(read_preferences().quality)


def _set_quality(settings: "PADS_PG_settings", number: int) -> None:
    settings.quality_of_scene = number


class PADS_PG_settings(bpy.types.PropertyGroup):  # noqa: N801 - Blender's own pattern
    """How takes are cleaned in this scene; the defaults need no thought."""

    range: bpy.props.EnumProperty(name="Range", description="Which frames are worked on", items=RANGES, default="TAKE")
    limbs: bpy.props.EnumProperty(
        name="Limbs",
        description="Parts of the body that may change. Shift-click to switch several",
        items=_LIMB_ITEMS,
        options={"ENUM_FLAG"},
        default={item[0] for item in _LIMB_ITEMS},
    )
    strength: bpy.props.FloatProperty(
        name="Strength",
        description="How much of the correction is applied to what was measured; at 0 nothing changes",
        subtype="FACTOR",
        default=1.0,
        min=0.0,
        max=1.0,
    )
    use_jitter: bpy.props.BoolProperty(name="Jitter", description="Take out noise and shaking", default=True)
    use_pops: bpy.props.BoolProperty(
        name="Pops", description="Put right what leaps away and back, and limbs taken for the other side", default=True
    )
    use_gaps: bpy.props.BoolProperty(
        name="Gaps", description="Fill in limbs that froze or got lost on the way", default=True
    )
    use_feet: bpy.props.BoolProperty(name="Feet", description="Hold feet that rest but slide", default=True)
    feet: bpy.props.FloatProperty(
        name="Feet Strength",
        description="How far feet that rest are held in place",
        subtype="FACTOR",
        default=1.0,
        min=0.0,
        max=1.0,
    )
    quality: bpy.props.EnumProperty(
        name="Quality",
        description="How much time the result is worth",
        items=QUALITIES,
        get=_chosen_quality,
        set=_set_quality,
    )
    quality_of_scene: bpy.props.IntProperty(default=-1, options={"HIDDEN"})
    keep_extreme: bpy.props.BoolProperty(
        name="Extreme Keys",
        description="The result passes through keys of type Extreme. Locked curves are kept in any case",
        default=True,
    )
    keep_selected: bpy.props.BoolProperty(
        name="Selected Keys",
        description="The result passes through the keys that are selected",
        default=False,
    )
    leave_out_reference: bpy.props.BoolProperty(
        name="Leave Out T-Pose",
        description="A T-pose or rest pose in front of the take stays as it is, and nothing is learnt from it",
        default=False,
    )
    switch_to_fk: bpy.props.BoolProperty(
        name="Switch to FK",
        description="Limbs of a Rigify rig that follow their IK controls are keyed on their FK controls instead",
        default=False,
    )
    seed: bpy.props.IntProperty(
        name="Seed", description="The same seed gives the same keyframes; another one another sample", default=0, min=0
    )
    fill_range: bpy.props.EnumProperty(
        name="Range",
        description="Frames in which the selected bones are made anew",
        items=RANGES[1:],
        default="PREVIEW",
    )
    feet_lock: bpy.props.FloatProperty(
        name="Strength",
        description="How far feet are held in place while they touch the ground",
        subtype="FACTOR",
        default=1.0,
        min=0.0,
        max=1.0,
    )
    show_ghost: bpy.props.BoolProperty(
        name="Ghost", description="Draw the bones of the other one of the two motions over the view", default=False
    )
    show_problems: bpy.props.BoolProperty(
        name="Color Bones",
        description="Draw bones with problems in the current frame in color: yellow to red, the worse they are",
        default=True,
    )

    def to_settings(self, first: float | None = None, last: float | None = None) -> "CleanSettings":
        """The same for the task, in scene frames first to last."""
        from ..tasks.clean import CleanSettings  # not above: Blender's start must not wait for it

        return CleanSettings(
            strength=self.strength,
            start=first,
            end=last,
            steps=_FAST_LOOKS if self.quality == "FAST" else None,
            seed=self.seed,
            feet=self.feet if self.use_feet else 0.0,
            jitter=self.use_jitter,
            pops=self.use_pops,
            gaps=self.use_gaps,
            leave_out_reference=self.leave_out_reference,
            joints=None if len(self.limbs) == len(LIMBS) else self.joints,
        )

    @property
    def joints(self) -> tuple[str, ...]:
        """Joints of the limbs that are included."""
        return joints_of(tuple(limb for limb in LIMBS if limb.upper() in self.limbs))


class PADS_PG_problem(bpy.types.PropertyGroup):  # noqa: N801 - Blender's own pattern
    """One thing that was found to be broken."""

    kind: bpy.props.EnumProperty(name="Kind", items=[(kind.upper(), kind.title(), "") for kind in KINDS])
    bone: bpy.props.StringProperty(name="Bone")
    joints: bpy.props.StringProperty(name="Joints", description="All joints that are affected, by commas")
    first: bpy.props.FloatProperty(name="First Frame")
    last: bpy.props.FloatProperty(name="Last Frame")
    severity: bpy.props.FloatProperty(name="Severity", description="Millimetres by which a joint is off at worst")
    reason: bpy.props.StringProperty(name="Reason")


def _spoken(joint: str) -> str:
    return joint.replace("ankle", "heel").replace("_", " ").title()


def _note_edit(contact: "PADS_PG_contact", context: bpy.types.Context) -> None:
    """From now on Clean goes by the list."""
    contact.id_data.pads.are_contacts_edited = True


class PADS_PG_contact(bpy.types.PropertyGroup):  # noqa: N801 - Blender's own pattern
    """A stretch of frames in which a heel or toe rests."""

    use: bpy.props.BoolProperty(
        name="Lock", description="Hold the foot in place during this contact", default=True, update=_note_edit
    )
    joint: bpy.props.EnumProperty(
        name="Part",
        description="What touches the ground",
        items=[(joint.upper(), _spoken(joint), "") for joint in CONTACT_JOINTS],
        update=_note_edit,
    )
    first: bpy.props.IntProperty(name="First", description="First frame in which it rests", update=_note_edit)
    last: bpy.props.IntProperty(name="Last", description="Last frame in which it rests", update=_note_edit)


def _show_problem(rig: "PADS_PG_rig", context: bpy.types.Context) -> None:
    """A click in the list goes to the problem."""
    if 0 <= rig.active_problem < len(rig.problems) and context.object == rig.id_data:
        go_to(context, rig.problems[rig.active_problem])


def _show_contact(rig: "PADS_PG_rig", context: bpy.types.Context) -> None:
    """A click in the list goes to the contact's first frame."""
    if 0 <= rig.active_contact < len(rig.contacts) and context.object == rig.id_data:
        context.scene.frame_set(rig.contacts[rig.active_contact].first)


def _get_blend(rig: "PADS_PG_rig") -> float:
    found = find_comparison(rig.id_data)
    return get_blend(found) if found and found.strip else 1.0


def _set_blend(rig: "PADS_PG_rig", blend: float) -> None:
    found = find_comparison(rig.id_data)
    if found and found.strip:
        set_blend(found, blend)


class PADS_PG_rig(bpy.types.PropertyGroup):  # noqa: N801 - Blender's own pattern
    """What was found in an armature's take."""

    joints: bpy.props.PointerProperty(type=PADS_PG_joints)
    problems: bpy.props.CollectionProperty(type=PADS_PG_problem)
    active_problem: bpy.props.IntProperty(
        name="Problem",
        description="Click a line to select its bone and to go to its frame",
        default=-1,
        update=_show_problem,
    )
    are_problems_known: bpy.props.BoolProperty(name="Looked For")
    problems_action: bpy.props.StringProperty(name="Action", description="Action that the list of problems is about")
    problems_action_uid: bpy.props.IntProperty(name="Action Number", description="The same, in this session of Blender")
    warnings: bpy.props.StringProperty(name="Warnings", description="What is odd about the take, one line each")
    result: bpy.props.StringProperty(name="Result", description="What became of the take when it was last worked on")
    contacts: bpy.props.CollectionProperty(type=PADS_PG_contact)
    active_contact: bpy.props.IntProperty(
        name="Contact", description="Click a line to go to its first frame", default=-1, update=_show_contact
    )
    are_contacts_edited: bpy.props.BoolProperty(name="Contacts Edited")
    blend: bpy.props.FloatProperty(
        name="Blend",
        description="How much of the cleaned motion is shown: 0 is the original, 1 the cleaned one",
        subtype="FACTOR",
        min=0.0,
        max=1.0,
        get=_get_blend,
        set=_set_blend,
    )


CLASSES = (PADS_PG_settings, PADS_PG_problem, PADS_PG_contact, PADS_PG_rig)


def register() -> None:
    """Hang the groups on scenes and objects."""
    bpy.types.Scene.pads = bpy.props.PointerProperty(type=PADS_PG_settings)
    bpy.types.Object.pads = bpy.props.PointerProperty(type=PADS_PG_rig)


def unregister() -> None:
    """Take them off again."""
    del bpy.types.Object.pads
    del bpy.types.Scene.pads
