"""Reliability of the stated spread: numbers on pairs whose truth is known."""

import numpy as np
import pytest

from pads_blender.training.calibration import Pairs, markdown


def normal_pairs(deviation: float, stated: float) -> Pairs:
    """Errors of a normal distribution per coordinate, and what is stated of them."""
    length = np.linalg.norm(np.random.default_rng(0).normal(0.0, deviation, (20_000, 3)), axis=1)
    return Pairs(np.full(20_000, stated), length / np.sqrt(3.0))


def test_an_honest_spread_covers_what_it_says():
    honest = normal_pairs(5.0, 5.0)
    assert honest.ratio == pytest.approx(1.0, abs=0.02)
    assert honest.coverage == pytest.approx([0.5, 0.8, 0.95], abs=0.01)


def test_who_states_half_covers_too_little():
    bold = normal_pairs(10.0, 5.0)
    assert bold.ratio == pytest.approx(2.0, abs=0.05)
    assert bold.coverage[0] < 0.2


def test_the_tables_hold_every_case_and_bin():
    text = markdown({"calm": normal_pairs(3.0, 3.0), "wild": normal_pairs(50.0, 50.0)})
    assert "| calm | 3.0 | 3.0 | 1.00 |" in text
    assert "| stated, mm | 2 to 4 | 32 to 64 |" in text
