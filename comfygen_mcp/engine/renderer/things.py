"""Silhouettes of people, plants, buildings and machines."""

from comfygen_mcp.engine.renderer.colour import NAMED, mix, scale
from comfygen_mcp.engine.renderer.sketch import Sketch, Tones, mirrored

GLASS = (0.62, 0.82, 0.92)
LIT = (1.0, 0.83, 0.45)


def person(s: Sketch, t: Tones) -> None:
    """Draw somebody in a long coat, seen from behind, looking into the picture."""
    for x in (44, 54):
        s.box(x - 3, 78, 7, 21, t.dark, round_by=2)
    s.blob(
        [(50, 28), (61, 31), (66, 46), (69, 70), (72, 86), (50, 90), (28, 86), (31, 70), (34, 46), (39, 31)],
        t.body,
    )
    s.blob([(50, 30), (60, 33), (62, 60), (66, 84), (54, 88), (52, 60)], t.shade)
    s.blob([(39, 30), (50, 26), (61, 30), (60, 37), (50, 39), (40, 37)], t.accent)
    s.blob([(57, 34), (66, 40), (72, 52), (66, 54), (59, 42)], t.accent)
    s.oval(50, 19, 8.4, 10, t.dark)
    s.oval(50, 17, 8.8, 8.6, mix(t.dark, (0.4, 0.24, 0.15), 0.6))


def astronaut(s: Sketch, t: Tones) -> None:
    s.box(27, 40, 46, 38, t.shade, round_by=8)
    for x in (39, 61):
        s.box(x - 8, 68, 16, 31, t.body, round_by=6)
        s.box(x - 9, 91, 18, 8, t.shade, round_by=4)
    arm = [(34, 44), (20, 52), (14, 68), (22, 74), (30, 64), (38, 58)]
    s.blob(arm, t.body)
    s.blob(mirrored(arm), t.body)
    s.box(32, 40, 36, 36, t.body, round_by=9)
    s.box(41, 54, 18, 11, t.accent, round_by=2)
    s.oval(50, 24, 21, 21, t.body)
    s.oval(50, 25, 15.5, 14, t.dark)
    s.oval(50, 25, 14, 12.5, (0.2, 0.32, 0.5))
    s.blob([(40, 22), (45, 15), (54, 14), (46, 19), (42, 26)], GLASS)


def robot(s: Sketch, t: Tones) -> None:
    s.line([(50, 16), (50, 5)], t.shade, 2)
    s.oval(50, 5, 3.4, 3.4, t.accent)
    for x in (39, 61):
        s.box(x - 5, 78, 10, 18, t.shade, round_by=2)
        s.box(x - 8, 93, 16, 6, t.dark, round_by=3)
    for x in (20, 80):
        s.box(x - 5, 48, 10, 28, t.shade, round_by=5)
        s.oval(x, 79, 6, 6, t.dark)
    s.box(27, 44, 46, 38, t.body, round_by=6)
    s.box(36, 52, 28, 18, t.shade, round_by=3)
    for index, colour in enumerate((NAMED["red"], NAMED["amber"], NAMED["green"])):
        s.oval(42 + index * 8, 61, 2.6, 2.6, colour)
    s.box(28, 15, 44, 27, t.body, round_by=8)
    s.box(33, 21, 34, 14, t.dark, round_by=6)
    for x in (42, 58):
        s.oval(x, 28, 4, 4, t.accent)
        s.oval(x + 1, 27, 1.4, 1.4, (1, 1, 1))


def tree(s: Sketch, t: Tones) -> None:
    trunk = mix((0.34, 0.22, 0.14), t.dark, 0.25)
    s.blob([(45, 60), (46, 84), (38, 99), (62, 99), (54, 84), (55, 60)], trunk)
    s.line([(50, 70), (35, 54)], trunk, 3)
    s.line([(51, 66), (66, 52)], trunk, 3)
    leaves = ((50, 26, 25), (30, 42, 20), (70, 42, 20), (38, 26, 18), (64, 24, 17), (50, 48, 21))
    for x, y, radius in leaves:
        s.oval(x, y + 3, radius, radius * 0.9, t.shade)
    for x, y, radius in leaves:
        s.oval(x - 2, y - 1, radius * 0.88, radius * 0.78, t.body)
    for x, y, radius in ((42, 18, 10), (28, 36, 8), (60, 16, 8), (52, 38, 8)):
        s.oval(x, y, radius, radius * 0.75, mix(t.body, t.light, 0.35))


def house(s: Sketch, t: Tones) -> None:
    s.box(64, 14, 9, 26, t.shade)
    s.oval(70, 9, 4, 3, (0.88, 0.88, 0.9))
    s.oval(75, 3, 5, 3.4, (0.88, 0.88, 0.9))
    s.box(18, 48, 64, 51, t.body)
    s.box(66, 48, 16, 51, t.shade)
    s.polygon([(10, 51), (50, 14), (90, 51)], t.accent)
    s.polygon([(50, 14), (90, 51), (80, 51), (46, 18)], scale(t.accent, 0.8))
    s.box(43, 68, 15, 31, mix(t.dark, (0.4, 0.24, 0.14), 0.6), round_by=2)
    for x in (25, 65):
        s.box(x - 1.5, 60.5, 14, 16, t.light)
        s.box(x, 62, 11, 13, LIT)
        s.line([(x + 5.5, 62), (x + 5.5, 75)], t.light, 1)
        s.line([(x, 68), (x + 11, 68)], t.light, 1)
    s.oval(50, 40, 6, 6, LIT)


def castle(s: Sketch, t: Tones) -> None:
    for x, top, wide in ((12, 44, 14), (74, 44, 14), (40, 20, 20)):
        s.box(x, top, wide, 99 - top, t.body if wide < 20 else mix(t.body, t.shade, 0.4))
        s.box(x + wide * 0.66, top, wide * 0.34, 99 - top, t.shade)
        s.polygon([(x - 3, top), (x + wide / 2, top - wide * 1.25), (x + wide + 3, top)], t.accent)
        s.line([(x + wide / 2, top - wide * 1.25), (x + wide / 2, top - wide * 1.25 - 8)], t.dark, 0.8)
        tip = top - wide * 1.25 - 8
        s.polygon([(x + wide / 2, tip), (x + wide / 2 + 8, tip + 2.4), (x + wide / 2, tip + 5)], t.accent)
        s.box(x + wide / 2 - 2, top + 9, 4, 9, LIT, round_by=2)
    s.box(22, 64, 56, 35, t.body)
    for x in range(22, 78, 8):
        s.box(x, 59, 5, 6, t.body)
    s.box(42, 76, 16, 24, t.dark, round_by=7)
    for x in (30, 66):
        s.box(x, 72, 4, 9, LIT, round_by=2)


def lighthouse(s: Sketch, t: Tones) -> None:
    s.blob([(14, 99), (26, 90), (50, 86), (74, 90), (88, 99)], (0.3, 0.3, 0.33))
    s.polygon([(39, 90), (43, 30), (57, 30), (61, 90)], t.light)
    for low, high in ((90, 76), (62, 50), (40, 32)):
        left, right = 43 - (low - 30) / 15, 57 + (low - 30) / 15
        s.polygon(
            [(left, low), (left + (low - high) / 15, high), (right - (low - high) / 15, high), (right, low)],
            t.body,
        )
    s.polygon([(53, 30), (57, 30), (61, 90), (55, 90)], mix(t.shade, t.light, 0.35))
    s.box(39, 27, 22, 4, t.dark)
    s.box(44, 16, 12, 11, LIT)
    s.polygon([(42, 16), (50, 7), (58, 16)], t.body)
    s.box(47, 80, 6, 10, t.dark, round_by=2)


def ship(s: Sketch, t: Tones) -> None:
    s.line([(50, 6), (50, 78)], mix(t.dark, (0.4, 0.25, 0.15), 0.6), 1.8)
    s.blob([(47, 10), (47, 40), (46, 70), (18, 68), (30, 42)], t.light)
    s.blob([(53, 16), (53, 44), (54, 70), (84, 68), (70, 42)], mix(t.light, t.shade, 0.22))
    s.polygon([(50, 6), (62, 9), (50, 13)], t.accent)
    s.blob([(8, 74), (30, 77), (70, 77), (94, 73), (84, 92), (66, 97), (34, 97), (18, 92)], t.body)
    s.polygon([(9, 74), (93, 74), (91, 78), (11, 78)], t.accent)


def car(s: Sketch, t: Tones) -> None:
    s.blob([(24, 62), (34, 42), (48, 36), (64, 37), (76, 50), (82, 62)], t.body)
    s.polygon([(33, 58), (39, 44), (51, 41), (51, 58)], GLASS)
    s.polygon([(55, 58), (55, 41), (65, 42), (73, 53), (74, 58)], GLASS)
    s.blob([(4, 72), (8, 60), (28, 57), (76, 57), (94, 62), (97, 74), (92, 84), (10, 84)], t.body)
    s.box(5, 72, 91, 7, t.shade, round_by=3)
    s.oval(94, 67, 3.4, 3.4, LIT)
    s.oval(6, 67, 2.6, 3, NAMED["red"])
    for x in (26, 76):
        s.oval(x, 84, 12, 12, t.dark)
        s.oval(x, 84, 6, 6, (0.75, 0.77, 0.8))


def rocket(s: Sketch, t: Tones) -> None:
    s.blob([(42, 76), (50, 74), (58, 76), (55, 90), (50, 99), (45, 90)], NAMED["orange"])
    s.blob([(46, 76), (54, 76), (52, 86), (50, 91), (48, 86)], NAMED["yellow"])
    fin = [(38, 56), (22, 72), (24, 84), (40, 74)]
    s.blob(fin, t.accent)
    s.blob(mirrored(fin), scale(t.accent, 0.8))
    s.blob([(50, 2), (62, 22), (65, 48), (60, 76), (40, 76), (35, 48), (38, 22)], t.body)
    s.blob([(52, 4), (62, 22), (65, 48), (60, 76), (54, 76), (57, 48), (56, 22)], t.shade)
    s.blob([(50, 2), (58, 14), (50, 18), (42, 14)], t.accent)
    s.oval(50, 34, 9, 9, t.dark)
    s.oval(50, 34, 7, 7, GLASS)
    s.box(46, 62, 8, 20, t.accent, round_by=4)


def balloon(s: Sketch, t: Tones) -> None:
    shape = [
        (50, 2),
        (72, 8),
        (84, 28),
        (80, 48),
        (64, 66),
        (56, 74),
        (44, 74),
        (36, 66),
        (20, 48),
        (16, 28),
        (28, 8),
    ]
    s.blob(shape, t.body)
    for share, tone in ((0.72, t.light), (0.46, t.accent), (0.18, t.light)):
        s.blob([(50 + (x - 50) * share, y) for x, y in shape], tone)
    for x in (44, 56):
        s.line([(x, 73), (46 + (x - 44) * 0.66, 87)], t.dark, 0.8)
    s.box(43.5, 86, 13, 11, mix(t.dark, (0.6, 0.4, 0.2), 0.75), round_by=2)


def cup(s: Sketch, t: Tones) -> None:
    for x, lift in ((40, 0), (52, 6), (62, 1)):
        s.line(
            [(x, 36 - lift), (x - 4, 26 - lift), (x + 3, 16 - lift), (x - 1, 6 - lift)],
            mix(t.light, (1, 1, 1), 0.5),
            1.8,
        )
    s.oval(50, 94, 42, 5.6, t.shade)
    s.oval(78, 62, 15, 14, t.body)
    s.oval(78, 62, 8.5, 8, t.shade)
    s.blob([(22, 44), (24, 72), (34, 90), (50, 93), (66, 90), (76, 72), (78, 44)], t.body)
    s.oval(50, 44, 28, 6, t.light)
    s.oval(50, 45, 24, 4.4, (0.26, 0.15, 0.09))


def cactus(s: Sketch, t: Tones) -> None:
    s.box(22, 40, 11, 30, t.body, round_by=5.5)
    s.box(22, 60, 26, 11, t.body, round_by=5.5)
    s.box(68, 30, 11, 34, t.body, round_by=5.5)
    s.box(54, 54, 25, 11, t.body, round_by=5.5)
    s.box(41, 8, 18, 92, t.body, round_by=9)
    for x in (46, 50, 54):
        s.line([(x, 14), (x, 97)], t.shade, 0.9)
    s.oval(50, 8, 5, 4, t.accent)


def pyramid(s: Sketch, t: Tones) -> None:
    s.polygon([(2, 99), (46, 30), (98, 99)], t.body)
    s.polygon([(46, 30), (98, 99), (62, 99)], t.shade)
    for y in range(42, 99, 8):
        share = (y - 30) / 69
        s.line([(46 - 44 * share, y), (46 + 16 * share, y)], mix(t.body, t.shade, 0.5), 0.7)


def ball(s: Sketch, t: Tones) -> None:
    """Draw a ball, lit from above on one side."""
    for step in range(32):
        share = step / 31
        tone = mix(mix(t.shade, t.dark, 0.3), t.body, min(1.0, 2 * share))
        tone = mix(tone, t.light, max(0.0, share - 0.5))
        s.oval(50 - 13 * share, 50 - 17 * share, 49 - 38 * share, 49 - 38 * share, tone)
    s.oval(35, 30, 5, 4, mix(t.light, (1, 1, 1), 0.6))
