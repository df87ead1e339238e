"""Text on sheets: lines that fit, in the right order, with a font for every character or a word about it."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from reference_sheets import fonts

from comfygen_mcp.sheets.bidi import direction_levels, visual_order
from comfygen_mcp.sheets.fonts import Fonts
from comfygen_mcp.sheets.linebreaks import MAX_CHARACTERS, cleaned, may_break
from comfygen_mcp.sheets.notes import UNJOINED, notes
from comfygen_mcp.sheets.pens import Style, can_shape
from comfygen_mcp.sheets.scripts import clusters, flavour_of, script_of
from comfygen_mcp.sheets.typeset import MARK_COLOUR, Typesetter, paint

STYLE = Style(20)
needs_shaping = pytest.mark.skipif(not can_shape(), reason="FriBiDi is not installed")
SHAPINGS = [False, pytest.param(True, marks=needs_shaping)]


def setter(*, shaping=False):
    return Typesetter(fonts(), shaping=shaping)


def wrapped(text, width=300, most=3, **options):
    return [line.text for line in setter(**options).wrap(text, STYLE, width=width, most=most)]


def visible(text):
    base, levels = direction_levels(list(text))
    return base, "".join(text[place] for place in visual_order(levels))


@pytest.mark.parametrize("shaping", SHAPINGS)
@given(text=st.text(max_size=200), width=st.integers(30, 500), most=st.integers(1, 4))
def test_any_text_is_set_in_lines_that_fit(shaping, text, width, most):
    lines = Typesetter(fonts(), shaping=shaping).wrap(text, STYLE, width=width, most=most)

    assert len(lines) <= most
    for line in lines:
        assert line.width <= width or len(clusters(line.text.rstrip("…"))) <= 1
    assert bool(lines) == bool(cleaned(text))


@given(st.text(alphabet="ab cd-ef", max_size=120))
def test_wrapping_loses_no_letter(text):
    lines = wrapped(text, width=120, most=100)

    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_lines_break_between_words_and_the_last_one_says_that_more_follows():
    lines = wrapped("a red fox in a snowy forest at dawn " * 4, width=240, most=2)

    assert lines[0] == "a red fox in a snowy"
    assert lines[1].endswith("…")
    assert len(lines) == 2


def test_a_word_longer_than_the_line_is_cut():
    lines = wrapped("x" * 100, width=200, most=100)

    assert len(lines) > 3
    assert "".join(lines) == "x" * 100


def test_a_label_is_broken_at_its_dot_and_the_dot_goes():
    assert wrapped("1840 ms · seed 4242424242", width=220) == ["1840 ms", "seed 4242424242"]


def test_a_space_that_forbids_a_break_is_respected():
    assert wrapped("size 1024\u00a0px", width=110) == ["size", "1024\u00a0px"]


def test_text_in_the_middle_gets_even_lines():
    text = "Install it there, or leave it out"
    uneven, even = (
        setter().wrap(text, STYLE, width=260, most=3),
        setter().wrap_evenly(text, STYLE, width=260, most=3),
    )

    assert len(uneven) == len(even) == 2
    assert abs(even[0].width - even[1].width) < abs(uneven[0].width - uneven[1].width)


def test_even_lines_leave_cut_text_and_single_lines_as_they_are():
    for text in ("short", "a red fox " * 40):
        lines = setter().wrap_evenly(text, STYLE, width=200, most=2)

        assert lines
        assert [line.text for line in lines] == wrapped(text, width=200, most=2)


def test_chinese_breaks_anywhere_but_not_before_closing_signs_or_after_opening_ones():
    text = "雪「静けさ」を。"
    allowed = dict(zip(text, may_break(list(text)), strict=True))

    assert allowed == {
        "雪": True,
        "「": False,
        "静": True,
        "け": True,
        "さ": False,
        "」": True,
        "を": False,
        "。": True,
    }


@pytest.mark.parametrize(
    ("given_text", "kept"),
    [
        ("  two\n\tlines \r\n", "two lines"),
        ("bell\x07 and \x1b[31mred", "bell and [31mred"),
        ("reversed \u202egnp.exe\u202c", "reversed gnp.exe"),
        ("half \ud83d of a pair", "half \ufffd of a pair"),
        ("e\u0301", "é"),
        ("👩🏽‍🚀 ❤️", "👩🏽‍🚀 ❤️"),
    ],
)
def test_text_is_cleaned_of_what_has_no_place_on_a_label(given_text, kept):
    assert cleaned(given_text) == kept


def test_endless_text_is_cut_before_it_costs_anything():
    assert cleaned("x" * 1_000_000) == "x" * MAX_CHARACTERS + "…"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("e\u0301a", ["e\u0301", "a"]),
        ("👩🏽‍🚀!", ["👩🏽‍🚀", "!"]),
        ("🇯🇵🇫🇷", ["🇯🇵", "🇫🇷"]),
        ("1\ufe0f\u20e3", ["1\ufe0f\u20e3"]),
        (" \u0301", [" ", "\u0301"]),
        ("a\u200db", ["a\u200d", "b"]),
    ],
)
def test_what_belongs_together_stays_together(text, parts):
    assert clusters(text) == parts


@pytest.mark.parametrize(
    ("text", "base", "shown"),
    [
        ("abc אבג def", 0, "abc גבא def"),
        ("אבג abc 12", 1, "abc 12 גבא"),
        ("אבג 12.5, 3", 1, "3 ,12.5 גבא"),
        ("جبا ١٢ 12-5", 1, "5-12 ١٢ ابج"),
        ("price 5% אב 5%", 0, "price 5% 5% בא"),
        ("א (abc) ב", 1, "ב )abc( א"),
        ("12", 0, "12"),
        ("", 0, ""),
    ],
)
def test_letters_stand_in_reading_direction(text, base, shown):
    assert visible(text) == (base, shown)


def test_an_accent_takes_the_direction_of_its_letter():
    assert direction_levels(["א", "\u0301", "1"]) == (1, [1, 1, 2])


@pytest.mark.parametrize("shaping", SHAPINGS)
def test_a_right_to_left_text_starts_at_the_right(shaping):
    (line,) = setter(shaping=shaping).wrap("ثعلب أحمر fox", STYLE, width=900, most=1)

    assert line.leftwards
    assert line.runs[0].text == "fox"


@needs_shaping
def test_arabic_letters_join_where_they_can_be_shaped():
    joined, apart = (
        setter(shaping=shaping).wrap("ثعلب", STYLE, width=900, most=1)[0].width for shaping in (True, False)
    )

    assert joined < apart


def test_letters_that_could_not_be_joined_are_confessed():
    typesetter = setter(shaping=False)
    typesetter.wrap("ثعلب", STYLE, width=900, most=1)

    assert typesetter.unjoined
    assert notes(typesetter) == (UNJOINED,)


def test_what_no_font_has_is_marked_and_named_once():
    typesetter = setter()
    (line,) = typesetter.wrap("ab ཀཀ\u0f71 ཁགང ཅ", STYLE, width=900, most=1)
    (note,) = notes(typesetter)

    assert tuple(typesetter.missing) == ("ཀ", "ཀ\u0f71", "ཁ", "ག", "ང", "ཅ")
    assert "Tibetan (U+0F40, U+0F40 U+0F71, U+0F41, U+0F42 and 2 more)" in note
    assert "Noto Sans" in note
    image = Image.new("RGB", (400, 40))
    paint(image, (0, 0), line, STYLE, (255, 255, 255))
    assert MARK_COLOUR in {colour for _, colour in image.getcolors(100_000)}


def test_a_note_that_advises_several_fonts_reads_as_a_sentence():
    typesetter = Typesetter(Fonts(system=False), shaping=False)
    typesetter.wrap("狐 🦊 ثعلب 여우", STYLE, width=900, most=1)
    (note,) = notes(typesetter)

    assert "Chinese or Japanese, emoji, Arabic, Korean (" in note
    assert note.endswith("Fonts like Noto Sans CJK, Noto Color Emoji and Noto Sans have them.")


def test_spaces_are_as_wide_as_the_labels_own_even_after_a_font_without_one():
    typesetter = setter()
    lines = [typesetter.wrap(text, STYLE, width=900, most=1)[0] for text in ("狐a", "狐 a", "b a", "ba")]

    assert lines[1].width - lines[0].width == pytest.approx(lines[2].width - lines[3].width, abs=1)


@pytest.mark.parametrize("shaping", SHAPINGS)
def test_emoji_are_drawn_in_their_colours_at_the_size_of_the_text(shaping):
    typesetter = setter(shaping=shaping)
    (line,) = typesetter.wrap("🦊👩🏽‍🚀", STYLE, width=900, most=1)
    image = Image.new("RGB", (120, 40))
    paint(image, (0, 0), line, STYLE, (255, 255, 255))

    assert not typesetter.missing
    assert 2 * STYLE.size <= line.width <= 4 * STYLE.size
    pixels = [image.getpixel((x, y)) for x in range(120) for y in range(40)]
    assert sum(max(pixel) - min(pixel) > 60 for pixel in pixels) > 100


@pytest.mark.parametrize("shaping", SHAPINGS)
def test_brackets_open_towards_their_text_when_it_runs_to_the_left(shaping):
    shown, expected = Image.new("RGB", (60, 30)), Image.new("RGB", (60, 30))
    (mirrored,) = setter(shaping=shaping).wrap("א(", STYLE, width=900, most=1)
    (bracket,) = setter(shaping=shaping).wrap(")", STYLE, width=900, most=1)
    paint(shown, (0, 0), mirrored, STYLE, (255, 255, 255))
    paint(expected, (0, 0), bracket, STYLE, (255, 255, 255))

    box = (0, 0, int(bracket.width), 30)
    assert expected.crop(box).getbbox()
    assert shown.crop(box).tobytes() == expected.crop(box).tobytes()


@pytest.mark.parametrize(
    ("cluster", "script"),
    [
        *(("a", "latin"), ("я", "cyrillic"), ("狐", "cjk"), ("の", "cjk"), ("。", "cjk"), ("여", "hangul")),
        *(("ث", "arabic"), ("🦊", "emoji"), ("❤️", "emoji"), ("→", "symbol"), ("\ue000", "symbol")),
    ],
)
def test_the_script_of_a_character_is_known(cluster, script):
    assert script_of(cluster) == script


@pytest.mark.parametrize(("text", "flavour"), [("雪の狐", "jp"), ("눈 속 狐", "kr"), ("雪中的红狐", "sc")])
def test_the_language_decides_the_form_of_chinese_characters(text, flavour):
    assert flavour_of(text) == flavour


def test_every_letter_of_the_latin_greek_and_cyrillic_alphabets_is_in_the_shipped_font():
    blocks = (
        range(0x21, 0x7F),
        range(0xA1, 0x149),
        range(0x14A, 0x180),
        range(0x391, 0x3CA),
        range(0x410, 0x450),
    )
    letters = [c for block in blocks for c in map(chr, block) if unicodedata.category(c) not in ("Cn", "Cf")]
    shipped = Fonts(system=False)

    assert len(letters) > 400
    assert [c for c in letters if not shipped.face_for(c)] == []
