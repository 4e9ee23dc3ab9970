"""Foot contacts: found, edited, and held."""

import bpy

from .. import jobs
from ..core.rig import RigTake
from ..tasks.contacts import ContactRange
from . import contact_list
from .chosen import chosen_take_in_parts
from .job_operator import JobOperator
from .operators_clean import deliver_all
from .parts import Parts
from .reporting import OperatorResult, has_armature, has_motion, is_idle
from .session import Task
from .snapshot import find_armature


class PADS_OT_find_contacts(JobOperator, bpy.types.Operator):  # noqa: N801 - Blender's own pattern
    """List when heels and toes rest on something, be it floor, stair or slope"""

    bl_idname = "pads.find_contacts"
    bl_label = "Find Contacts"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender reads a plain set

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is a motion to look at."""
        return is_idle(cls) and has_motion(cls, context)

    def prepare(self, context: bpy.types.Context) -> Parts[Task]:
        """The active armature's take."""
        from ..tasks.foot_lock import list_contacts  # not above: Blender's start must not wait for it

        snapshot = yield from chosen_take_in_parts(context)

        def apply(found: tuple[ContactRange, ...]) -> str:
            contact_list.store(find_armature(snapshot), found)
            if not found:
                return "No contacts found: feet that shake do not rest, so clean the take first, or add contacts"
            return f"{len(found)} contact{'' if len(found) == 1 else 's'} found"

        return Task("Looking for contacts", lambda step: list_contacts(snapshot.take, snapshot.mapping, step), apply)


class PADS_OT_lock_feet(JobOperator, bpy.types.Operator):  # noqa: N801 - Blender's own pattern
    """Hold each foot in place during the contacts that are switched on. The result is a new action"""

    bl_idname = "pads.lock_feet"
    bl_label = "Lock Feet"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender reads a plain set

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there are contacts."""
        if not (is_idle(cls) and has_motion(cls, context)):
            return False
        if not contact_list.read(context.object):
            cls.poll_message_set("Press Find Contacts, or add one and switch it on")
            return False
        return True

    def prepare(self, context: bpy.types.Context) -> Parts[Task]:
        """The active armature's take and its contacts."""
        contacts, strength = contact_list.read(context.object), context.scene.pads.feet_lock
        snapshot = yield from chosen_take_in_parts(context)

        def work(on_step: jobs.OnStep) -> list[RigTake]:
            from ..tasks.foot_lock import lock_feet_at

            return [lock_feet_at(snapshot.take, snapshot.mapping, snapshot.kept, contacts, strength, on_step)]

        def apply(after: list[RigTake]) -> str:
            return deliver_all([snapshot], after, verb="changed")

        return Task("Locking feet", work, apply, (snapshot.armature_uid,))


class PADS_OT_add_contact(bpy.types.Operator):  # noqa: N801 - Blender's own pattern
    """Add a contact that begins at the current frame"""

    bl_idname = "pads.add_contact"
    bl_label = "Add Contact"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender reads a plain set

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is an armature."""
        return has_armature(cls, context)

    def execute(self, context: bpy.types.Context) -> OperatorResult:
        """Add it."""
        contact_list.add_at(context.object, context.scene.frame_current)
        return {"FINISHED"}


class PADS_OT_remove_contact(bpy.types.Operator):  # noqa: N801 - Blender's own pattern
    """Take the chosen contact off the list"""

    bl_idname = "pads.remove_contact"
    bl_label = "Remove Contact"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender reads a plain set

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether a contact is chosen."""
        if not has_armature(cls, context):
            return False
        rig = context.object.pads
        if not 0 <= rig.active_contact < len(rig.contacts):
            cls.poll_message_set("Click a contact in the list")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> OperatorResult:
        """Remove it."""
        contact_list.remove_active(context.object)
        return {"FINISHED"}


CLASSES = (PADS_OT_find_contacts, PADS_OT_lock_feet, PADS_OT_add_contact, PADS_OT_remove_contact)
