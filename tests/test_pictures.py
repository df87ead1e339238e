"""Input pictures: whatever was sent becomes one plain PNG, or an error that says what it is."""

import io
import random
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from comfygen_mcp.errors import BadRequest
from comfygen_mcp.images import mime_of
from comfygen_mcp.pictures import read_picture, without_transparency
from comfygen_mcp.pictures_kinds import kind_of

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")


def gradient(width=48, height=32, mode="RGB"):
    across, down = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    pixels = np.stack([across, down, 255 - across], axis=-1).astype(np.uint8)
    return Image.fromarray(pixels).convert(mode)


def saved(image, kind="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def read(data, name="cat.png"):
    return read_picture(data, name=name)


@pytest.mark.parametrize("kind", FORMATS)
def test_every_usual_format_becomes_a_plain_png(kind):
    picture = read(saved(gradient(), kind))

    assert picture.size == (48, 32)
    assert picture.notes == ()
    assert mime_of(picture.data) == picture.mime == "image/png"
    difference = np.abs(np.asarray(picture.pixels, int) - np.asarray(gradient(), int))
    assert np.median(difference) <= 8


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_every_mode_becomes_eight_bits_a_channel(mode):
    if mode == "I;16":
        image = Image.fromarray(np.full((4, 4), 0x8080, dtype=np.uint16))
    else:
        image = gradient(mode=mode)

    picture = read(saved(image, "TIFF" if mode == "CMYK" else "PNG"))

    assert picture.pixels.mode == "RGB"
    if mode == "I;16":
        assert picture.pixels.getpixel((0, 0)) == (128, 128, 128)


@pytest.mark.parametrize(
    ("values", "brightest"),
    [
        (np.array([[0.0, 0.5], [1.0, np.nan]], dtype=np.float32), 128),
        (np.array([[0, 128], [255, -5]], dtype=np.float32), 128),
        (np.array([[0, 32896], [65535, 0]], dtype=np.int32), 128),
        (np.array([[0, 502_000], [1_000_000, 0]], dtype=np.int32), 128),
        (np.array([[0, 128], [255, 0]], dtype=np.int32), 128),
    ],
)
def test_numbers_of_any_range_become_grey(values, brightest):
    picture = read(saved(Image.fromarray(values), "TIFF"))

    greys = [picture.pixels.getpixel(place)[0] for place in ((0, 0), (1, 0), (0, 1), (1, 1))]
    assert greys == [0, brightest, 255, 0]


def test_a_dark_picture_of_16_bits_stays_dark():
    dark = Image.fromarray(np.full((4, 4), 257, dtype=np.uint16))

    assert read(saved(dark)).pixels.getpixel((0, 0)) == (1, 1, 1)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "RGB"])
def test_transparency_is_kept_where_there_is_any(mode):
    image = gradient(mode="RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    data = {
        "RGBA": lambda: saved(image),
        "LA": lambda: saved(image.convert("LA")),
        "P": lambda: saved(gradient(mode="P"), "GIF", transparency=gradient(mode="P").getpixel((0, 0))),
        "RGB": lambda: saved(gradient(), transparency=gradient().getpixel((0, 0))),
    }

    picture = read(data[mode]())

    assert picture.transparent
    assert picture.pixels.getpixel((0, 0))[3] < 10
    assert picture.pixels.getpixel((47, 31))[3] > 245


def test_transparency_becomes_white_for_models():
    image = Image.new("RGBA", (8, 8), (200, 0, 0, 0))
    image.putpixel((0, 0), (0, 0, 200, 255))

    plain = without_transparency(read(saved(image)))

    assert [plain.pixels.getpixel(place) for place in ((0, 0), (1, 1))] == [(0, 0, 200), (255, 255, 255)]
    assert "became white" in plain.notes[0]
    assert without_transparency(plain) is plain


def test_the_same_pixels_give_the_same_bytes_whatever_file_held_them():
    noted = PngImagePlugin.PngInfo()
    noted.add_text("prompt", "a secret prompt")
    image = gradient()
    files = [
        saved(image),
        saved(image, pnginfo=noted, dpi=(300, 300), icc_profile=b"profile", compress_level=9),
        saved(image, "BMP"),
        saved(image, "TIFF", compression="tiff_lzw"),
        saved(image.convert("RGBA")),
    ]

    pictures = [read(data) for data in files]

    assert len({picture.sha256 for picture in pictures}) == 1
    assert set(Image.open(io.BytesIO(pictures[1].data)).info) == set()
    assert b"secret" not in pictures[1].data
    assert read(pictures[0].data).sha256 == pictures[0].sha256


def test_a_photo_is_turned_upright_and_its_place_forgotten():
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "taken at home"
    data = saved(gradient(), "JPEG", exif=exif)

    picture = read(data, "photo.jpg")

    assert picture.size == (32, 48)
    assert b"taken at home" in data
    assert b"taken at home" not in picture.data
    assert not Image.open(io.BytesIO(picture.data)).getexif()


def test_damaged_exif_does_not_spoil_a_picture(monkeypatch):
    def stumble(_image):
        raise SyntaxError("not a TIFF header")

    monkeypatch.setattr("PIL.ImageOps.exif_transpose", stumble)

    assert read(saved(gradient())).size == (48, 32)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF"])
def test_of_an_animation_the_first_frame_is_used_and_told(kind):
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue", "green")]

    picture = read(saved(frames[0], kind, save_all=True, append_images=frames[1:]), "anim.gif")

    assert picture.notes == ("'anim.gif' is animated: the first frame was used.",)
    red, green, blue = picture.pixels.getpixel((8, 8))
    assert red > 200
    assert max(green, blue) < 60


def test_of_several_pages_the_first_is_used_and_told():
    pages = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue")]

    picture = read(saved(pages[0], "TIFF", save_all=True, append_images=pages[1:]), "scan.tif")

    assert picture.notes == ("'scan.tif' has several pages: the first page was used.",)


HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(64)
OTHERS = {
    "empty": (b"", "an empty file"),
    "text": (b"just words", "plain text"),
    "long text": ("é".encode() * 4000 + b"a", "plain text"),
    "utf-16": ("hello".encode("utf-16"), "plain text"),
    "json": (b'\n{"3": {}}', "JSON text"),
    "page": (b"<!DOCTYPE html><html></html>", "a web page"),
    "svg": (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG drawing"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3", "a PDF document"),
    "heic": (HEIC, "a HEIC picture"),
    "mp4": (b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2", "a video"),
    "mov": (b"\x00\x00\x00\x14ftypqt  \x00\x00\x00\x00qt  ", "a video"),
    "webm": (b"\x1aE\xdf\xa3" + bytes(20), "a video"),
    "avi": (b"RIFF\x00\x00\x00\x00AVI LIST", "a video"),
    "wav": (b"RIFF\x00\x00\x00\x00WAVEfmt ", "a sound"),
    "mp3": (b"\xff\xfb\x90\x00" + bytes(20), "a sound"),
    "m4a": (b"\x00\x00\x00\x18ftypM4A \x00\x00\x00\x00", "a sound"),
    "zip": (b"PK\x03\x04" + bytes(20), "a ZIP archive"),
    "psd": (b"8BPS\x00\x01", "a Photoshop file"),
    "jxl": (b"\xff\x0a\x00", "a JPEG XL picture"),
    "raw": (b"II*\x00\x10\x00\x00\x00CR\x02\x00", "a raw photo"),
    "bm text": (b"BMW builds cars, and other texts", "plain text"),
    "noise": (bytes(range(1, 20)) * 9, "data of an unknown kind"),
    "half utf-8": (b"caf\xc3", "data of an unknown kind"),
}


@pytest.mark.parametrize(("data", "what"), OTHERS.values(), ids=OTHERS)
def test_what_is_no_picture_is_called_what_it_is(data, what):
    with pytest.raises(BadRequest) as raised:
        read(data, "cat.png")

    assert f"'cat.png' is {what}" in str(raised.value)
    assert (
        "Give" in str(raised.value)
        or "Save it" in str(raised.value)
        or "Draw" in str(raised.value)
        or ("Unpack" in str(raised.value))
    )


def test_avif_is_told_by_its_further_brands_too():
    assert kind_of(b"\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00mif1avifmiaf").reader == "AVIF"
    assert kind_of(saved(gradient(), "AVIF")).reader == "AVIF"


def test_too_many_bytes_are_not_looked_at():
    with pytest.raises(BadRequest, match=r"'cat.png' is larger than 0.0001 MB.*max_input_mb"):
        read_picture(saved(gradient()), name="cat.png", max_bytes=100)


def png_header(width, height):
    """A PNG of a few bytes that claims to be of any size."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = (header, b"IDAT" + zlib.compress(bytes(100)))
    packed = (struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


@pytest.mark.parametrize("edge", [8_001, 12_000, 60_000])
def test_a_picture_of_too_many_pixels_is_refused_before_it_is_unpacked(edge):
    with pytest.raises(BadRequest, match="more than 64 megapixels"):
        read(png_header(edge, edge))


@pytest.mark.parametrize("kind", FORMATS)
def test_a_damaged_picture_is_refused_in_words_whatever_the_damage(kind):
    whole, chance = saved(gradient(24, 16), kind), random.Random(7)  # noqa: S311 - the same damage every time
    refusals = []
    for _ in range(150):
        data = bytearray(whole[: chance.randrange(1, len(whole))] if chance.random() < 0.3 else whole)
        for _ in range(chance.randint(1, 5)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            assert mime_of(read(bytes(data)).data) == "image/png"
        except BadRequest as error:
            refusals.append(str(error))

    assert refusals
    assert all("'cat.png'" in text for text in refusals)
    with pytest.raises(BadRequest, match="cannot be read: it is damaged"):
        read(whole[:20] if kind != "AVIF" else whole[:60])


def profile(red, green, blue, name="Swapped"):
    """Return an ICC profile of a screen with these primaries (XYZ) and a gamma of 2.2."""

    def number(value):
        return struct.pack(">i", round(value * 65536))

    def place(*xyz):
        return b"XYZ \0\0\0\0" + b"".join(map(number, xyz))

    text = name.encode() + b"\0"
    named = b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(78 + (-len(text) - 78 - 12) % 4)
    curve = b"curv\0\0\0\0" + struct.pack(">IHxx", 1, 0x0233)
    tags = {b"desc": named, b"cprt": b"text\0\0\0\0free\0\0\0\0", b"wtpt": place(0.9642, 1, 0.8249)}
    tags |= {b"rXYZ": place(*red), b"gXYZ": place(*green), b"bXYZ": place(*blue)}
    tags |= {b"rTRC": curve, b"gTRC": curve, b"bTRC": curve}
    table, body, at = b"", b"", 132 + 12 * len(tags)
    for key, data in tags.items():
        table += key + struct.pack(">II", at + len(body), len(data))
        body += data
    size = at + len(body)
    head = struct.pack(">I4xI4s4s4s12x4s", size, 0x02400000, b"mntr", b"RGB ", b"XYZ ", b"acsp")
    white = b"".join(map(number, (0.9642, 1, 0.8249)))
    return head.ljust(68, b"\0") + white + bytes(48) + struct.pack(">I", len(tags)) + table + body


PRIMARIES = ((0.436, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141))
SWAPPED = profile(PRIMARIES[1], PRIMARIES[0], PRIMARIES[2])
CONVERTED = "Its colours were converted from its own colour profile to sRGB."


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_the_colours_of_a_profile_become_srgb(mode):
    clear = Image.new("RGBA", (8, 8), (255, 0, 0, 90))
    image = clear if mode == "RGBA" else Image.new("RGB", (8, 8), (255, 0, 0)).convert(mode)
    picture = read(saved(image, icc_profile=SWAPPED))

    red, green, *rest = picture.pixels.getpixel((3, 3))
    assert (red < 40, green > 240) == (True, True)
    assert rest[1:] == ([90] if mode == "RGBA" else [])
    assert picture.notes == (CONVERTED,)


def test_a_turned_photo_keeps_its_profile():
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = read(saved(Image.new("RGB", (32, 16), "red"), "JPEG", exif=exif, icc_profile=SWAPPED))

    assert picture.size == (16, 32)
    assert picture.pixels.getpixel((8, 8))[1] > 240


@pytest.mark.parametrize(
    ("data", "mode"),
    [
        (profile(*PRIMARIES, name="sRGB of somebody"), "RGB"),
        (SWAPPED[:300], "RGB"),
        (b"no profile", "RGB"),
        (SWAPPED, "L"),
        (SWAPPED, "1"),
    ],
    ids=["sRGB", "cut off", "nonsense", "for colours", "for colours too"],
)
def test_a_profile_that_says_nothing_of_these_colours_changes_nothing(data, mode):
    image = Image.new("RGB", (8, 8), (250, 20, 20)).convert(mode)
    picture = read(saved(image, icc_profile=data))

    assert picture.pixels.tobytes() == image.convert("RGB").tobytes()
    assert picture.notes == ()
