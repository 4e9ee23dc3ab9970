"""The demo's picture: poses along time, before and after, and the height of a wrist. Matplotlib; knows arrays only."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.patches import Circle
from PIL import Image

TRUTH, DIRTY, BLENDER, PADS = "#bac0c9", "#d1495b", "#e09f2c", "#0a7e8c"
_INK, _MARK = "#30363d", "#f6e9eb"
_LINES = {TRUTH: (5.0, 1.0), DIRTY: (0.9, 0.9), BLENDER: (1.2, 1.0), PADS: (1.8, 1.0)}  # width in points, opacity
_SIZE_INCHES, _DPI, _COLOURS = (11.2, 6.4), 140, 96
_POSES, _POSE_WIDTH, _ROW_HEIGHT = 16, 0.68, 2.0  # in a row; metres from one to the next; metres
_ONION_FRAMES = 3  # drawn faintly on either side of a pose: where they do not follow one another, the take shakes


@dataclass(frozen=True)
class Shown:
    """One version of a take: joint positions (F, J, 3) in metres, Z up, facing -Y at first; its name and colour."""

    positions: np.ndarray
    label: str
    colour: str


@dataclass(frozen=True)
class Close:
    """A stretch of the take that is looked at closely."""

    start_seconds: float
    end_seconds: float
    title: str


@dataclass(frozen=True)
class Scene:
    """What all versions have in common; joint: whose height is plotted; head: the joints at its base and its top."""

    parents: Sequence[int]
    fps: float
    joint: int
    joint_label: str
    head: tuple[int, int]
    close: Close


def draw(path: Path, scene: Scene, rows: Sequence[Shown], curves: Sequence[Shown], truth: Shown | None = None) -> None:
    """A row of poses for each of `rows`, the truth behind them where it is known, and the curves, whole and close."""
    figure = plt.figure(figsize=_SIZE_INCHES, dpi=_DPI, facecolor="white")
    grid = figure.add_gridspec(len(rows) + 1, 2, height_ratios=[*[1.0] * len(rows), 0.95], width_ratios=(2.1, 1.0))
    for number, shown in enumerate(rows):
        _draw_poses(figure.add_subplot(grid[number, :]), scene, shown, truth, rows[0])
    lines = [*filter(None, [truth]), *curves]
    whole, close = (figure.add_subplot(grid[len(rows), column]) for column in (0, 1))
    last = max(len(rows[0].positions) - 1, 1) / scene.fps
    around = max(scene.close.start_seconds - 0.5, 0.0), min(scene.close.end_seconds + 0.5, last)
    _draw_curves(whole, scene, lines, (0.0, last))
    _draw_curves(close, scene, lines, around)
    whole.set_ylabel(f"height of the {scene.joint_label} (m)", color=_INK, fontsize=9)
    whole.legend(loc="upper right", frameon=False, fontsize=9, labelcolor=_INK)
    close.set_title(scene.close.title, fontsize=9.5, color=_INK, pad=3)
    figure.subplots_adjust(left=0.05, right=0.99, top=1.0, bottom=0.075, hspace=0.06, wspace=0.1)
    _save(figure, path)


def _save(figure: plt.Figure, path: Path) -> None:
    """Write the PNG in a palette of few colours: a third of the size."""
    buffer = BytesIO()
    figure.savefig(buffer)
    plt.close(figure)
    Image.open(buffer).convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


def _draw_poses(axes: Axes, scene: Scene, shown: Shown, truth: Shown | None, first: Shown) -> None:
    """One row of poses over time, each with its neighbours, where the first version or the truth has its hips."""
    last = len(shown.positions) - 1
    reach = min(_ONION_FRAMES, last // 2)
    centre = (truth or first).positions[:, 0] * (1.0, 1.0, 0.0)
    for place, frame in enumerate(np.linspace(reach, last - reach, _POSES).round().astype(int)):
        shift = np.array([place * _POSE_WIDTH, 0.0])
        if truth:
            _draw_body(axes, scene, _project(truth.positions[frame] - centre[frame]) + shift, truth.colour, 4.4, 0.8)
        for near in range(frame - reach, frame + reach + 1):
            width, opacity = (1.7, 1.0) if near == frame else (0.8, 0.3)
            pose = _project(shown.positions[near] - centre[near]) + shift
            _draw_body(axes, scene, pose, shown.colour, width, opacity)
    axes.set_axis_off()
    axes.set_xlim(-0.6, (_POSES - 1) * _POSE_WIDTH + 0.6)
    axes.set_ylim(-0.12, _ROW_HEIGHT)
    axes.set_aspect("equal", anchor="S")
    name = axes.text(0.005, 0.98, shown.label, transform=axes.transAxes, color=shown.colour, fontsize=12, va="top")
    name.set_weight("bold")


def _draw_body(axes: Axes, scene: Scene, pose: np.ndarray, colour: str, width: float, opacity: float) -> None:
    """Sticks and a head at picture positions (J, 2)."""
    top = scene.head[1]
    lines = [(pose[p], pose[j]) for j, p in enumerate(scene.parents) if p >= 0 and j != top]
    axes.add_collection(LineCollection(lines, colors=colour, linewidths=width, alpha=opacity, capstyle="round"))
    base, crown = pose[scene.head[0]], pose[top]
    radius = max(0.46 * float(np.linalg.norm(crown - base)), 0.05)
    axes.add_patch(Circle(0.5 * (base + crown), radius, fill=False, ec=colour, lw=width, alpha=opacity))


def _project(positions: np.ndarray) -> np.ndarray:
    """Picture coordinates (J, 2) of positions (J, 3): from the body's right, a little from the front and from above."""
    across, towards = np.array([-0.42, -0.9, 0.0]), np.array([-0.9, 0.42, 0.0])
    return np.stack([positions @ across, positions[:, 2] - 0.08 * positions @ towards], axis=-1)


def _draw_curves(axes: Axes, scene: Scene, versions: Sequence[Shown], span: tuple[float, float]) -> None:
    """Height of one joint in every version, between two times in seconds."""
    axes.axvspan(scene.close.start_seconds, scene.close.end_seconds, color=_MARK, lw=0)
    frames = len(versions[0].positions)
    rows = np.arange(round(span[0] * scene.fps), min(round(span[1] * scene.fps) + 1, frames))
    for shown in versions:
        width, opacity = _LINES[shown.colour]
        height = shown.positions[rows, scene.joint, 2]
        axes.plot(rows / scene.fps, height, color=shown.colour, lw=width, alpha=opacity, label=shown.label)
    axes.set_xlim(*span)
    axes.set_xlabel("seconds", color=_INK, fontsize=9, labelpad=1)
    axes.tick_params(colors=_INK, labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
