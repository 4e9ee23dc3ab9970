"""The list of foot contacts on an armature: kept with the object, edited in the panel."""

from __future__ import annotations

from collections.abc import Sequence

import bpy

from ..tasks.contacts import ContactRange

_NEW_FRAMES = 10


def store(armature: bpy.types.Object, contacts: Sequence[ContactRange]) -> None:
    """Put what was found in place of the old list."""
    armature.pads.active_contact = -1
    armature.pads.contacts.clear()
    for contact in contacts:
        _add(armature, contact)
    armature.pads.are_contacts_edited = False


def read(armature: bpy.types.Object) -> list[ContactRange]:
    """Those that are switched on, as plain data in scene frames."""
    return [ContactRange(each.joint.lower(), each.first, each.last) for each in armature.pads.contacts if each.use]


def add_at(armature: bpy.types.Object, frame: int) -> None:
    """Add a short contact that begins in this frame, of the same foot as the one that is chosen."""
    rig = armature.pads
    has_active = 0 <= rig.active_contact < len(rig.contacts)
    joint = rig.contacts[rig.active_contact].joint.lower() if has_active else "left_toe"
    _add(armature, ContactRange(joint, frame, frame + _NEW_FRAMES))
    rig.active_contact = len(rig.contacts) - 1
    rig.are_contacts_edited = True


def remove_active(armature: bpy.types.Object) -> None:
    """Take the chosen contact off the list."""
    rig = armature.pads
    rig.contacts.remove(rig.active_contact)
    rig.active_contact = min(rig.active_contact, len(rig.contacts) - 1)
    rig.are_contacts_edited = bool(len(rig.contacts))


def _add(armature: bpy.types.Object, contact: ContactRange) -> None:
    item = armature.pads.contacts.add()
    item.joint, item.first, item.last = contact.joint.upper(), contact.first, contact.last
