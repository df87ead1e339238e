"""What counts as a whole picture, video or sound."""

import hashlib

import pytest
from interop_files import box, flac, mp4
from PIL import Image

from comfygen_mcp.errors import UnexpectedReply
from comfygen_mcp.interop.media import decoded, expect_colour, expect_flac, expect_mp4
from comfygen_mcp.models import Output


@pytest.fixture
def fetched(tmp_path):
    def write(name, data):
        path = tmp_path / name
        path.write_bytes(data)
        return Output(
            path=path,
            filename=name,
            media="other",
            mime="application/octet-stream",
            size_bytes=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            node_id="1",
            index=0,
        )

    return write


def test_a_whole_mp4_names_its_boxes(fetched):
    assert expect_mp4(fetched("a.mp4", mp4())) == "ftyp moov mdat"


LONG = (1).to_bytes(4, "big") + b"mdat" + (32).to_bytes(8, "big") + bytes(16)
TO_THE_END = (0).to_bytes(4, "big") + b"mdat" + bytes(9)


@pytest.mark.parametrize("last", [LONG, TO_THE_END], ids=["64 bit size", "size to the end"])
def test_both_long_forms_of_a_box_are_read(fetched, last):
    assert expect_mp4(fetched("a.mp4", box(b"ftyp") + box(b"moov") + last)) == "ftyp moov mdat"


BROKEN = [mp4()[:-1], mp4()[:40], b"", b"\0\0\0\4ftyp" + mp4(), box(b"moov") + box(b"mdat"), b"<html></html>"]


@pytest.mark.parametrize("data", BROKEN)
def test_a_cut_or_strange_mp4_is_refused(fetched, data):
    with pytest.raises(UnexpectedReply, match="no whole MP4"):
        expect_mp4(fetched("a.mp4", data))


def test_a_flac_tells_its_length(fetched):
    assert expect_flac(fetched("a.flac", flac()), rate=44100, seconds=1.0) == "1.00 s at 44100 Hz"
    assert "not told" in expect_flac(fetched("b.flac", flac(samples=0)), rate=44100, seconds=1.0)


@pytest.mark.parametrize("data", [flac()[:41], b"RIFF" + bytes(60), b""])
def test_a_cut_or_strange_flac_is_refused(fetched, data):
    with pytest.raises(UnexpectedReply, match="no whole FLAC"):
        expect_flac(fetched("a.flac", data), rate=44100, seconds=1.0)


@pytest.mark.parametrize("data", [flac(rate=22050), flac(samples=22050)])
def test_a_flac_of_another_rate_or_length_is_refused(fetched, data):
    with pytest.raises(UnexpectedReply, match="the graph makes 1 s at 44100 Hz"):
        expect_flac(fetched("a.flac", data), rate=44100, seconds=1.0)


def test_a_colour_may_be_off_by_rounding_and_no_more(fetched, tmp_path):
    Image.new("RGB", (8, 8), (10, 20, 30)).save(tmp_path / "source.png")
    output = fetched("a.png", (tmp_path / "source.png").read_bytes())

    assert expect_colour(output, 0x0B131F, edge=8).uniform
    with pytest.raises(UnexpectedReply, match="has the colour 0a141e"):
        expect_colour(output, 0x0D141E, edge=8)
    with pytest.raises(UnexpectedReply, match="is 8x8; the graph makes 16x16"):
        expect_colour(output, 0x0A141E, edge=16)


def test_a_text_that_is_called_a_picture_is_refused_without_its_path(fetched, tmp_path):
    with pytest.raises(UnexpectedReply, match=r"a\.png \(5 bytes\) is no whole picture") as refused:
        decoded(fetched("a.png", b"hello"))

    assert str(tmp_path) not in str(refused.value)
