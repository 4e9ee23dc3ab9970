"""What differs between Blender 4.5 and 5.2, tested by feature; the rest of the package asks here."""

import bpy


def find_channelbag(action: bpy.types.Action, slot: bpy.types.ActionSlot) -> bpy.types.ActionChannelbag | None:
    """The F-curves of one slot. `Action.fcurves` is gone in 5.0 and means the first slot only in 4.5."""
    for layer in action.layers:
        for strip in layer.strips:
            bag = strip.channelbag(slot)
            if bag is not None:
                return bag
    return None


def new_fcurve(bag: bpy.types.ActionChannelbag, data_path: str, index: int, group: str) -> bpy.types.FCurve:
    """A new F-curve in the named group; `new` itself takes a group's name only from 5.0 on."""
    fcurve = bag.fcurves.new(data_path, index=index)
    fcurve.group = bag.groups.get(group) or bag.groups.new(group)
    return fcurve


def assign_action(animation: bpy.types.AnimData, action: bpy.types.Action, slot_handle: int) -> None:
    """Make the action current in the slot with this handle; a copied action keeps its original's handles."""
    animation.action = action
    animation.action_slot = next(slot for slot in action.slots if slot.handle == slot_handle)


def is_bone_selected(bone: bpy.types.PoseBone) -> bool:
    """Whether the bone is selected and in sight; from 5.0 on a pose bone knows this itself."""
    has_own = hasattr(bone, "select")
    return (bone.select if has_own else bone.bone.select) and not (bone.hide if has_own else bone.bone.hide)


def select_bone(bone: bpy.types.PoseBone, is_selected: bool) -> None:
    """Select the bone or not."""
    owner = bone if hasattr(bone, "select") else bone.bone
    owner.select = is_selected
