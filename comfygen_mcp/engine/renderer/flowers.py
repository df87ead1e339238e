"""Draws flowers, one to seven, from the ground or in a vase."""

import math
from collections.abc import Callable
from typing import TypeAlias

from comfygen_mcp.engine.renderer.bouquet import Bouquet
from comfygen_mcp.engine.renderer.colour import NAMED, mix, scale
from comfygen_mcp.engine.renderer.sketch import Point, Sketch, Tones

Head: TypeAlias = Callable[[Sketch, Tones, Point, float], None]
NECK = 57.0
"""Where the vase ends and its flowers begin."""


def draw_flowers(s: Sketch, t: Tones, bouquet: Bouquet) -> None:
    """Draw flowers that grow out of the ground."""
    if bouquet.count == 1:
        _draw_bunch(s, t, bouquet, [((50, 31), (50, 99))], 23)
        return
    tops = _fan(bouquet.count, foot=99, reach=70, spread=0.5)
    feet = [(50 + 0.35 * (x - 50), 99.0) for x, _ in tops]
    _draw_bunch(s, t, bouquet, list(zip(tops, feet, strict=True)), 17 if bouquet.count < 4 else 13)


def draw_vase(s: Sketch, t: Tones, bouquet: Bouquet | None, petals: Tones | None) -> None:
    """Draw a vase, with its flowers if there are any."""
    s.oval(50, NECK, 9.4, 2.5, mix(t.body, t.light, 0.5))
    s.oval(50, NECK, 8.4, 1.9, t.dark)
    if bouquet and petals:
        tops = _fan(bouquet.count, foot=NECK, reach=37, spread=0.72)
        feet = [(50 + 0.16 * (x - 50), NECK + 3.5) for x, _ in tops]
        _draw_bunch(s, petals, bouquet, list(zip(tops, feet, strict=True)), 12.5 if bouquet.count < 4 else 10)
    lip = [(50 + 8.8 * math.cos(turn), NECK + 2.2 * math.sin(turn)) for turn in (0.0, 0.6, 1.2, math.pi / 2)]
    right = [*reversed(lip), (59, NECK), (57, 65), (67, 78), (64, 92), (58, 99)]
    s.blob([*right, *((100 - x, y) for x, y in reversed(right))], t.body)
    s.blob([(57, 62), (56, 66), (64, 78), (61, 92), (57, 98.5), (64, 92), (66.5, 78), (57.5, 66)], t.shade)
    s.blob([(38, 79), (42, 71), (43, 73), (40, 80), (41, 88), (39, 86)], mix(t.body, (1, 1, 1), 0.45))


def _fan(count: int, *, foot: float, reach: float, spread: float) -> list[Point]:
    """Return the places of the heads, every other one a little lower."""
    if count == 1:
        return [(51, foot - reach)]
    tops: list[Point] = []
    for index in range(count):
        angle = spread * (2 * index / (count - 1) - 1) * min(1.0, 0.5 + 0.1 * count)
        length = reach * (1.0 if index % 2 == count // 2 % 2 else 0.74)
        tops.append((50 + 1.25 * length * math.sin(angle), foot - length * math.cos(angle)))
    return tops


def _draw_bunch(
    s: Sketch, t: Tones, bouquet: Bouquet, stems: list[tuple[Point, Point]], radius: float
) -> None:
    green = mix(NAMED["green"], t.dark, 0.25)
    for (x, y), (foot_x, foot_y) in stems:
        middle = (0.35 * x + 0.65 * foot_x, (y + foot_y) / 2)
        s.line([(foot_x, foot_y), middle, (x, y)], green, 2.4 if len(stems) > 1 else 3)
    for index, ((x, y), (foot_x, foot_y)) in enumerate(stems):
        _draw_leaf(s, scale(green, 0.84 + 0.16 * (index % 2)), (foot_x, foot_y), (x, y), radius)
    for top, _ in sorted(stems, key=lambda stem: stem[0][1]):
        HEADS[bouquet.kind](s, t, top, radius)


def _draw_leaf(s: Sketch, green: tuple[float, float, float], foot: Point, top: Point, radius: float) -> None:
    """Draw one leaf, from low on the stem outwards."""
    side = -1.0 if top[0] <= 50 else 1.0
    x, y = foot[0] + 0.12 * (top[0] - foot[0]), foot[1] + 0.12 * (top[1] - foot[1])
    long = 0.42 * (foot[1] - top[1])
    s.blob(
        [(x, y), (x + side * 0.35 * radius, y - 0.55 * long), (x + side * radius, y - long),
         (x + side * 0.85 * radius, y - 0.4 * long)],
        green,
    )  # fmt: skip


def _tulip(s: Sketch, t: Tones, at: Point, r: float) -> None:
    def petal(points: list[Point], tone: tuple[float, float, float]) -> None:
        s.blob([(at[0] + r * x, at[1] + r * y) for x, y in points], tone)

    petal([(-0.45, -0.2), (0, -1.0), (0.45, -0.2), (0, 0.5)], t.shade)
    petal([(-0.72, -0.9), (-0.78, 0.2), (-0.3, 0.9), (0.15, 0.7), (-0.2, -0.15)], t.body)
    petal([(0.72, -0.9), (0.78, 0.2), (0.3, 0.9), (-0.15, 0.7), (0.2, -0.15)], mix(t.body, t.shade, 0.45))
    petal([(-0.45, 0.25), (0, -0.62), (0.45, 0.25), (0.25, 0.92), (-0.25, 0.92)], mix(t.body, t.light, 0.28))


def _rose(s: Sketch, t: Tones, at: Point, r: float) -> None:
    x, y = at
    for index in range(6):
        angle = index * math.pi / 3
        s.oval(x + 0.42 * r * math.cos(angle), y + 0.4 * r * math.sin(angle), 0.5 * r, 0.48 * r, t.shade)
    for ring in range(5):
        share = 1 - 0.19 * ring
        tone = mix(t.body, t.shade if ring % 2 else t.light, 0.16 + 0.08 * ring)
        turn = 2.1 * ring
        s.oval(
            x + 0.1 * r * math.cos(turn),
            y + 0.1 * r * math.sin(turn),
            0.76 * r * share,
            0.72 * r * share,
            tone,
        )


def _daisy(s: Sketch, t: Tones, at: Point, r: float) -> None:
    _petals(s, t, at, r, 8)
    s.oval(at[0], at[1], 0.42 * r, 0.42 * r, t.accent)
    s.oval(at[0] - 0.04 * r, at[1] - 0.04 * r, 0.3 * r, 0.3 * r, mix(t.accent, (0.5, 0.28, 0.05), 0.4))


def _sunflower(s: Sketch, t: Tones, at: Point, r: float) -> None:
    _petals(s, t, at, r, 14)
    s.oval(at[0], at[1], 0.58 * r, 0.58 * r, (0.3, 0.18, 0.08))
    s.oval(at[0], at[1], 0.38 * r, 0.38 * r, (0.42, 0.26, 0.1))


def _petals(s: Sketch, t: Tones, at: Point, r: float, count: int) -> None:
    wide = 3.3 / count * r
    for ring, tone, reach in ((0.0, t.shade, 1.0), (math.pi / count, t.body, 0.88)):
        for petal in range(count):
            angle = ring + petal * 2 * math.pi / count
            away = reach * 0.68 * r
            s.oval(
                at[0] + math.cos(angle) * away,
                at[1] + math.sin(angle) * away,
                wide * reach,
                wide * reach,
                tone,
            )


HEADS: dict[str, Head] = {"tulip": _tulip, "rose": _rose, "daisy": _daisy, "sunflower": _sunflower}
