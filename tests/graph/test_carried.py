"""Pictures give back the graph that ComfyUI wrote into them, and damaged ones are told."""

import io
import json
import struct
import zlib

import pytest
from PIL import Image, PngImagePlugin

from comfygen_mcp.errors import BadRequest
from comfygen_mcp.graph.carried import graph_in_picture

GRAPH = {"1": {"class_type": "EmptyImage", "inputs": {"text": "Füchse"}, "is_changed": [float("nan")]}}
EDITOR = {"nodes": [], "links": []}


def saved(form, **options):
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, form, **options)
    return buffer.getvalue()


def png(zip_text=False, itxt=False, **texts):
    info = PngImagePlugin.PngInfo()
    for key, text in texts.items():
        (info.add_itxt if itxt else info.add_text)(key, text, zip=zip_text)
    return saved("PNG", pnginfo=info)


def chunk(kind, body, crc=None):
    crc = zlib.crc32(kind + body) if crc is None else crc
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", crc)


def png_with(*chunks):
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks) + chunk(b"IEND", b"")


def webp(**texts):
    exif = Image.Exif()
    for at, (key, text) in enumerate(texts.items()):
        exif[0x0110 - at] = f"{key}:{text}"
    return saved("WEBP", exif=exif)


@pytest.mark.parametrize(("zip_text", "itxt"), [(False, False), (True, False), (False, True), (True, True)])
def test_a_png_gives_back_both_forms(zip_text, itxt):
    data = png(zip_text, itxt, prompt=json.dumps(GRAPH, ensure_ascii=False), workflow=json.dumps(EDITOR))

    carried = graph_in_picture(data)

    assert carried.graph["1"]["inputs"] == {"text": "Füchse"}
    assert carried.editor == EDITOR


def test_a_webp_gives_back_what_stands_in_its_exif():
    carried = graph_in_picture(webp(prompt=json.dumps(GRAPH), workflow=json.dumps(EDITOR)))

    assert carried.graph["1"]["class_type"] == "EmptyImage"
    assert carried.editor == EDITOR


@pytest.mark.parametrize(
    "data",
    [
        saved("PNG"),
        saved("WEBP"),
        saved("JPEG"),
        b"",
        png(parameters="a fox, steps: 20"),
        png(prompt="a fox, as other programs write it"),
        webp(made_by="somebody"),
        saved("WEBP", exif=b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00"),
    ],
)
def test_a_picture_without_a_graph_carries_none(data):
    assert graph_in_picture(data) is None


@pytest.mark.parametrize(
    ("data", "how"),
    [
        (png(prompt=json.dumps(GRAPH))[:-20], "cut short"),
        (png(prompt=json.dumps(GRAPH))[:70], "cut short"),
        (png(prompt=json.dumps(GRAPH))[:38], "cut short"),
        (png_with(chunk(b"tEXt", b"prompt\x00{}", crc=7)), "checksum of its tEXt"),
        (png_with(chunk(b"zTXt", b"prompt\x00\x00nothing packed")), "compressed text cannot be read"),
        (png_with(chunk(b"zTXt", b"prompt\x00\x00" + zlib.compress(b"{" * 17_000_000))), "far longer"),
        (png_with(chunk(b"tEXt", b"prompt\x00{" + b" " * 16_000_001)), "far longer"),
        (png(prompt='{"1": '), "prompt is no JSON"),
        (png(workflow="{" + '"a":{' * 100_000), "workflow is no JSON"),
        (webp(prompt=json.dumps(GRAPH))[:-30], "cut short"),
        (saved("WEBP", exif=b"Exif\x00\x00II*\x00\x08\x00\x00\x00\xff\xff"), "EXIF cannot be read"),
        (saved("WEBP", exif=b"Exif\x00\x00nonsense"), "EXIF cannot be read"),
    ],
)
def test_a_damaged_picture_is_told(data, how):
    with pytest.raises(BadRequest, match=f"damaged: .*{how}"):
        graph_in_picture(data)
