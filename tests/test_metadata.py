"""Metadata: read out of films and sounds, and taken out of files without touching what is seen or heard."""

import io
import json
import struct
import zlib

import pytest
from media_files import (
    GRAPH,
    SECRET,
    TEXT,
    animated_png,
    decoded,
    exif,
    film,
    jpeg,
    painted,
    pixels,
    png,
    sound,
    webp,
)
from PIL import Image

from comfygen_mcp.metadata.blanks import Blank
from comfygen_mcp.metadata.exif import orientation_only
from comfygen_mcp.metadata.strip import strip_file, stripped
from comfygen_mcp.metadata.texts import graph_in_recording

PICTURES = {
    "png": png,
    "png with exif": lambda: png(exif=exif()),
    "png with a profile": lambda: png(icc_profile=b"\0" * 128, dpi=(72, 72)),
    "animated png": animated_png,
    "webp, lossless": webp,
    "webp, lossy": lambda: webp(lossless=False),
    "animated webp": lambda: webp(frames=3),
    "jpeg": jpeg,
    "progressive jpeg": lambda: jpeg(progressive=True, quality=95),
    "jpeg with restarts": lambda: jpeg(restart_marker_rows=1),
    "jpeg with a profile": lambda: jpeg(icc_profile=b"\0" * 128),
}
RECORDINGS = {
    "mp4": lambda folder: film(folder / "a.mp4", "libx264"),
    "mov": lambda folder: film(folder / "a.mov", "libx264"),
    "mp4 for streaming": lambda folder: film(
        folder / "a.mp4", "libx264", options={"movflags": "use_metadata_tags+faststart"}
    ),
    "mp4 with a comment": lambda folder: film(
        folder / "a.mp4", "libx264", metadata={"comment": TEXT}, options={}
    ),
    "webm": lambda folder: film(folder / "a.webm", "libvpx-vp9", options={}),
    "mkv": lambda folder: film(folder / "a.mkv", "libx264", options={}),
    "flac": lambda folder: sound(folder / "a.flac"),
}


@pytest.mark.parametrize("kind", PICTURES)
def test_a_picture_loses_its_texts_and_no_pixel(kind):
    data = PICTURES[kind]()
    assert SECRET.encode() in data or b"comf" in data

    clean = stripped(data)
    assert SECRET.encode() not in clean
    assert b"prompt" not in clean
    assert b"comf" not in clean
    assert len(clean) < len(data)
    assert pixels(clean) == pixels(data)
    assert stripped(clean) == clean
    with Image.open(io.BytesIO(clean)) as picture:
        picture.load()
        assert not picture.getexif()
        assert picture.info.get("icc_profile") == (b"\0" * 128 if "profile" in kind else None)


@pytest.mark.parametrize("write", [lambda turn: jpeg(orientation=turn), lambda turn: webp(orientation=turn)])
@pytest.mark.parametrize("turn", [1, 3, 6, 8])
def test_a_turned_picture_stays_turned_and_tells_nothing_else(write, turn):
    clean = stripped(write(turn))
    with Image.open(io.BytesIO(clean)) as picture:
        assert dict(picture.getexif()) == ({} if turn == 1 else {0x0112: turn})


def test_a_turned_png_stays_turned():
    clean = stripped(png(exif=exif(orientation=6)))
    with Image.open(io.BytesIO(clean)) as picture:
        assert dict(picture.getexif()) == {0x0112: 6}


@pytest.mark.parametrize("kind", RECORDINGS)
def test_a_recording_loses_its_texts_and_nothing_that_is_seen_or_heard(kind, tmp_path):
    source = RECORDINGS[kind](tmp_path)
    target = tmp_path / f"clean{source.suffix}"

    assert strip_file(source, target)
    data = target.read_bytes()
    assert SECRET.encode() not in data
    assert len(data) == source.stat().st_size, "nothing behind the texts has moved"
    before, after = decoded(source), decoded(target)
    assert before[0] == after[0]
    assert before[0]
    assert SECRET in str(before[1])
    assert SECRET not in str(after[1])
    assert stripped(source.read_bytes()) == data


@pytest.mark.parametrize("kind", RECORDINGS)
def test_the_graph_of_a_recording_is_read(kind, tmp_path):
    if kind == "mp4 with a comment":
        wrapped = {"comment": json.dumps({"prompt": TEXT})}
        source = film(tmp_path / "a.mp4", "libx264", metadata=wrapped, options={})
    else:
        source = RECORDINGS[kind](tmp_path)
    assert graph_in_recording(source).graph == GRAPH


def test_a_recording_without_a_graph_has_none(tmp_path):
    assert graph_in_recording(film(tmp_path / "a.mp4", "libx264", metadata={})) is None
    plain = film(tmp_path / "b.mp4", "libx264", metadata={"prompt": "just words", "comment": "{ broken"})
    assert graph_in_recording(plain) is None
    (tmp_path / "c.mp3").write_bytes(b"ID3 and so on")
    assert graph_in_recording(tmp_path / "c.mp3") is None


@pytest.mark.parametrize(
    "data", [b"", b"GIF89a......", b"plain text", b"\x00" * 40, b"RIFF....AVI ", b"ID3\x04"]
)
def test_a_file_of_another_kind_is_not_touched(data, tmp_path):
    assert stripped(data) is None
    source = tmp_path / "a.bin"
    source.write_bytes(data)
    assert not strip_file(source, tmp_path / "b.bin")
    assert not (tmp_path / "b.bin").exists()


def test_a_picture_in_a_films_container_is_not_broken(tmp_path):
    buffer = io.BytesIO()
    painted().save(buffer, "AVIF", exif=exif())
    assert stripped(buffer.getvalue()) is None


@pytest.mark.parametrize("kind", [*PICTURES, *RECORDINGS])
def test_a_file_that_is_cut_short_is_told_from_a_clean_one(kind, tmp_path):
    data = PICTURES[kind]() if kind in PICTURES else RECORDINGS[kind](tmp_path).read_bytes()
    for length in range(0, len(data) - 1, max(len(data) // 60, 1)):
        part = tmp_path / "part"
        part.write_bytes(data[:length])
        clean = stripped(data[:length])
        assert clean is None or SECRET.encode() not in clean
        assert strip_file(part, tmp_path / "clean") == (clean is not None)


def test_damage_of_any_kind_ends_in_an_answer(tmp_path):
    """Each byte of the headers is changed once: nothing hangs, and nothing but None or bytes comes back."""
    for data in (png(), webp(), jpeg(), *(make(tmp_path).read_bytes() for make in RECORDINGS.values())):
        for at in range(min(len(data), 400)):
            for value in (0, 0xFF, data[at] ^ 0x10):
                damaged = data[:at] + bytes((value,)) + data[at + 1 :]
                clean = stripped(damaged)
                assert clean is None or isinstance(clean, bytes)


def test_what_stands_behind_the_end_of_a_picture_goes_too():
    for data in (png(), jpeg()):
        assert SECRET.encode() not in stripped(data + SECRET.encode())
    riff = webp()
    assert SECRET.encode() not in stripped(riff + SECRET.encode())


@pytest.mark.parametrize(
    "data",
    [b"", b"II*\x00", b"XX", b"MM\x00*\x00\x00\x00\x08\x00\x01", struct.pack("<2sHIH", b"II", 42, 8, 99)],
)
def test_an_exif_that_cannot_be_read_tells_no_orientation(data):
    assert orientation_only(data) is None


def test_a_blank_longer_than_a_step_is_written_whole():
    file = io.BytesIO(b"x" * 3_000_000)
    Blank(10, b"head", 2_500_000).write(file)
    assert file.getvalue() == b"x" * 10 + b"head" + bytes(2_499_996) + b"x" * 499_990


class TestBoxes:
    """Forms of MP4 that FFmpeg does not write."""

    def film(self, *boxes):
        return b"".join([box(b"ftyp", b"isom\0\0\0\0isom"), *boxes])

    def test_a_box_of_64_bits_of_size_is_blanked(self):
        long = struct.pack(">I4sQ", 1, b"udta", 16 + len(SECRET)) + SECRET.encode()
        clean = stripped(self.film(box(b"moov", long), box(b"mdat", b"pixels")))
        assert SECRET.encode() not in clean
        assert b"pixels" in clean

    def test_a_box_to_the_end_is_blanked(self):
        clean = stripped(self.film(struct.pack(">I4s", 0, b"moov") + box(b"meta", SECRET.encode())))
        assert SECRET.encode() not in clean

    def test_xmp_and_what_tracks_tell_are_blanked(self):
        xmp = bytes.fromhex("be7acfcb97a942e89c71999491e3afac") + SECRET.encode()
        track = box(b"trak", box(b"tkhd", b"12345678") + box(b"udta", SECRET.encode()))
        other = box(b"uuid", b"0123456789abcdef" + b"kept")
        clean = stripped(
            self.film(box(b"moov", track), box(b"uuid", xmp), other, box(b"udta", SECRET.encode()))
        )
        assert SECRET.encode() not in clean
        assert b"kept" in clean
        assert b"12345678" in clean

    def test_far_too_many_boxes_are_refused(self, monkeypatch):
        monkeypatch.setattr("comfygen_mcp.metadata.mp4._MOST_BOXES", 10)
        assert stripped(self.film(*[box(b"free", b"")] * 20)) is None

    def test_metadata_far_longer_than_a_graph_is_not_read(self, tmp_path, monkeypatch):
        monkeypatch.setattr("comfygen_mcp.metadata.mp4.LARGEST", 100)
        with pytest.raises(ValueError, match="longer than a graph"):
            graph_in_recording(film(tmp_path / "a.mp4", "libx264"))


class TestElements:
    """Forms of WebM that FFmpeg writes only into pipes."""

    EBML = bytes.fromhex("1a45dfa3 80")
    TAGS = bytes.fromhex("1254c367")
    CLUSTER = bytes.fromhex("1f43b675")

    def test_a_segment_without_a_size_is_read_to_its_end(self):
        tags = self.TAGS + bytes((0x80 | len(SECRET),)) + SECRET.encode()
        data = self.EBML + bytes.fromhex("18538067 01ffffffffffffff") + tags
        clean = stripped(data)
        assert SECRET.encode() not in clean
        assert len(clean) == len(data)

    def test_a_part_without_a_size_is_not_guessed_at(self):
        data = self.EBML + bytes.fromhex("18538067 01ffffffffffffff") + self.CLUSTER + b"\xff....."
        assert stripped(data) is None

    def test_far_too_many_parts_are_refused(self, monkeypatch):
        monkeypatch.setattr("comfygen_mcp.metadata.webm._MOST_ELEMENTS", 10)
        assert stripped(self.EBML * 20) is None

    def test_metadata_far_longer_than_a_graph_is_not_read(self, tmp_path, monkeypatch):
        monkeypatch.setattr("comfygen_mcp.metadata.webm.LARGEST", 100)
        with pytest.raises(ValueError, match="longer than a graph"):
            graph_in_recording(film(tmp_path / "a.webm", "libvpx-vp9", options={}))


def box(kind, content):
    return struct.pack(">I4s", 8 + len(content), kind) + content


def test_comments_of_a_flac_that_are_cut_short_are_named(tmp_path):
    block = struct.pack("<I", 0) + struct.pack("<I", 5)
    data = b"fLaC" + bytes((0x84,)) + len(block).to_bytes(3, "big") + block
    (tmp_path / "a.flac").write_bytes(data)
    with pytest.raises(ValueError, match="cut short"):
        graph_in_recording(tmp_path / "a.flac")


def test_a_chunk_of_a_png_with_a_wrong_checksum_is_copied_as_it_is():
    """Whether a damaged picture can be shown is not decided here."""
    data = png(graph=None)
    assert stripped(data) == data
    at = data.index(b"IDAT") - 4
    broken = data[:at] + data[at:].replace(struct.pack(">I", zlib.crc32(data)), b"....")
    assert stripped(broken) == broken
