"""Stick figures of a take before and after Clean: an animation, and a sheet of single frames. Pillow; arrays only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

MARK_MM = 20.0  # joints that moved further are marked
LEFT, RIGHT, MIDDLE, BEFORE, MARK = "#c8323c", "#2862c0", "#3a3f46", "#9aa1ab", "#f09a1a"
_PAPER, _GRID, _INK = "#ffffff", "#dfe3e8", "#30363d"
_SIZE, _SHEET_CELL, _CAPTION = (640, 360), (230, 300), 22  # pixels
_FINE = 2  # drawn so many times larger and shrunk: smooth edges
_SHADES = (0.35, 0.7, 1.0)
_AZIMUTH, _ELEVATION = np.radians(35.0), np.radians(12.0)  # the camera, from the body's front
_MARGIN, _LEAST_WIDTH = 1.12, 1.3  # of the figure's extent; metres that a panel shows at least
_STRIDE = 1.2  # metres: who travels further is followed
_FOLLOW_SECONDS = 1.0  # on either side
_GRID_METRES, _GRID_REACH = 1.0, 4.0
TITLES = ("as captured", "cleaned", "both")


@dataclass(frozen=True)
class Figure:
    """What is drawn: pairs of joints, the side of each pair (-1 right, 0 middle, 1 left), joints that may be marked."""

    sticks: Sequence[tuple[int, int]]
    sides: Sequence[int]
    joints: Sequence[int]


@dataclass(frozen=True)
class Pair:
    """A take before and after, positions (F, N, 3) in metres, Z up, facing -Y at first; first: its first frame."""

    figure: Figure
    before: np.ndarray
    after: np.ndarray
    fps: float
    first: int = 1

    def change(self) -> np.ndarray:
        """Millimetres (F, M) by which the figure's joints moved."""
        return 1000.0 * np.linalg.norm((self.after - self.before)[:, self.figure.joints], axis=-1)


@dataclass(frozen=True)
class Camera:
    """Looks along one direction at centre (F, 2), in picture metres; shows so many metres across and of the floor."""

    centre: np.ndarray
    width: float
    floor: float


def draw_animation(path: Path, pair: Pair, frames_per_second: float = 15.0) -> None:
    """The three figures side by side as an endless GIF at about that rate."""
    step = max(1, round(pair.fps / frames_per_second))
    panel = (_SIZE[0] // len(TITLES), _SIZE[1] - _CAPTION)
    camera = _place_camera(pair, panel)
    pictures = [_draw_frame(pair, camera, row, panel) for row in range(0, len(pair.before), step)]
    shown = [picture.quantize(palette=_palette(), dither=Image.Dither.NONE) for picture in pictures]
    ends = np.round(100.0 * step / pair.fps * np.arange(len(shown) + 1))  # a GIF counts hundredths of a second
    duration = (10 * np.diff(ends).astype(int)).tolist()
    shown[0].save(path, save_all=True, append_images=shown[1:], duration=duration, loop=0)


def draw_sheet(path: Path, pair: Pair, rows: Sequence[int]) -> None:
    """Single frames beside each other, the three figures of each below one another, nearer than in the animation."""
    camera = _place_camera(pair, _SHEET_CELL)
    width, height = len(rows) * _SHEET_CELL[0], len(TITLES) * _SHEET_CELL[1] + 2 * _CAPTION
    sheet = Image.new("RGB", (width, height), _PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((6, 3), " / ".join(TITLES) + f"   {_legend()}", _INK, _font())
    for column, row in enumerate(rows):
        for line, panel in enumerate(_draw_panels(pair, camera, row, _SHEET_CELL)):
            sheet.paste(panel, (column * _SHEET_CELL[0], 2 * _CAPTION + line * _SHEET_CELL[1]))
        change = pair.change()[row]
        text = f"frame {pair.first + row}: up to {change.max():.0f} mm"
        pen.text((column * _SHEET_CELL[0] + 6, _CAPTION + 3), text, _INK, _font())
    sheet.quantize(palette=_palette(), dither=Image.Dither.NONE).save(path, optimize=True)


@cache
def _palette() -> Image.Image:
    """Every colour that is used, in shades between itself and the paper."""
    colours = [ImageColor.getrgb(colour) for colour in (_INK, _GRID, LEFT, RIGHT, MIDDLE, BEFORE, MARK)]
    shades = [np.array(colour) * share + 255.0 * (1.0 - share) for colour in colours for share in _SHADES]
    palette = Image.new("P", (1, 1))
    palette.putpalette([255, 255, 255, *np.concatenate(shades).round().astype(int).tolist()])
    return palette


@cache
def _font() -> ImageFont.FreeTypeFont:
    return ImageFont.load_default(13)


def _legend() -> str:
    return f"left red, right blue; rings: moved more than {MARK_MM:g} mm"


def _draw_frame(pair: Pair, camera: Camera, row: int, panel: tuple[int, int]) -> Image.Image:
    """One picture of the animation: three panels with a line of text above."""
    picture = Image.new("RGB", _SIZE, _PAPER)
    pen = ImageDraw.Draw(picture)
    pen.text((4, 3), f"frame {pair.first + row}", _INK, _font())
    pen.text((_SIZE[0] - 4, 3), _legend(), _INK, _font(), anchor="ra")
    for place, (title, drawn) in enumerate(zip(TITLES, _draw_panels(pair, camera, row, panel), strict=True)):
        picture.paste(drawn, (place * panel[0], _CAPTION))
        pen.text((place * panel[0] + 4, _SIZE[1] - 18), title, _INK, _font())
    return picture


def _draw_panels(pair: Pair, camera: Camera, row: int, size: tuple[int, int]) -> list[Image.Image]:
    """The take as it came, the cleaned one, and both over each other, each (width, height) pixels."""
    before, after = pair.before[row], pair.after[row]
    moved = [joint for joint, far in zip(pair.figure.joints, pair.change()[row] > MARK_MM, strict=True) if far]
    panels = []
    for number in range(len(TITLES)):
        panel = Image.new("RGB", (size[0] * _FINE, size[1] * _FINE), _PAPER)
        canvas = _Canvas(ImageDraw.Draw(panel), camera, row, panel.size)
        canvas.draw_grid()
        if number == 2:
            canvas.draw_body(pair.figure, before, 2, BEFORE)
        canvas.draw_body(pair.figure, before if number == 0 else after, 3)
        canvas.draw_rings(after[moved] if number else before[moved])
        panels.append(panel.resize(size, Image.Resampling.BOX))
    return panels


@dataclass(frozen=True)
class _Canvas:
    """One panel in the making; row: which of the camera's centres."""

    pen: ImageDraw.ImageDraw
    camera: Camera
    row: int
    size: tuple[int, int]

    def _pixels(self, positions: np.ndarray) -> np.ndarray:
        """Places (..., 2) in the panel of positions (..., 3)."""
        offset = (_project(positions) - self.camera.centre[self.row]) * (self.size[0] / self.camera.width)
        return offset * (1.0, -1.0) + 0.5 * np.array(self.size)

    def draw_grid(self) -> None:
        """Lines on the floor, fixed in the world, about what the camera looks at."""
        across = self.camera.centre[self.row] @ np.array([1.0, 0.0])
        middle = np.array([np.cos(_AZIMUTH), np.sin(_AZIMUTH)]) * across
        depth = (self.camera.centre[self.row, 1] - np.cos(_ELEVATION) * (self.camera.floor + 0.9)) / np.sin(_ELEVATION)
        middle = middle + depth * np.array([-np.sin(_AZIMUTH), np.cos(_AZIMUTH)])
        low = np.round(middle / _GRID_METRES) * _GRID_METRES - _GRID_REACH
        ticks = np.arange(0.0, 2.0 * _GRID_REACH + 1e-6, _GRID_METRES)
        for tick in ticks:
            for axis in (0, 1):
                ends = np.full((2, 3), self.camera.floor)
                ends[:, axis] = low[axis] + tick
                ends[:, 1 - axis] = low[1 - axis], low[1 - axis] + ticks[-1]
                self.pen.line(self._pixels(ends).ravel().tolist(), _GRID, _FINE)

    def draw_body(self, figure: Figure, pose: np.ndarray, width: int, colour: str | None = None) -> None:
        """Sticks of a pose (N, 3), left red and right blue unless one colour is given."""
        places = self._pixels(pose)
        for (above, below), side in zip(figure.sticks, figure.sides, strict=True):
            ends = [*places[above], *places[below]]
            self.pen.line(ends, colour or {1: LEFT, 0: MIDDLE, -1: RIGHT}[side], width * _FINE)

    def draw_rings(self, positions: np.ndarray) -> None:
        """A ring about each position (N, 3)."""
        for x, y in self._pixels(positions):
            self.pen.ellipse((x - 5 * _FINE, y - 5 * _FINE, x + 5 * _FINE, y + 5 * _FINE), None, MARK, 2 * _FINE)


def _project(positions: np.ndarray) -> np.ndarray:
    """Picture coordinates (..., 2) in metres of positions (..., 3): from the front, aside and a little above."""
    across = np.array([np.cos(_AZIMUTH), np.sin(_AZIMUTH), 0.0])
    into = np.array([-np.sin(_AZIMUTH), np.cos(_AZIMUTH), 0.0])
    up = np.cos(_ELEVATION) * np.array([0.0, 0.0, 1.0]) + np.sin(_ELEVATION) * into
    return np.stack([positions @ across, positions @ up], axis=-1)


def _place_camera(pair: Pair, size: tuple[int, int]) -> Camera:
    """Still where the person stays about one place, else gliding along; the captured take always in view."""
    joints = sorted({joint for stick in pair.figure.sticks for joint in stick})
    seen = _project(pair.before[:, joints])
    low, high = seen.min(axis=1), seen.max(axis=1)
    centre = np.broadcast_to(0.5 * (low.min(axis=0) + high.max(axis=0)), low.shape)
    if np.ptp(0.5 * (low + high), axis=0).max() > _STRIDE:
        centre = _glide(0.5 * (low + high), max(1, round(_FOLLOW_SECONDS * pair.fps)))
    reach = 2.0 * np.maximum(high - centre, centre - low).max(axis=0)
    width = max(_LEAST_WIDTH, _MARGIN * reach[0], _MARGIN * reach[1] * size[0] / size[1])
    return Camera(centre, width, float(np.percentile(pair.before[:, joints, 2].min(axis=1), 5)))


def _glide(path: np.ndarray, reach: int) -> np.ndarray:
    """Mean of a path (F, 2) over so many frames on either side."""
    padded = np.pad(path, ((reach, reach), (0, 0)), mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=0).mean(axis=-1)
