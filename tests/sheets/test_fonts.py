"""Which font draws what: read from the files, searched for within bounds, and never a reason to fail."""

import shutil
import struct
import time

import pytest
from reference_sheets import FONTS

from comfygen_mcp.sheets import font_search
from comfygen_mcp.sheets import fonts as fonts_module
from comfygen_mcp.sheets.font_files import CharacterMap, faces_of
from comfygen_mcp.sheets.font_search import found_in, listed_by_fontconfig, system_fonts
from comfygen_mcp.sheets.fonts import REGULAR, SEMIBOLD, Fonts
from comfygen_mcp.sheets.pens import Style
from comfygen_mcp.sheets.typeset import Typesetter

BY_NAME = {path.stem.removesuffix("-few").removeprefix("Noto"): path for path in FONTS}
EMOJI, ARABIC, CJK = (BY_NAME[name] for name in ("ColorEmoji", "SansArabic", "SansCJK"))


def groups(*ranges):
    """Return a character map of format 12 with (first, last, glyph) of each range."""
    packed = b"".join(struct.pack(">III", *each) for each in ranges)
    return struct.pack(">HHIII", 12, 0, 16 + len(packed), 0, len(ranges)) + packed


def segments(*ranges):
    """Return a character map of format 4 with (first, last, delta) of each range."""
    every = (*ranges, (0xFFFF, 0xFFFF, 1))
    count = len(every)
    header = struct.pack(">7H", 4, 0, 0, 2 * count, 0, 0, 0)
    firsts, lasts, deltas = (struct.pack(f">{count}H", *part) for part in zip(*every, strict=True))
    return header + lasts + b"\0\0" + firsts + deltas + bytes(2 * count)


def cmap(subtable, platform=3, encoding=1):
    return struct.pack(">HHHHI", 0, 1, platform, encoding, 12) + subtable


def os2(weight=400, selection=0):
    return bytes(4) + struct.pack(">H", weight) + bytes(56) + struct.pack(">H", selection) + bytes(14)


def sfnt(start=0, **tables):
    """Return a font file's bytes that hold *tables* and no glyph at all."""
    place = start + 12 + 16 * len(tables)
    records, bodies = b"", b""
    for tag, body in tables.items():
        records += struct.pack(
            ">4sIII", tag.ljust(4, "_").replace("OS2_", "OS/2").encode(), 0, place, len(body)
        )
        bodies += body
        place += len(body)
    return b"\0\1\0\0" + struct.pack(">HHHH", len(tables), 0, 0, 0) + records + bodies


def written(tmp_path, data, name="font.ttf"):
    path = tmp_path / name
    path.write_bytes(data)
    return path


LATIN = cmap(segments((0x41, 0x5A, 1)))


@pytest.mark.parametrize(
    "table", [groups((0x41, 0x5A, 5), (0x600, 0x610, 40)), segments((0x41, 0x5A, 1), (0x600, 0x610, 9))]
)
def test_a_character_map_knows_the_ends_of_its_ranges(table):
    characters = CharacterMap(table)

    known = [c for c in range(0x700) if c in characters]
    assert known == [*range(0x41, 0x5B), *range(0x600, 0x611)]
    assert 0x1F98A not in characters


def test_the_glyph_that_stands_for_nothing_is_not_a_character():
    assert 0x41 not in CharacterMap(groups((0x41, 0x41, 0)))
    assert 0x41 not in CharacterMap(segments((0x41, 0x41, 0x10000 - 0x41)))


def test_a_map_with_a_list_of_glyphs_is_read():
    table = bytearray(segments((0x41, 0x43, 0)))
    offsets = 14 + 2 + 2 * 2 * 3
    table[offsets : offsets + 2] = struct.pack(">H", 4)
    table += struct.pack(">3H", 7, 0, 8)

    assert [c for c in range(0x80) if c in CharacterMap(bytes(table))] == [0x41, 0x43]


@pytest.mark.parametrize("table", [b"", b"\0", groups((0x41, 0x5A, 5))[:20], struct.pack(">HH", 6, 0)])
def test_a_damaged_or_foreign_map_has_no_characters(table):
    assert 0x41 not in CharacterMap(table)


def test_the_shipped_fonts_are_what_they_should_be():
    (regular,), (semibold,) = faces_of(REGULAR), faces_of(SEMIBOLD)

    assert [(f.family, f.weight, f.italic, f.colour) for f in (regular, semibold)] == [
        ("Inter", 400, False, False),
        ("Inter Semi Bold", 600, False, False),
    ]
    assert regular.has("é")
    assert not regular.has("狐")
    assert max(path.stat().st_size for path in (REGULAR, SEMIBOLD)) < 400_000
    assert "SIL OPEN FONT LICENSE" in (REGULAR.parent / "OFL.txt").read_text(encoding="utf-8")


def test_an_emoji_font_tells_the_size_of_its_pictures():
    (face,) = faces_of(EMOJI)

    assert (face.colour, face.strike) == (True, 109)
    assert face.has("👩🏽‍🚀")
    assert not face.has("🐙")


def test_a_collection_has_several_faces(tmp_path):
    first = 12 + 4 * 2
    one = sfnt(first, cmap=LATIN, OS2=os2(400))
    two = sfnt(first + len(one), cmap=cmap(groups((0x4E00, 0x9FFF, 1)), 3, 10), OS2=os2(700, 1))
    header = b"ttcf" + struct.pack(">III", 0x10000, 2, first) + struct.pack(">I", first + len(one))
    faces = faces_of(written(tmp_path, header + one + two, "two.ttc"))

    assert [(f.index, f.weight, f.italic, f.has("A"), f.has("狐")) for f in faces] == [
        (0, 400, False, True, False),
        (1, 700, True, False, True),
    ]


def test_a_font_of_pictures_by_apple_tells_its_largest_size(tmp_path):
    sbix = struct.pack(">HHIII", 1, 1, 2, 16, 20) + struct.pack(">HHHH", 20, 72, 160, 72)
    (face,) = faces_of(written(tmp_path, sfnt(cmap=LATIN, sbix=sbix)))

    assert (face.colour, face.strike, face.family) == (True, 160, "font")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a font at all, but long enough to be one",
        sfnt(glyf=b"x"),
        sfnt(cmap=cmap(LATIN, 1, 0)),
        sfnt(cmap=cmap(segments((0xF041, 0xF05A, 1)), 3, 0)),
        sfnt(cmap=cmap(struct.pack(">HH", 13, 0) + bytes(12), 3, 10)),
        sfnt(cmap=LATIN, COLR=struct.pack(">HHIIH", 1, 0, 0, 0, 0)),
        sfnt(cmap=LATIN, OS2=b"ab"),
        sfnt(cmap=LATIN)[:40],
    ],
    ids=["empty", "text", "no map", "mac", "symbol", "last resort", "gradients", "short style", "cut off"],
)
def test_a_file_that_is_no_use_has_no_face(tmp_path, data):
    assert faces_of(written(tmp_path, data)) == ()


def test_a_file_that_is_gone_has_no_face(tmp_path):
    assert faces_of(tmp_path / "gone.ttf") == ()


def test_the_shipped_font_comes_first_and_the_others_help_out():
    fonts = Fonts(FONTS, system=False)

    assert fonts.face_for("a").path == REGULAR
    assert fonts.face_for("a", bold=True).path == SEMIBOLD
    assert fonts.face_for("狐").path == CJK
    assert fonts.face_for("ث").path == ARABIC
    assert fonts.face_for("🦊").path == EMOJI
    assert fonts.face_for("❤\ufe0f").path == REGULAR, "better a black heart than none"
    assert fonts.face_for("ཀ") is None


def with_system(monkeypatch, *paths):
    monkeypatch.setattr(fonts_module, "system_fonts", lambda: paths)


def test_the_best_face_of_the_machine_is_upright_plain_and_of_the_language(tmp_path, monkeypatch):
    han = cmap(groups((0x4E00, 0x9FFF, 1)), 3, 10)

    def family(name):
        text = name.encode("utf-16-be")
        return struct.pack(">HHH", 0, 1, 18) + struct.pack(">6H", 3, 1, 0x409, 1, len(text), 0) + text

    def font(file, name, weight=400, selection=0):
        data = sfnt(cmap=han, OS2=os2(weight, selection), name=family(name))
        return written(tmp_path, data, file)

    serif = font("NotoSerifCJK.ttf", "Noto Serif CJK SC")
    japanese = font("NotoSansCJK-1.ttf", "Noto Sans CJK JP")
    chinese = font("NotoSansCJK-2.ttf", "Noto Sans CJK SC")
    heavy = font("NotoSansCJK-3.ttf", "Noto Sans CJK SC", weight=700)
    slanted = font("NotoSansCJK-0.ttf", "Noto Sans CJK SC", selection=1)
    mono = font("NotoSansMonoCJK.ttf", "Noto Sans Mono CJK SC")
    with_system(monkeypatch, serif, slanted, heavy, japanese, chinese, mono)

    assert Fonts().face_for("狐", text="雪中的红狐").path == chinese
    assert Fonts().face_for("狐", text="雪の狐").path == japanese
    assert Fonts().face_for("狐", text="雪中的红狐", bold=True).path == heavy


def test_a_font_that_is_not_named_after_the_script_is_found_as_well(tmp_path, monkeypatch):
    tibetan = cmap(groups((0xF00, 0xFFF, 1)), 3, 10)
    odd = written(tmp_path, sfnt(cmap=tibetan), "a-serif-bold.ttf")
    plain = written(tmp_path, sfnt(cmap=tibetan), "somesans.ttf")
    with_system(monkeypatch, odd, written(tmp_path, sfnt(cmap=LATIN), "other.ttf"), plain)

    assert Fonts().face_for("ཀ").path == plain


def test_once_found_a_face_serves_its_script_without_another_search(tmp_path, monkeypatch):
    searches = []
    monkeypatch.setattr(fonts_module, "system_fonts", lambda: searches.append(1) or (CJK,))
    fonts = Fonts()

    assert {fonts.face_for(c).path for c in "狐雪森赤光"} == {CJK}
    assert len(searches) == 1


def test_a_script_that_no_font_has_is_given_up_soon(monkeypatch):
    searches = []
    monkeypatch.setattr(fonts_module, "system_fonts", lambda: searches.append(1) or ())
    fonts = Fonts()

    assert {fonts.face_for(chr(c)) for c in range(0x4E00, 0x4F00)} == {None}
    assert len(searches) == fonts_module.GIVE_UP_AFTER


def test_the_search_ends_when_its_time_is_up(monkeypatch):
    with_system(monkeypatch, CJK)

    assert Fonts(seconds=-1).face_for("狐") is None
    assert Fonts().face_for("狐").path == CJK


def test_the_time_runs_out_among_files_too(monkeypatch):
    clock = iter((0.0, 1.0, 9.0, 9.0))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    with_system(monkeypatch, CJK)

    assert Fonts(seconds=5).face_for("狐") is None


def test_a_font_that_cannot_be_opened_counts_as_missing(tmp_path):
    broken = written(tmp_path, sfnt(cmap=cmap(groups((0x4E00, 0x9FFF, 1)), 3, 10)))
    typesetter = Typesetter(Fonts((broken,), system=False), shaping=False)
    typesetter.wrap("a 狐 狐", Style(20), width=300, most=1)

    assert tuple(typesetter.missing) == ("狐",)


def test_fonts_are_found_in_folders_and_below_them(tmp_path):
    (tmp_path / "deep" / "er").mkdir(parents=True)
    here = written(tmp_path, b"", "a.ttf")
    there = written(tmp_path / "deep" / "er", b"", "b.OTF")
    written(tmp_path, b"", "c.txt")

    assert found_in((str(tmp_path), str(tmp_path / "gone"))) == (here, there)


def test_no_more_fonts_are_listed_than_can_be_looked_through(tmp_path, monkeypatch):
    monkeypatch.setattr(font_search, "MAX_FILES", 2)
    for number in range(5):
        written(tmp_path, b"", f"{number}.ttf")

    assert len(found_in((str(tmp_path),))) == 2
    assert found_in((str(tmp_path),), seconds=-1) == ()


def test_a_home_that_cannot_be_told_hides_no_other_folder(tmp_path):
    here = written(tmp_path, b"", "a.ttf")

    assert found_in(("~nobody-of-that-name/fonts", str(tmp_path))) == (here,)


def program(tmp_path, monkeypatch, text):
    path = written(tmp_path, text.encode(), "fc-list")
    path.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda _name: str(path))


def test_fontconfig_lists_what_it_knows(tmp_path, monkeypatch):
    program(tmp_path, monkeypatch, "#!/bin/sh\nprintf '/b.otf\\n/a.ttf\\n/a.ttf\\n/c.pfb\\n'\n")

    assert [str(path) for path in listed_by_fontconfig()] == ["/a.ttf", "/b.otf"]


@pytest.mark.parametrize("text", ["#!/bin/sh\nexit 3\n", "#!/bin/sh\nexec sleep 30\n", "#!/no/such/shell\n"])
def test_a_fontconfig_that_fails_or_hangs_lists_nothing(tmp_path, monkeypatch, text):
    program(tmp_path, monkeypatch, text)

    assert listed_by_fontconfig(seconds=0.2) == ()


def test_without_fontconfig_the_usual_folders_are_searched(tmp_path, monkeypatch):
    here = written(tmp_path, b"", "a.ttf")
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    monkeypatch.setattr(font_search, "FOLDERS", (str(tmp_path),))
    system_fonts.cache_clear()
    try:
        assert system_fonts() == (here,)
        here.unlink()
        assert system_fonts() == (here,), "they are listed once"
    finally:
        system_fonts.cache_clear()


def test_a_variable_font_is_set_at_the_weight_that_is_wanted():
    from comfygen_mcp.sheets.pens import axis_values

    axes = [
        {"name": b"Weight", "minimum": 100, "default": 100, "maximum": 500},
        {"name": b"Width", "minimum": 50, "default": 80, "maximum": None},
    ]

    assert axis_values(axes, 400) == [400, 80]
    assert axis_values(axes, 600) == [500, 80]
