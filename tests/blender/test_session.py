"""A job under way while the user goes on working: whatever they do, it ends with the result or with one sentence."""

import threading
import time

import bpy
import pytest

from pads_blender import jobs
from pads_blender.blender import addon, evaluated_poses, job_operator, rig_writer
from pads_blender.blender import session as session_module
from pads_blender.blender.job_operator import EventFilter
from pads_blender.blender.operators_clean import clean_task
from pads_blender.blender.session import Session, Task
from pads_blender.blender.snapshot import snapshot_in_parts, take_snapshot
from pads_blender.errors import CancelledError, PadsError, TakeError
from pads_blender.tasks.clean import CleanSettings

pytestmark = pytest.mark.usefixtures("registered")


@pytest.fixture
def begin(armature):
    """A session that cleans the armature's first frames, as pressing the button begins it."""
    sessions = []

    def start() -> Session:
        chosen = [bpy.context.object]
        task = clean_task("Cleaning", [take_snapshot(each) for each in chosen], [CleanSettings(steps=1)])
        sessions.append(Session(task))
        return sessions[-1]

    yield start
    jobs.stop()


def finish(session: Session, seconds: float = 60.0) -> str:
    """What is said at the end."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        said = session.step()
        if said is not None:
            return said
        time.sleep(0.01)
    raise AssertionError("the job does not end")


def wait_for_worker(session: Session) -> None:
    """Until the work is done, but not applied."""
    session.job.join()


def worker_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("PADS")]


def test_result_is_that_of_the_synchronous_button(armature, begin):
    said = finish(begin())
    assert "bones cleaned in walk.pads" in said and "put right; walk is kept" in said
    assert armature.animation_data.action.name == "walk.pads"
    keys = [[key.co[1] for key in fcurve.keyframe_points] for fcurve in curves_of("walk.pads")]
    bpy.ops.pads.discard()
    bpy.context.scene.pads.quality = "FAST"
    assert bpy.ops.pads.clean() == {"FINISHED"}
    assert keys == [[key.co[1] for key in fcurve.keyframe_points] for fcurve in curves_of("walk.pads")]


def test_what_writes_no_keys_does_not_say_so():
    session = Session(Task("Looking", lambda on_step: 1, lambda found: f"{found} found"))
    wait_for_worker(session)
    assert session.step() is None and "almost done" in session.status
    assert session.step() == "1 found"


def curves_of(action: str) -> list[bpy.types.FCurve]:
    return list(bpy.data.actions[action].layers[0].strips[0].channelbags[0].fcurves)


def test_cancelled_leaves_nothing_behind(armature, begin):
    session = begin()
    session.job.cancel()
    assert "stopping" in session.status
    with pytest.raises(CancelledError, match="nothing was changed"):
        finish(session)
    assert [action.name for action in bpy.data.actions] == ["walk"]
    assert jobs.running() is None
    assert worker_threads() == []


def test_cancelled_after_the_work_is_done_leaves_nothing_behind_either(armature, begin):
    session = begin()
    wait_for_worker(session)
    session.job.cancel()
    with pytest.raises(CancelledError):
        finish(session)
    assert [action.name for action in bpy.data.actions] == ["walk"]


def test_a_second_press_is_refused(armature, begin):
    session = begin()
    with pytest.raises(RuntimeError, match="Cleaning is not done yet: wait for it, or press Esc"):
        bpy.ops.pads.clean()
    with pytest.raises(PadsError, match="still busy"):
        begin()
    finish(session)
    assert bpy.ops.pads.clean.poll()


def test_undo_and_redo_meanwhile(armature, begin):
    bpy.ops.ed.undo_push(message="imported")
    bpy.context.scene.frame_set(12)
    bpy.ops.ed.undo_push(message="later frame")
    session = begin()
    bpy.ops.ed.undo()
    session.step()
    bpy.ops.ed.redo()
    assert "walk.pads" in finish(session)
    assert bpy.data.objects["walk"].animation_data.action.name == "walk.pads"


def test_undo_of_the_import_meanwhile(begin, armature):
    bpy.ops.ed.undo_push(message="imported")
    bpy.data.objects.remove(armature)
    bpy.ops.ed.undo_push(message="deleted")
    bpy.ops.ed.undo()
    bpy.context.view_layer.objects.active = bpy.data.objects["walk"]
    session = begin()
    bpy.ops.ed.redo()
    with pytest.raises(TakeError, match="walk is no longer in the scene"):
        finish(session)


def test_another_file_opened_meanwhile(begin):
    session = begin()
    bpy.ops.wm.read_homefile(use_empty=True)
    assert jobs.running() is None
    assert worker_threads() == []
    with pytest.raises(CancelledError, match="Stopped: nothing was changed"):
        session.step()
    assert not bpy.data.actions


def test_armature_deleted_meanwhile(armature, begin):
    session = begin()
    bpy.data.objects.remove(armature)
    with pytest.raises(TakeError, match="walk is no longer in the scene"):
        finish(session)
    assert [action.name for action in bpy.data.actions] == ["walk"]


def test_armature_and_action_renamed_meanwhile(armature, begin):
    session = begin()
    armature.name, armature.animation_data.action.name = "hero", "take 1"
    said = finish(session)
    assert "take 1.pads" in said and "; take 1 is kept" in said
    assert bpy.data.objects["hero"].animation_data.action.name == "take 1.pads"


def test_edit_mode_meanwhile_is_waited_for(armature, begin):
    session = begin()
    bpy.ops.object.mode_set(mode="EDIT")
    wait_for_worker(session)
    assert session.step() is None
    assert session.step() is None
    assert "done, waiting for walk to leave Edit Mode" in session.status
    bpy.ops.object.mode_set(mode="OBJECT")
    assert "walk.pads" in finish(session)


def test_edit_mode_through_another_object_is_waited_for_as_well(armature, begin):
    other = armature.copy()
    bpy.context.scene.collection.objects.link(other)
    session = begin()
    bpy.context.view_layer.objects.active = other
    bpy.ops.object.mode_set(mode="EDIT")
    wait_for_worker(session)
    assert session.step() is None
    bpy.ops.object.mode_set(mode="OBJECT")
    assert "walk.pads" in finish(session)


def test_bones_edited_meanwhile(armature, begin):
    session = begin()
    bpy.ops.object.mode_set(mode="EDIT")
    armature.data.edit_bones["LeftForeArm"].tail.z += 1.0
    bpy.ops.object.mode_set(mode="OBJECT")
    with pytest.raises(TakeError, match="walk was edited in the meantime"):
        finish(session)


def test_frames_changed_meanwhile(armature, begin):
    session = begin()
    for frame in range(1, 30):
        bpy.context.scene.frame_set(frame)
        session.step()
    finish(session)
    assert bpy.context.scene.frame_current == 29


def test_rendered_meanwhile(armature, begin, tmp_path):
    scene = bpy.context.scene
    scene.render.engine, scene.cycles.samples, scene.cycles.device = "CYCLES", 1, "CPU"
    scene.render.resolution_x = scene.render.resolution_y = 16
    scene.render.filepath = str(tmp_path / "picture")
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    scene.collection.objects.link(camera)
    scene.camera, scene.frame_end = camera, 3
    session = begin()
    bpy.ops.render.render(animation=True)
    assert "walk.pads" in finish(session)
    assert len(list(tmp_path.glob("picture*"))) == 3


@pytest.mark.parametrize("end", ["its window closes", "another file is opened"])
def test_no_line_stays_in_the_status_bar(begin, monkeypatch, end):
    shown = []
    monkeypatch.setattr(job_operator, "_show", lambda context, text: shown.append(text))
    operator = job_operator.JobOperator()
    operator._session, operator._timer = begin(), None
    operator._session.job.on_stopped = operator._leave
    if end == "its window closes":
        operator.cancel(bpy.context)
    else:
        jobs.stop()
    assert shown[-1] is None
    assert jobs.running() is None


@pytest.fixture
def followed(armature):
    """The armature, whose path an empty carries: it can only be read as Blender evaluates it, frame by frame."""
    carrier = bpy.data.objects.new("Cart", None)
    bpy.context.scene.collection.objects.link(carrier)
    for frame, x in ((1, 0.0), (40, 2.0)):
        carrier.location.x = x
        carrier.keyframe_insert("location", frame=frame)
    armature.parent = carrier
    armature.pose.bones["Spine2"].constraints.new("LIMIT_ROTATION")
    return armature


@pytest.fixture
def small_parts(monkeypatch):
    """One frame at each step."""
    monkeypatch.setattr(session_module, "_FIRST_PART_SECONDS", 0.0)
    monkeypatch.setattr(session_module, "_PART_SECONDS", 0.0)


@pytest.fixture
def begin_in_parts(followed, small_parts):
    """A session that reads one frame at each step."""

    def prepare():
        snapshot = yield from snapshot_in_parts(followed)
        return clean_task("Cleaning", [snapshot], [CleanSettings(steps=1)])

    yield lambda: Session(prepare(), "Clean Mocap")
    jobs.stop()


def test_a_take_that_is_evaluated_is_read_in_parts_and_gives_the_same_result(followed, begin_in_parts):
    bpy.context.scene.frame_set(7)
    session, seen, frames = begin_in_parts(), set(), set()
    for _ in range(60):
        session.step()
        seen.add(session.status)
        frames.add(bpy.context.scene.frame_current)
    assert len([line for line in seen if "reading the take" in line]) > 30
    assert frames == {7}
    with pytest.raises(PadsError, match="still busy"):
        jobs.reserve("Second")
    assert "walk.pads" in finish(session)
    keys = [[key.co[1] for key in fcurve.keyframe_points] for fcurve in curves_of("walk.pads")]
    bpy.ops.pads.discard()
    bpy.context.scene.pads.quality = "FAST"
    bpy.ops.pads.clean()
    again = [[key.co[1] for key in fcurve.keyframe_points] for fcurve in curves_of("walk.pads")]
    assert (
        max(abs(a - b) for one, other in zip(keys, again, strict=True) for a, b in zip(one, other, strict=True)) < 1e-4
    )


def test_cancelled_while_it_is_read(followed, begin_in_parts):
    session = begin_in_parts()
    session.step()
    session.job.cancel()
    with pytest.raises(CancelledError, match="nothing was changed"):
        session.step()
    assert jobs.running() is None and worker_threads() == []


@pytest.mark.parametrize("what", ["deleted", "edited"])
def test_gone_while_it_is_read(followed, begin_in_parts, what):
    session = begin_in_parts()
    session.step()
    if what == "deleted":
        bpy.data.objects.remove(followed)
    else:
        bpy.context.view_layer.objects.active = followed
        bpy.ops.object.mode_set(mode="EDIT")
    with pytest.raises(TakeError, match=r"no longer in the scene|cannot be read while it is edited"):
        finish(session)
    assert jobs.running() is None


@pytest.mark.parametrize("end", ["cancelled", "undone", "deleted"])
def test_what_is_written_in_parts_is_taken_back(followed, begin_in_parts, end):
    bpy.ops.ed.undo_push(message="before")
    bpy.context.scene.frame_set(3)
    bpy.ops.ed.undo_push(message="later frame")
    session = begin_in_parts()
    ends = time.monotonic() + 60.0
    while not session.is_writing:
        assert session.step() is None and time.monotonic() < ends
    assert "walk.pads" in bpy.data.actions
    if end == "cancelled":
        session.job.cancel()
    elif end == "undone":
        bpy.ops.ed.undo()
    else:
        bpy.data.objects.remove(followed)
    with pytest.raises(PadsError):
        finish(session)
    assert "walk.pads" not in bpy.data.actions
    if end != "deleted":
        assert bpy.data.objects["walk"].animation_data.action.name == "walk"


def another_of(armature):
    """A second armature with the same bones and parent, and an action of its own."""
    other = armature.copy()
    other.name, other.animation_data.action = "run", armature.animation_data.action.copy()
    other.animation_data.action.name = "run"
    bpy.context.scene.collection.objects.link(other)
    return other


def test_a_cancel_takes_back_what_other_armatures_have_got_already(followed, small_parts):
    armatures = [followed, another_of(followed)]
    actions = sorted(action.name for action in bpy.data.actions)
    session = Session(clean_task("Cleaning", [take_snapshot(each) for each in armatures], [CleanSettings(steps=1)] * 2))
    ends = time.monotonic() + 60.0
    while "run.pads" not in bpy.data.actions:
        assert session.step() is None and time.monotonic() < ends
    assert followed.animation_data.action.name == "walk.pads"
    session.job.cancel()
    with pytest.raises(CancelledError, match="nothing was changed"):
        finish(session)
    assert sorted(action.name for action in bpy.data.actions) == actions
    assert [(each.animation_data.action.name, each.pads.result) for each in armatures] == [("walk", ""), ("run", "")]


def test_a_cancel_takes_back_a_result_whose_poses_are_being_kept(followed, begin_in_parts, monkeypatch):
    monkeypatch.setattr(evaluated_poses, "_ROWS", 5)
    session, parts_after_it = begin_in_parts(), 0
    ends = time.monotonic() + 60.0
    while parts_after_it < 2:
        assert session.step() is None and time.monotonic() < ends
        parts_after_it += rig_writer.ORIGINAL in followed.animation_data.action
    session.job.cancel()
    with pytest.raises(CancelledError, match="nothing was changed"):
        finish(session)
    assert followed.animation_data.action.name == "walk" and "walk.pads" not in bpy.data.actions


def test_unregistered_meanwhile(begin):
    begin()
    addon.unregister()
    try:
        assert worker_threads() == []
        assert jobs.running() is None
    finally:
        addon.register()


def test_a_bug_in_the_work_is_not_hidden(armature):
    task = clean_task("Cleaning", [take_snapshot(armature)], [None])
    with pytest.raises(AttributeError):
        finish(Session(task))
    assert jobs.running() is None


def test_while_a_result_is_written_what_was_pressed_before_may_be_let_go():
    events = EventFilter()
    assert events.lets_pass("G", "PRESS", is_repeat=False, is_writing=False)
    assert not events.lets_pass("G", "PRESS", is_repeat=True, is_writing=True)
    assert events.lets_pass("G", "RELEASE", is_repeat=False, is_writing=True)
    assert events.lets_pass("MOUSEMOVE", "NOTHING", is_repeat=False, is_writing=True)


@pytest.mark.parametrize("value", ["PRESS", "DOUBLE_CLICK"])
@pytest.mark.parametrize("is_still_writing", [True, False])
def test_what_was_pressed_while_a_result_is_written_is_not_let_go_either(value, is_still_writing):
    """There are keys that act when they are let go."""
    events = EventFilter()
    assert not events.lets_pass("LEFTMOUSE", value, is_repeat=False, is_writing=True)
    assert not events.lets_pass("LEFTMOUSE", "RELEASE", is_repeat=False, is_writing=is_still_writing)
    assert not events.lets_pass("LEFTMOUSE", "CLICK", is_repeat=False, is_writing=True)
    assert events.lets_pass("LEFTMOUSE", "RELEASE", is_repeat=False, is_writing=is_still_writing)


def test_a_key_is_kept_back_until_it_is_let_go_even_after_the_result_is_there():
    events = EventFilter({"F8", "A"})
    assert not events.lets_pass("F8", "PRESS", is_repeat=True, is_writing=False)
    assert events.lets_pass("B", "PRESS", is_repeat=False, is_writing=False)
    assert not events.lets_pass("F8", "RELEASE", is_repeat=False, is_writing=False)
    assert events.kept_back == {"A"}
    assert events.lets_pass("A", "PRESS", is_repeat=False, is_writing=False)  # let go where nobody heard it
    assert events.lets_pass("A", "RELEASE", is_repeat=False, is_writing=False) and not events.kept_back
