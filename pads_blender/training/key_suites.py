"""Suites of tasks/in_between.py: whole poses between keys by the measures of LaFAN1, with more or less around them."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import numpy as np

from ..core.rig import RigTake
from ..tasks.in_between import InBetweenSettings, in_between_take
from . import data
from .bench import Setup, Suite
from .gap_suites import MARGIN, pieces
from .inbetween_suites import (
    HELD,
    LENGTHS,
    PIECES,
    PUBLISHED,
    SLERP,
    Answer,
    answer_of,
    held_take,
    l2p_of,
    l2q_of,
    npss_of,
    slerp_take,
    turn_to_front,
    turned_answer,
)
from .scores import OURS, Score


@dataclass(frozen=True)
class Context:
    """What is known around the gap: so many frames before and after it."""

    name: str
    past: int
    future: int


CAPTURED = Context("between_captured", MARGIN, MARGIN)
LAFAN = Context("between_lafan", 10, 1)
KEYS = Context("between_keys", 1, 1)
# Shares of slerp's L2Q and NPSS, for 15 and 30 frames.
_SHARES = {15: 0.75, 30: 0.65}
GOALS = {f"{n} frames, {measure}": share for n, share in _SHARES.items() for measure in ("L2Q", "NPSS")}


def between(setup: Setup, context: Context) -> list[Score]:
    """Every length and measure."""
    scores = []
    for frames in LENGTHS:
        every = _every(setup, context, frames)
        scores += [Score(f"{frames} frames, L2P", c.name, seed, l2p_of(setup, *a), {}) for c, seed, a in every]
        scores += [Score(f"{frames} frames, L2Q", c.name, seed, l2q_of(*a), {}) for c, seed, a in every]
        scores += [Score(f"{frames} frames, NPSS", "all", 0, npss_of([a for *_, a in every]), {})]
    return scores


def _every(
    setup: Setup, context: Context, frames: int
) -> list[tuple[data.RigClip, int, tuple[Answer, dict[str, Answer]]]]:
    """Pieces, seeds and what every method makes of them."""
    found = pieces(setup, frames, PIECES)
    return [(c, seed, key_answers(setup, c, context, frames, seed)) for seed in range(setup.seeds) for c in found]


def key_answers(
    setup: Setup, clip: data.RigClip, context: Context, frames: int, seed: int
) -> tuple[Answer, dict[str, Answer]]:
    """The truth and what every method makes of it, turned to face the same way in the last frame before the gap."""
    known = slice(MARGIN - context.past, MARGIN + frames + context.future)
    piece, rows = replace(clip, take=clip.take.rows(known)), slice(context.past, context.past + frames)
    is_key = np.ones(len(piece.take.frames), bool)
    is_key[rows] = False
    settings = InBetweenSettings(seed)
    bridged = slerp_take(piece.take, rows)  # what ours is given, too: bones without a joint keep what they are given
    takes: dict[str, RigTake] = {
        OURS: in_between_take(bridged, piece.mapping, is_key, settings, setup.loaded_prior),
        SLERP: bridged,
        HELD: held_take(piece.take, rows),
    }
    before = slice(rows.start - 1, rows.start)
    turn = turn_to_front(answer_of(piece, piece.take, before).positions[0])
    truth = turned_answer(answer_of(piece, piece.take, rows), turn)
    return truth, {name: turned_answer(answer_of(piece, take, rows), turn) for name, take in takes.items()}


def _suite(context: Context, about: str) -> Suite:
    return Suite(
        context.name,
        f"{about} {PIECES} pieces evenly spread over the clips, the same ones in every suite, through in_between_take. "
        "L2P: the model's joints, standardised by the training windows' spread; L2Q and NPSS: world quaternions of the "
        "rig's mapped bones; NPSS over all pieces together. goal: share of slerp.",
        "without unit",
        SLERP,
        functools.partial(between, context=context),
        GOALS,
    )


SUITES = (
    _suite(CAPTURED, f"Whole poses made anew between {MARGIN} captured frames on either side."),
    _suite(LAFAN, f"As for LaFAN1: after {LAFAN.past} captured frames, before {LAFAN.future}.\n\n{PUBLISHED}\n\nHere:"),
    _suite(KEYS, "Between two key poses, with nothing else known: what an animator's own keys are."),
)
