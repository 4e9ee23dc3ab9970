"""The benchmark's suites by name. A new one: a function from Setup to scores, a Suite in its file's SUITES."""

from __future__ import annotations

from . import (
    detection,
    estimate_suite,
    foot_suite,
    gap_suites,
    inbetween_suites,
    jitter_suites,
    key_suites,
    length_suite,
    noise_suites,
    outlier_suites,
    posed_suite,
    rig_suites,
)
from .bench import Suite

_FILES = (
    noise_suites,
    jitter_suites,
    key_suites,
    outlier_suites,
    rig_suites,
    posed_suite,
    gap_suites,
    inbetween_suites,
    foot_suite,
    detection,
    length_suite,
    estimate_suite,
)
SUITES: dict[str, Suite] = {suite.name: suite for file in _FILES for suite in file.SUITES}
