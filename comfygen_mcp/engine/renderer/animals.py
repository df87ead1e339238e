"""Silhouettes of animals."""

from comfygen_mcp.engine.renderer.colour import mix, scale
from comfygen_mcp.engine.renderer.sketch import Sketch, Tones, mirrored


def _sitting_body(s: Sketch, t: Tones) -> None:
    s.blob([(35, 99), (31, 82), (35, 62), (43, 46), (57, 46), (65, 62), (69, 82), (65, 99)], t.body)
    s.blob([(31, 99), (27, 90), (31, 80), (40, 84), (42, 96)], t.shade)
    s.blob([(69, 99), (73, 90), (69, 80), (60, 84), (58, 96)], t.shade)
    s.blob([(43, 52), (44, 66), (50, 78), (56, 66), (57, 52)], t.light)
    for x in (44.5, 55.5):
        s.box(x - 4, 74, 8, 25, t.body, round_by=4)
        s.oval(x, 97, 5, 3, t.light)


def _face(s: Sketch, t: Tones, *, eyes: float = 34, apart: float = 9) -> None:
    for x in (50 - apart, 50 + apart):
        s.oval(x, eyes, 2.1, 2.7, t.dark)
        s.oval(x + 0.7, eyes - 1, 0.7, 0.8, (1, 1, 1))


def fox(s: Sketch, t: Tones) -> None:
    s.blob([(60, 94), (76, 97), (92, 86), (97, 66), (92, 48), (84, 58), (78, 76), (64, 84)], t.body)
    s.blob([(97, 66), (92, 48), (86, 56), (84, 66), (91, 70)], t.light)
    _sitting_body(s, t)
    for ear, inner in (
        ([(28, 30), (25, 4), (45, 20)], [(31, 25), (29, 12), (39, 20)]),
        (mirrored([(28, 30), (25, 4), (45, 20)]), mirrored([(31, 25), (29, 12), (39, 20)])),
    ):
        s.polygon(ear, t.body)
        s.polygon(inner, t.dark)
    s.blob([(24, 34), (34, 20), (50, 17), (66, 20), (76, 34), (63, 45), (50, 56), (37, 45)], t.body)
    cheek = [(24, 35), (38, 35), (47, 44), (50, 56), (37, 46)]
    s.blob(cheek, t.light)
    s.blob(mirrored(cheek), t.light)
    _face(s, t, eyes=33)
    s.oval(50, 53, 3.4, 2.6, t.dark)


def wolf(s: Sketch, t: Tones) -> None:
    fox(s, t)
    s.blob([(44, 18), (50, 14), (56, 18), (53, 34), (50, 44), (47, 34)], t.shade)


def cat(s: Sketch, t: Tones) -> None:
    s.line([(64, 94), (78, 95), (87, 88), (86, 76), (79, 70), (76, 62), (80, 55)], t.body, 6)
    s.oval(80, 55, 3, 3, t.shade)
    _sitting_body(s, t)
    ear = [(29, 28), (28, 7), (45, 19)]
    for points in (ear, mirrored(ear)):
        s.polygon(points, t.body)
    inner = [(32, 22), (31, 12), (40, 19)]
    for points in (inner, mirrored(inner)):
        s.polygon(points, mix(t.light, (0.95, 0.55, 0.55), 0.5))
    s.blob([(28, 34), (33, 21), (50, 16), (67, 21), (72, 34), (65, 46), (50, 51), (35, 46)], t.body)
    s.oval(50, 43, 10, 6.5, t.light)
    for y in (20, 24):
        s.line([(46, y), (54, y)], t.shade, 1.6)
    _face(s, t, eyes=33.5)
    s.polygon([(48, 39), (52, 39), (50, 42)], (0.85, 0.45, 0.47))
    for side in (-1, 1):
        for drop in (-1, 2):
            s.line([(50 + side * 9, 42 + drop * 0.5), (50 + side * 25, 41 + drop * 2)], t.light, 0.6)


def dog(s: Sketch, t: Tones) -> None:
    s.blob([(64, 92), (78, 88), (86, 74), (90, 66), (92, 76), (84, 92), (70, 98)], t.body)
    _sitting_body(s, t)
    s.blob([(28, 34), (33, 20), (50, 15), (67, 20), (72, 34), (64, 46), (50, 53), (36, 46)], t.body)
    ear = [(34, 18), (24, 20), (18, 34), (21, 48), (28, 46), (32, 32)]
    s.blob(ear, t.shade)
    s.blob(mirrored(ear), t.shade)
    s.blob([(45, 16), (55, 16), (55, 32), (61, 45), (50, 53), (39, 45), (45, 32)], t.light)
    _face(s, t, eyes=32)
    s.oval(50, 41, 4.4, 3.2, t.dark)
    s.blob([(47, 49), (53, 49), (53, 56), (50, 58), (47, 56)], (0.88, 0.42, 0.45))
    s.box(41, 54, 18, 3.4, t.accent, round_by=1.7)


def rabbit(s: Sketch, t: Tones) -> None:
    s.oval(70, 90, 7, 7, t.light)
    _sitting_body(s, t)
    ear = [(38, 26), (30, 8), (33, -4), (40, 2), (46, 24)]
    for points in (ear, mirrored(ear)):
        s.blob(points, t.body)
    inner = [(39, 22), (34, 8), (36, 2), (40, 8), (43, 22)]
    for points in (inner, mirrored(inner)):
        s.blob(points, mix(t.light, (0.95, 0.6, 0.62), 0.55))
    s.oval(50, 36, 20, 17, t.body)
    s.oval(50, 43, 10, 7, t.light)
    _face(s, t, eyes=34)
    s.polygon([(48, 39), (52, 39), (50, 42)], (0.85, 0.45, 0.5))


def bear(s: Sketch, t: Tones) -> None:
    s.blob([(22, 99), (20, 76), (28, 54), (42, 44), (58, 44), (72, 54), (80, 76), (78, 99)], t.body)
    s.oval(50, 78, 17, 18, t.light)
    for x in (30, 70):
        s.oval(x, 16, 9, 9, t.body)
        s.oval(x, 17, 5, 5, t.shade)
        s.oval(x + (50 - x) * 0.15, 94, 12, 7, t.shade)
    s.oval(50, 32, 26, 22, t.body)
    s.oval(50, 40, 11, 9, t.light)
    _face(s, t, eyes=30, apart=10)
    s.oval(50, 36, 4, 3, t.dark)


def lion(s: Sketch, t: Tones) -> None:
    s.line([(64, 94), (80, 94), (88, 82), (84, 70)], t.body, 4)
    s.oval(84, 68, 5, 6, t.accent)
    _sitting_body(s, t)
    s.blob(
        [
            (50, 0),
            (68, 4),
            (80, 16),
            (84, 34),
            (78, 50),
            (64, 62),
            (50, 66),
            (36, 62),
            (22, 50),
            (16, 34),
            (20, 16),
            (32, 4),
        ],
        t.accent,
    )
    for x in (31, 69):
        s.oval(x, 17, 7, 7, t.body)
    s.oval(50, 33, 21, 20, t.body)
    s.oval(50, 42, 10, 8, t.light)
    _face(s, t, eyes=31)
    s.polygon([(46, 37), (54, 37), (50, 42)], t.dark)


def owl(s: Sketch, t: Tones) -> None:
    s.blob(
        [
            (26, 30),
            (27, 8),
            (40, 16),
            (50, 14),
            (60, 16),
            (73, 8),
            (74, 30),
            (76, 62),
            (68, 88),
            (50, 97),
            (32, 88),
            (24, 62),
        ],
        t.body,
    )
    s.blob([(50, 44), (64, 56), (62, 82), (50, 92), (38, 82), (36, 56)], t.light)
    for row in range(4):
        for column in range(-2 + row % 2, 3 - row % 2):
            s.polygon(
                [
                    (48 + column * 7, 58 + row * 7),
                    (52 + column * 7, 58 + row * 7),
                    (50 + column * 7, 63 + row * 7),
                ],
                t.shade,
            )
    wing = [(25, 40), (18, 62), (24, 84), (34, 90), (33, 60)]
    s.blob(wing, t.shade)
    s.blob(mirrored(wing), t.shade)
    for x in (39, 61):
        s.oval(x, 33, 12, 12, t.light)
        s.oval(x, 33, 8.5, 8.5, t.accent)
        s.oval(x, 33, 5, 5, t.dark)
        s.oval(x + 1.8, 31, 1.5, 1.5, (1, 1, 1))
    s.polygon([(46, 38), (54, 38), (50, 48)], (0.95, 0.65, 0.2))
    for x in (42, 58):
        s.oval(x, 97, 6, 2.6, (0.95, 0.65, 0.2))


def deer(s: Sketch, t: Tones) -> None:
    for side in (-1, 1):
        s.line([(72, 22), (72 + side * 9, 10), (72 + side * 8, -1)], t.shade, 2)
        s.line([(72 + side * 7, 13), (72 + side * 16, 4)], t.shade, 1.8)
        s.line([(72 + side * 9, 9), (72 + side * 2, 1)], t.shade, 1.6)
    _four_legs(s, t, hoof=t.dark)
    s.blob([(16, 52), (24, 44), (46, 46), (62, 42), (70, 48), (68, 60), (54, 66), (30, 66), (18, 62)], t.body)
    s.blob([(58, 46), (64, 26), (72, 20), (78, 26), (74, 42), (70, 58), (62, 60)], t.body)
    s.blob([(66, 24), (73, 19), (82, 24), (91, 31), (90, 36), (80, 36), (70, 33)], t.body)
    s.blob([(66, 24), (56, 18), (55, 23), (64, 28)], t.shade)
    s.blob([(64, 40), (70, 44), (70, 58), (64, 60)], t.light)
    s.oval(78, 27, 1.4, 1.6, t.dark)
    s.oval(90, 33, 2, 1.8, t.dark)
    s.blob([(14, 50), (20, 47), (20, 58), (15, 62)], t.light)
    for x, y in ((30, 51), (38, 54), (46, 51), (34, 58), (44, 59)):
        s.oval(x, y, 1.4, 1.2, t.light)


def horse(s: Sketch, t: Tones) -> None:
    s.blob([(15, 48), (6, 58), (5, 76), (11, 80), (15, 66), (20, 56)], t.dark)
    _four_legs(s, t, hoof=t.dark)
    s.blob([(14, 52), (22, 42), (46, 46), (62, 40), (71, 48), (68, 61), (54, 67), (30, 67), (17, 63)], t.body)
    s.blob([(56, 44), (64, 22), (72, 12), (82, 18), (78, 38), (71, 58), (60, 60)], t.body)
    s.blob([(70, 12), (80, 13), (93, 32), (91, 39), (84, 38), (72, 28)], t.body)
    s.blob([(72, 6), (64, 16), (57, 32), (53, 44), (60, 44), (66, 30), (74, 16), (77, 10)], t.dark)
    s.polygon([(72, 14), (73, 3), (78, 13)], t.body)
    s.oval(79, 20, 1.5, 1.7, t.dark)
    s.oval(89, 36, 4, 3.4, t.shade)


def _four_legs(s: Sketch, t: Tones, *, hoof: tuple[float, float, float]) -> None:
    for x, tone in ((27, t.shade), (58, t.shade), (20, t.body), (65, t.body)):
        s.polygon([(x - 4, 56), (x + 4, 56), (x + 2, 78), (x + 2, 96), (x - 2, 96), (x - 1.5, 78)], tone)
        s.box(x - 2.4, 95, 5, 4, hoof, round_by=1)


def bird(s: Sketch, t: Tones) -> None:
    """Draw a gliding bird, seen a little from below."""
    s.blob([(50, 46), (36, 30), (18, 26), (2, 34), (20, 36), (34, 46), (44, 58)], t.body)
    s.blob([(50, 46), (64, 30), (82, 26), (98, 34), (80, 36), (66, 46), (56, 58)], t.body)
    s.blob([(2, 34), (12, 27), (22, 27), (16, 33)], t.dark)
    s.blob([(98, 34), (88, 27), (78, 27), (84, 33)], t.dark)
    s.blob([(50, 38), (56, 46), (55, 60), (60, 74), (50, 70), (40, 74), (45, 60), (44, 46)], t.light)
    s.oval(50, 38, 5.4, 6, t.light)
    s.polygon([(48, 33), (52, 33), (50, 27)], t.accent)


def fish(s: Sketch, t: Tones) -> None:
    s.blob([(26, 50), (12, 34), (4, 30), (8, 50), (4, 70), (12, 66)], t.accent)
    s.blob([(40, 32), (52, 16), (70, 22), (66, 34)], t.accent)
    s.blob([(46, 66), (52, 78), (62, 72), (60, 64)], t.accent)
    s.blob([(22, 50), (40, 32), (66, 28), (88, 40), (95, 50), (88, 60), (66, 71), (40, 67)], t.body)
    for x in (46, 64):
        s.blob([(x, 31), (x + 6, 29), (x + 9, 50), (x + 6, 70), (x, 68), (x + 3, 50)], t.light)
    s.oval(85, 45, 3.6, 3.6, (1, 1, 1))
    s.oval(86, 45, 2, 2, t.dark)
    s.blob([(72, 52), (62, 50), (58, 58), (68, 60)], t.accent)


def whale(s: Sketch, t: Tones) -> None:
    s.blob([(18, 46), (6, 30), (1, 20), (13, 22), (20, 28), (24, 17), (34, 14), (30, 26), (26, 42)], t.body)
    s.blob(
        [(18, 44), (32, 52), (54, 40), (78, 36), (95, 48), (96, 64), (84, 76), (58, 78), (34, 70), (22, 58)],
        t.body,
    )
    s.blob([(96, 62), (86, 75), (60, 78), (40, 72), (60, 70), (82, 66)], t.light)
    s.blob([(58, 70), (62, 86), (72, 92), (70, 74)], t.shade)
    s.oval(83, 56, 2, 2, t.dark)
    for bend in (-1, 1):
        s.line([(74, 36), (74 + bend * 3, 24), (74 + bend * 11, 20), (74 + bend * 15, 25)], t.light, 2)


def butterfly(s: Sketch, t: Tones) -> None:
    upper = [(50, 48), (40, 22), (20, 8), (5, 16), (8, 38), (24, 52)]
    lower = [(50, 52), (28, 54), (14, 68), (22, 86), (38, 84), (48, 68)]
    for wing in (upper, mirrored(upper)):
        s.blob(wing, t.shade)
    for wing in (lower, mirrored(lower)):
        s.blob(wing, t.shade)
    for points, tone in ((upper, t.body), (lower, t.accent)):
        inner = [(x + (34 - x) * 0.22, y + (48 - y) * 0.2) for x, y in points]
        s.blob(inner, tone)
        s.blob(mirrored(inner), tone)
    for x, y in ((17, 24), (25, 74), (26, 36)):
        for side in (x, 100 - x):
            s.oval(side, y, 3.4, 3.4, t.light)
    s.blob([(50, 36), (53, 50), (51, 80), (49, 80), (47, 50)], t.dark)
    for side in (-1, 1):
        s.line([(50, 38), (50 + side * 6, 24), (50 + side * 12, 18)], t.dark, 1)


def dragon(s: Sketch, t: Tones) -> None:
    s.blob([(48, 46), (40, 18), (24, 2), (30, 22), (14, 14), (22, 32), (6, 32), (24, 46), (38, 56)], t.shade)
    s.line([(46, 70), (28, 80), (14, 92), (6, 86)], t.body, 7)
    s.polygon([(10, 92), (0, 78), (2, 92)], t.accent)
    s.blob([(34, 84), (36, 62), (50, 50), (62, 54), (66, 70), (60, 92), (46, 97)], t.body)
    s.blob([(50, 58), (60, 60), (62, 74), (56, 92), (48, 90), (50, 74)], t.light)
    s.blob([(52, 56), (56, 36), (66, 22), (78, 22), (76, 32), (68, 42), (64, 60)], t.body)
    s.blob([(64, 20), (76, 15), (88, 22), (97, 30), (94, 36), (80, 36), (68, 33)], t.body)
    for root, tip in (((68, 20), (58, 8)), ((74, 17), (68, 4))):
        s.polygon([(root[0] - 3, root[1] + 2), (root[0] + 3, root[1]), tip], t.accent)
    s.blob([(54, 46), (62, 14), (80, 1), (78, 18), (92, 12), (80, 30), (66, 48)], scale(t.shade, 1.15))
    s.blob([(64, 20), (76, 15), (88, 22), (97, 30), (94, 36), (80, 36), (68, 33)], t.body)
    s.oval(81, 24, 2, 2, t.accent)
    for x in (44, 58):
        s.oval(x, 96, 8, 3.4, t.shade)
