import sys

import pytest

from pads_blender.training import sampler_study

from ..training import clips


def run(monkeypatch, page, *arguments):
    monkeypatch.setattr(sys, "argv", ["sampler_study", *arguments, "--out", str(page)])
    sampler_study.main()


def test_toy_puts_tables_between_the_marks_and_a_plot_beside(monkeypatch, tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- begin toy -->\nold\n<!-- end toy -->\nafter\n", encoding="utf-8")
    run(monkeypatch, page, "toy", "--poses", "2", "--steps", "2", "5")
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n<!-- begin toy -->\n## Where")
    assert text.endswith("![error against steps](page-toy.png)\n<!-- end toy -->\nafter\n")
    assert text.count("| sampler | 2 steps | 5 steps |") == 4  # three problems and the time
    assert text.count("\n| prox |") == 4
    assert (tmp_path / "page-toy.png").read_bytes().startswith(b"\x89PNG")


def test_a_page_without_marks_is_refused_and_kept(monkeypatch, tmp_path):
    page = tmp_path / "page.md"
    page.write_text("no marks", encoding="utf-8")
    with pytest.raises(SystemExit, match="needs the marks"):
        run(monkeypatch, page, "toy", "--poses", "2", "--steps", "2")
    assert page.read_text(encoding="utf-8") == "no marks"


def test_pose_measures_samplers_that_run_off_too(monkeypatch, tmp_path):
    page = tmp_path / "page.md"
    page.write_text("<!-- begin pose -->\n<!-- end pose -->\n", encoding="utf-8")
    folder = clips.write_folder(tmp_path, (40, 40))
    run(monkeypatch, page, "pose", "--poses", "1", "--steps", "2", "--data", str(folder))
    text = page.read_text(encoding="utf-8")
    assert "1 poses of dev subjects" in text
    assert text.count("\n| prox | ") == text.count("from noise at t = 1000 | ") == 5  # four problems and the time


def test_pose_asks_for_its_data(monkeypatch, tmp_path, capsys):
    with pytest.raises(SystemExit):
        run(monkeypatch, tmp_path / "page.md", "pose")
    assert "pose needs --data" in capsys.readouterr().err
