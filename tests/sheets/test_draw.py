"""Whole sheets: any picture, any text, any number, within bounds, and honest about what is not there."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from reference_sheets import fonts
from sheet_pictures import cut_out, landscape, noise

from comfygen_mcp.errors import BadRequest
from comfygen_mcp.sheets import encode, theme
from comfygen_mcp.sheets.base import Sheet, SheetCell
from comfygen_mcp.sheets.draw import MAX_CELLS, UNREADABLE, draw_sheet
from comfygen_mcp.sheets.layout import ALONE_EDGE

RED, BLUE = (200, 30, 30), (30, 30, 200)


def plain(size, colour, kind="PNG", **options):
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, kind, **options)
    return buffer.getvalue()


def cell(picture=None, **fields):
    return SheetCell(**{"title": "model", "subtitle": "seed 7"} | {"picture": picture} | fields)


def draw(*cells, header="a fox", **fields):
    return draw_sheet(Sheet(header=header, cells=cells, **fields), fonts(), shaping=False)


def shown(sheet):
    return Image.open(io.BytesIO(sheet.full)).convert("RGB")


def box_of(image, colour):
    """Return the box of the pixels of *colour*."""
    same = (np.abs(np.asarray(image, dtype=int) - colour).max(axis=2) <= 2).nonzero()
    return same[1].min(), same[0].min(), same[1].max() + 1, same[0].max() + 1


def test_a_sheet_is_a_png_and_a_small_webp():
    sheet = draw(cell(landscape()), cell(landscape(seed=1)))

    full, small = (Image.open(io.BytesIO(data)) for data in (sheet.full, sheet.preview))
    assert (full.format, full.size) == ("PNG", (sheet.width, sheet.height))
    assert small.format == "WEBP"
    assert max(small.size) <= 1568
    assert (sheet.missing, sheet.notes) == ((), ())


def test_a_picture_may_be_a_path(tmp_path):
    (tmp_path / "a.png").write_bytes(plain((600, 600), RED))

    left, top, right, bottom = box_of(shown(draw(cell(tmp_path / "a.png"))), RED)
    assert (right - left, bottom - top) == (768, 768)


@pytest.mark.parametrize("size", [(1200, 600), (600, 1200), (900, 900), (2000, 100), (100, 60)])
def test_a_picture_keeps_its_shape(size):
    left, top, right, bottom = box_of(shown(draw(cell(plain(size, RED)))), RED)

    assert (right - left) / (bottom - top) == pytest.approx(size[0] / size[1], rel=0.05)
    assert max(right - left, bottom - top) == min(ALONE_EDGE, 2 * max(size))


def test_pictures_of_other_shapes_are_as_large_as_each_other():
    image = shown(draw(cell(plain((1216, 832), RED)), cell(plain((832, 1216), BLUE))))
    wide, high = box_of(image, RED), box_of(image, BLUE)

    assert wide[2] - wide[0] == pytest.approx(high[3] - high[1], abs=1)
    assert wide[1] + wide[3] == pytest.approx(high[1] + high[3], abs=2)


def test_a_photo_lies_the_way_its_camera_says():
    exif = Image.Exif()
    exif[0x0112] = 6
    left, top, right, bottom = box_of(
        shown(draw(cell(plain((800, 400), RED, "JPEG", exif=exif)))), (200, 31, 29)
    )

    assert (right - left) * 2 == pytest.approx(bottom - top, abs=4)


def test_transparent_pictures_lie_on_a_checked_ground():
    image = shown(draw(cell(cut_out())))
    corner = image.crop((200, 140, 260, 200))

    assert {colour for _, colour in corner.getcolors()} >= set(theme.CHECKS)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK", "I;16", "F"])
def test_every_kind_of_picture_is_shown(mode):
    buffer = io.BytesIO()
    Image.new(mode, (64, 64)).save(buffer, "TIFF" if mode in ("CMYK", "F") else "PNG")

    sheet = draw(cell(buffer.getvalue()))
    assert sheet.full != draw(cell(b"broken")).full


def test_one_transparent_colour_of_a_picture_is_transparent():
    buffer = io.BytesIO()
    Image.new("RGB", (900, 900), RED).save(buffer, "PNG", transparency=RED)

    image = shown(draw(cell(buffer.getvalue())))
    assert {colour for _, colour in image.crop((200, 140, 260, 200)).getcolors()} >= set(theme.CHECKS)


@pytest.mark.parametrize("data", [b"", b"plain text", landscape()[:900]], ids=["empty", "text", "cut off"])
def test_a_damaged_picture_is_told_in_its_cell(data):
    broken = draw(cell(data), cell(landscape()))

    assert broken.full == draw(cell(None, reason=UNREADABLE), cell(landscape())).full


def test_a_bomb_is_not_unpacked():
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0))
    bomb = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")

    assert draw(cell(bomb)).full == draw(cell(None, reason=UNREADABLE)).full


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_very_large_picture_takes_no_more_of_the_sheet(kind):
    large = draw(cell(plain((4500, 4500), RED, kind)))

    assert (large.width, large.height) == (draw(cell(landscape(900, 900))).width, large.height)


def test_states_look_different_from_each_other():
    sheets = {
        state: draw(cell(state=state, reason="why")).full
        for state in ("done", "failed", "skipped", "pending")
    }

    assert len(set(sheets.values())) == 4


def test_a_long_reason_stays_in_its_place():
    sheet = draw(cell(state="failed", reason="the host said no, again and again, " * 60), cell(landscape()))
    image = shown(sheet)
    red_ground = box_of(image, theme.WELL_FAILED)
    text = np.abs(np.asarray(image.crop(red_ground), dtype=int) - theme.WELL_FAILED).max(axis=2) > 60

    assert not text[: theme.PAD].any()
    assert not text[-theme.PAD :].any()
    assert not text[:, : theme.PAD].any()
    assert not text[:, -theme.PAD :].any()
    assert text.any()


def test_a_sheet_of_failures_alone_is_drawn():
    sheet = draw(*(cell(state="failed", reason="out of memory") for _ in range(3)))

    assert box_of(shown(sheet), theme.WELL_FAILED)


def test_a_header_can_be_left_out():
    assert draw(cell(landscape()), header="").height < draw(cell(landscape())).height


def test_a_sheet_without_labels_has_no_empty_band_below_its_pictures():
    bare = draw(cell(landscape(900, 900), title="", subtitle=""), header="")

    assert bare.height == 768 + 2 * theme.MARGIN


def test_missing_characters_are_listed_and_the_sheet_says_so():
    sheet, latin = draw(cell(landscape()), header="ཀ fox"), draw(cell(landscape()), header="a fox")

    assert sheet.missing == ("ཀ",)
    assert "U+0F40" in sheet.notes[0]
    assert "◇" in sheet.notes[0]
    assert sheet.height > latin.height


@pytest.mark.parametrize("count", [1, 9])
def test_even_pure_noise_has_a_preview_within_the_limit(count):
    sheet = draw(*(cell(noise(400, 400, seed)) for seed in range(count)))

    assert len(sheet.preview) <= 200_000
    assert max(Image.open(io.BytesIO(sheet.preview)).size) >= 512


def test_a_preview_that_fits_nowhere_is_the_smallest_there_is(monkeypatch):
    monkeypatch.setattr(encode, "PREVIEW_MAX_BYTES", 10)

    small = Image.open(io.BytesIO(draw(cell(noise(256, 256))).preview))
    assert max(small.size) == 256


@pytest.mark.parametrize("count", [0, MAX_CELLS + 1])
def test_a_number_of_cells_that_cannot_be_shown_is_refused(count):
    with pytest.raises(BadRequest, match=f"1 to {MAX_CELLS} cells, not {count}"):
        draw(*[cell()] * count)


@pytest.mark.parametrize(
    ("columns", "rows", "message"),
    [
        (("1", "2"), ("a", "b"), "2 columns and 2 rows has 4 cells, not 3"),
        ((), ("a", "b"), "1 columns and 2 rows"),
    ],
)
def test_a_grid_with_holes_is_refused(columns, rows, message):
    with pytest.raises(BadRequest, match=message):
        draw(*[cell()] * 3, column_labels=columns, row_labels=rows)


def test_a_grid_stands_in_the_columns_that_it_names():
    pictures = [
        cell(plain((300, 300), (40 * number, 200, 20)), title="", subtitle="") for number in range(1, 6)
    ]
    image = shown(draw(*pictures, column_labels=("1", "2", "3", "4", "5")))
    boxes = [box_of(image, (40 * number, 200, 20)) for number in range(1, 6)]

    assert len({box[1] for box in boxes}) == 1
    assert [box[0] for box in boxes] == sorted(box[0] for box in boxes)


def test_rows_alone_make_a_grid_of_one_column():
    sheet = draw(cell(landscape()), cell(landscape()), row_labels=("low", "high"), row_axis="strength")

    assert sheet.height > sheet.width


def test_an_axis_name_without_labels_is_not_drawn():
    plain_sheet = draw(cell(landscape()), cell(landscape()))

    assert (
        draw(cell(landscape()), cell(landscape()), column_axis="steps", row_axis="cfg").full
        == plain_sheet.full
    )


def test_a_sheet_drawn_twice_is_the_same():
    cells = (cell(landscape()), cell(state="failed", reason="no"))

    assert draw(*cells) == draw(*cells)


words = st.text(max_size=60)
cells = st.lists(
    st.builds(
        SheetCell,
        title=words,
        subtitle=words,
        reason=words,
        state=st.sampled_from(["done", "failed", "skipped", "pending"]),
        picture=st.sampled_from([None, b"junk", landscape(40, 60), cut_out(80, 30)]),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(header=words, subheader=words, cells=cells)
def test_any_sheet_is_drawn(header, subheader, cells):
    sheet = draw(*cells, header=header, subheader=subheader)

    assert Image.open(io.BytesIO(sheet.full)).size == (sheet.width, sheet.height)
    assert len(sheet.preview) <= 200_000


def test_the_machines_own_fonts_are_used_when_none_are_given():
    sheet = draw_sheet(Sheet(header="a fox", cells=(cell(landscape()),)))

    assert sheet.missing == ()
