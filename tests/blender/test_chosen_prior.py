"""A prior of one's own in the preferences and on the command line."""

import json
from pathlib import Path

import pytest

from pads_blender.blender import addon, batch, chosen_prior
from pads_blender.blender.preferences import Preferences
from pads_blender.errors import PriorError

from ..own_priors import write_own_prior


@pytest.fixture
def chosen(tmp_path, monkeypatch):
    """Preferences that name a prior of one's own."""
    path = write_own_prior(tmp_path / "prior")
    monkeypatch.setattr(chosen_prior, "read_preferences", lambda: Preferences(prior=path))
    return path


def test_the_preferences_know_the_shipped_prior_and_an_own_one(chosen, monkeypatch):
    assert chosen_prior.read_prior_folder() == chosen.parent
    assert chosen_prior.prior_line()[0] == "CHECKMARK"
    chosen.write_text(json.dumps(json.loads(chosen.read_text()) | {"kind": "pose"}))
    icon, text = chosen_prior.prior_line()
    assert icon == "ERROR" and str(chosen) in text
    with pytest.raises(PriorError, match="cannot be used"):
        chosen_prior.read_prior_folder()
    monkeypatch.setattr(chosen_prior, "read_preferences", lambda: Preferences(prior=chosen.parent))
    assert chosen_prior.prior_line()[0] == "ERROR"
    write_own_prior(chosen.parent)
    assert chosen_prior.prior_line()[0] == "CHECKMARK"  # what lies in a folder is looked at again
    monkeypatch.setattr(chosen_prior, "read_preferences", lambda: Preferences(prior=Path("/")))
    assert chosen_prior.prior_line()[0] == "ERROR"
    monkeypatch.setattr(chosen_prior, "read_preferences", Preferences)
    assert chosen_prior.read_prior_folder() is None and chosen_prior.prior_line() is None


def test_clean_with_a_prior_file(tmp_path, dirty_text, capfd):
    take = tmp_path / "walk.bvh"
    take.write_bytes(dirty_text().encode())

    def clean(out: str, *more: object) -> bytes:
        words = ["clean", take, "-o", tmp_path / out, "--steps", "1", *more]
        assert batch.main([str(word) for word in words]) == 0
        return (tmp_path / out).read_bytes()

    own = write_own_prior(tmp_path / "prior")
    shipped, same, other = clean("a.bvh"), clean("b.bvh", "--prior-file", own.parent), clean("c.bvh")
    assert shipped == other != same
    wrong = ["clean", str(take), "-o", str(tmp_path / "d.bvh"), "--prior-file", str(tmp_path / "none.json")]
    assert batch.main(wrong) == 1
    assert "is no prior of motion" in capfd.readouterr().err and not Path(tmp_path / "d.bvh").exists()


def test_the_button_refuses_a_prior_that_does_not_fit(chosen, tmp_path, dirty_text):
    import bpy

    from pads_blender.blender.files import import_bvh
    from pads_blender.core.bvh import parse_bvh

    chosen.write_text("{}")
    addon.register()
    try:
        armature = import_bvh(parse_bvh(dirty_text()), tmp_path / "walk.bvh")
        bpy.context.view_layer.objects.active = armature
        armature.select_set(True)
        with pytest.raises(RuntimeError, match="cannot be used"):
            bpy.ops.pads.clean()
    finally:
        addon.unregister()
