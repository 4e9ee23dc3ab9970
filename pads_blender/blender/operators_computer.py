"""Test My Computer: what the priors run on here, and how fast."""

import bpy

from .. import jobs
from .job_operator import JobOperator
from .preferences import find_own, read_preferences
from .reporting import is_idle
from .session import Task


class PADS_OT_test_computer(JobOperator, bpy.types.Operator):  # noqa: N801 - Blender's own pattern
    """Measure how many frames a second this computer cleans, and show it here"""

    bl_idname = "pads.test_computer"
    bl_label = "Test My Computer"
    bl_options = {"REGISTER"}  # noqa: RUF012 - Blender reads a plain set

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether nothing else is under way."""
        return is_idle(cls)

    def prepare(self, context: bpy.types.Context) -> Task:
        """A look at a made-up take."""
        threads = read_preferences().threads

        def work(on_step: jobs.OnStep) -> str:
            from ..diffusion.prior import load_prior
            from ..tasks.speed import measure_speed

            prior = load_prior("motion", threads=threads)
            return f"{prior.device}: {measure_speed(prior, on_step):,.0f} frames a second and look"

        return Task("Testing this computer", work, _note)


def _note(said: str) -> str:
    """Keep what was measured in the preferences, where it is shown."""
    own = find_own()
    if own is not None:
        own.speed = said
    return said


CLASSES = (PADS_OT_test_computer,)
