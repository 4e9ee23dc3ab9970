"""Test My Computer: what the priors can run on here, and how fast."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from .. import jobs
from .computer import read_host
from .job_operator import JobOperator
from .reporting import is_idle
from .session import Task

if TYPE_CHECKING:
    from ..diffusion.device_choice import Survey


class PADS_OT_test_computer(JobOperator, bpy.types.Operator):  # noqa: N801 - Blender's own pattern
    """Try every device of this computer, measure how many frames a second it takes, and use the best from now on"""

    bl_idname = "pads.test_computer"
    bl_label = "Test My Computer"
    bl_options = {"REGISTER"}  # noqa: RUF012 - Blender reads a plain set

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether nothing else is under way."""
        if jobs.is_busy_behind():
            cls.poll_message_set("The devices are being tested in the background: the result will be listed here")
            return False
        return is_idle(cls)

    def prepare(self, context: bpy.types.Context) -> Task:
        """All devices, one after the other, each in a process of its own."""
        from ..diffusion.backends import BY_NAME
        from ..diffusion.device_choice import survey

        host = read_host()

        def work(on_step: jobs.OnStep) -> Survey:
            return survey(host, on_trial=lambda done, count, label: on_step(done, count))

        def apply(found: Survey) -> str:
            return f"{BY_NAME[found.backend].label} is used: {found.reason}"

        return Task("Testing this computer", work, apply)


CLASSES = (PADS_OT_test_computer,)
