"""Previews: small enough for every client, whatever the picture."""

import io
import random
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from comfygen_mcp import images
from comfygen_mcp.images import contact_sheet, mime_of, picture_size, preview, small_picture


def png(width, height, *, noise=False, mode="RGB"):
    bands = len(mode)
    pixels = (
        np.random.default_rng(1).integers(0, 256, (height, width, bands), dtype=np.uint8)
        if noise
        else np.full((height, width, bands), 90, dtype=np.uint8)
    )
    buffer = io.BytesIO()
    Image.fromarray(pixels, mode).save(buffer, "PNG")
    return buffer.getvalue()


def test_a_preview_is_a_webp_of_at_most_768_pixels():
    shown = Image.open(io.BytesIO(preview(png(1024, 512))))

    assert (shown.format, shown.size) == ("WEBP", (768, 384))


@pytest.mark.parametrize(
    ("size", "count", "rows"),
    [((512, 512), 4, 2), ((512, 512), 9, 3), ((1024, 512), 2, 2), ((512, 1024), 2, 1), ((512, 512), 5, 2)],
)
def test_a_contact_sheet_shows_every_picture_in_its_place(size, count, rows):
    colours = [(40 + 20 * place, 200 - 20 * place, 90) for place in range(count)]
    shown = contact_sheet([_plain(size, colour) for colour in colours])

    sheet = Image.open(io.BytesIO(shown))
    columns = -(-count // rows)
    assert sheet.format == "WEBP"
    assert len(shown) <= 150_000
    assert max(sheet.size) <= 1024
    for place, colour in enumerate(colours):
        row, column = divmod(place, columns)
        middle = (column + 0.5) * sheet.width / columns, (row + 0.5) * sheet.height / rows
        found = sheet.getpixel(tuple(map(round, middle)))
        assert np.abs(np.subtract(found[:3], colour)).max() <= 8


def test_a_contact_sheet_of_noise_fits_the_byte_limit():
    shown = contact_sheet([png(1024, 1024, noise=True)] * 16)

    assert len(shown) <= 150_000


def test_a_contact_sheet_leaves_out_what_cannot_be_read():
    wide, tall = _plain((400, 100), (250, 0, 0)), _plain((100, 400), (0, 0, 250))

    sheet = Image.open(io.BytesIO(contact_sheet([wide, b"no picture", tall])))
    assert sheet.size == Image.open(io.BytesIO(contact_sheet([wide, tall]))).size
    assert contact_sheet([b"no picture"]) is None
    assert contact_sheet([]) is None


def test_the_pictures_of_a_contact_sheet_keep_their_numbers():
    colours = [(40, 90, 160), (160, 90, 40), (90, 160, 40)]
    pictures = [_plain((512, 512), colour) for colour in colours]
    three, two, twice = (
        Image.open(io.BytesIO(contact_sheet(shown))).convert("RGB")
        for shown in (pictures, [pictures[0], b"no picture", pictures[2]], [pictures[0]] * 2)
    )

    def chip(sheet, left, top):
        return np.asarray(sheet.crop((left + 8, top + 8, left + 40, top + 36)), dtype=int).max(axis=2) > 200

    half = two.height // 2  # two square pictures stand one above the other
    assert chip(three, 0, 0).any()
    assert (chip(twice, 0, 0) != chip(twice, 0, half)).any(), "1 and 2 look different"
    assert (chip(two, 0, 0) == chip(twice, 0, 0)).all()
    assert (chip(two, 0, half) != chip(twice, 0, half)).any(), "what is left out takes its number with it"


def test_a_picture_made_small_keeps_its_transparency_and_lies_the_right_way():
    exif = Image.Exif()
    exif[0x0112] = 8
    buffer = io.BytesIO()
    Image.new("RGB", (640, 320)).save(buffer, "JPEG", exif=exif)

    assert small_picture(buffer.getvalue(), 100).size == (50, 100)
    assert small_picture(png(300, 100, mode="RGBA"), 60).mode == "RGBA"
    assert small_picture(png(30, 10), 60).size == (30, 10)
    assert small_picture(png(64, 64)[:60], 60) is None


def _plain(size, colour):
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "PNG")
    return buffer.getvalue()


def test_a_small_picture_is_not_enlarged():
    assert Image.open(io.BytesIO(preview(png(64, 48)))).size == (64, 48)


def test_even_pure_noise_fits_the_byte_limit():
    shown = preview(png(1600, 1600, noise=True))

    assert len(shown) <= 150_000
    assert max(Image.open(io.BytesIO(shown)).size) >= 256


def test_transparency_survives():
    assert Image.open(io.BytesIO(preview(png(32, 32, mode="RGBA")))).mode == "RGBA"


@pytest.mark.parametrize(
    ("data", "mime"),
    [
        (png(8, 8), "image/png"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"\x00\x00\x00\x18ftypmp42", "video/mp4"),
        (b"plain text", None),
        (b"", None),
    ],
)
def test_the_first_bytes_tell_what_a_file_is(data, mime):
    assert mime_of(data) == mime


def test_a_file_on_disk_is_read_as_well(tmp_path):
    (tmp_path / "x.png").write_bytes(png(40, 30))

    assert picture_size(tmp_path / "x.png") == (40, 30)
    assert preview(tmp_path / "x.png") is not None


@pytest.mark.parametrize("data", [b"", b"plain text", png(64, 64)[:60]], ids=["empty", "text", "cut off"])
def test_what_is_no_picture_has_no_preview(data):
    assert preview(data) is None


def test_a_picture_too_large_to_decode_has_no_preview(monkeypatch):
    monkeypatch.setattr(images, "MAX_PIXELS", 99)

    assert preview(png(10, 10)) is None


def test_a_preview_that_fits_at_no_size_is_left_out(monkeypatch):
    monkeypatch.setattr(images, "PREVIEW_MAX_BYTES", 10)

    assert preview(png(64, 64)) is None


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "JPEG", "TIFF", "BMP"])
def test_a_damaged_picture_raises_nothing_whatever_pillow_raises(kind):
    buffer = io.BytesIO()
    Image.open(io.BytesIO(png(24, 16, noise=True))).save(buffer, kind)
    whole, chance = buffer.getvalue(), random.Random(7)  # noqa: S311 - the same damage every time
    cut = [whole[: round(len(whole) * part / 40)] for part in range(40)]
    spoilt = [_spoilt(whole, chance, reach) for reach in (32, 128, len(whole)) for _ in range(150)]

    for data in (*cut, *spoilt):
        size, shown = picture_size(data), preview(data)
        assert size is None or len(size) == 2
        assert shown is None or mime_of(shown) == "image/webp"
    assert any(preview(data) is None for data in cut)


def _spoilt(whole, chance, reach):
    """Change a few bytes among the first *reach*, where the headers are."""
    data = bytearray(whole)
    for _ in range(chance.randint(1, 6)):
        data[chance.randrange(min(reach, len(data)))] = chance.randrange(256)
    return bytes(data)


@pytest.mark.parametrize(
    "error",
    [SyntaxError, RuntimeError, NotImplementedError, struct.error, EOFError, IndexError, zlib.error],
)
def test_whatever_a_reader_stumbles_over_is_no_picture(monkeypatch, error):
    def stumble(*_args, **_options):
        raise error("broken")

    monkeypatch.setattr(Image, "open", stumble)

    assert picture_size(b"data") is None


def test_pixels_that_cannot_be_decoded_have_a_size_and_no_preview(monkeypatch):
    def stumble(_picture):
        raise SyntaxError("broken PNG file")

    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", stumble)

    assert picture_size(png(8, 8)) == (8, 8)
    assert preview(png(8, 8)) is None
